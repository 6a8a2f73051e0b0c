"""A small RTSP server that plays files: the demo's camera, and the tests'.

RTP over the RTSP connection only (interleaved TCP), H.264 and H.265, with sender reports, several
viewers at once, and every fault a camera is known for, switched on while it runs.
"""

from __future__ import annotations

from monitor.capture.rtsp_server.route import Fault, Route
from monitor.capture.rtsp_server.server import RtspServer
from monitor.capture.rtsp_server.source import SourceUnit, VideoSource

__all__ = ["Fault", "Route", "RtspServer", "SourceUnit", "VideoSource"]
