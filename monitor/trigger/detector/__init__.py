"""A detector network, where the user has one: what it sees, made into tracks.

Nothing here is needed: without a model the package is never asked, and onnxruntime and the
tracker (the extra ``detector``) are imported only when a model is opened. Whatever is wrong with
a model is a ``DetectorError``; it rests then, and the classical tracks are measured instead.
"""

from monitor.trigger.detector.aide import Aide
from monitor.trigger.detector.duty import Duty
from monitor.trigger.detector.model import Detector
from monitor.trigger.detector.shelf import SharedDetector, Shelf

__all__ = ["Aide", "Detector", "Duty", "SharedDetector", "Shelf"]
