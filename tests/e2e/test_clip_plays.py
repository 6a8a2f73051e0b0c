"""Chromium plays the clip and shows, at every time it is sent to, the picture taken then."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from monitor.media.clip import remux
from tests import video
from tests.servers import binary

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PAGE = b"<!doctype html><video id=v muted preload=auto src=clip.mp4></video>"
SEEK = """
async (times) => {
  const v = document.getElementById('v');
  if (v.readyState < 2) await new Promise((done, fail) => {
    v.onloadeddata = done; v.onerror = () => fail(new Error(v.error.message)); });
  const canvas = new OffscreenCanvas(v.videoWidth, v.videoHeight);
  const context = canvas.getContext('2d', {willReadFrequently: true});
  const numbers = [];
  for (const t of times) {
    const seeked = new Promise(done => { v.onseeked = done; });
    // 'seeked' may come before the picture is put up; where it was up already, none is.
    const shown = new Promise(done => {
      v.requestVideoFrameCallback(done); setTimeout(done, 1000); });
    v.currentTime = t;
    await seeked;
    await shown;
    context.drawImage(v, 0, 0);
    const y = Math.floor(v.videoHeight / 4);
    let number = 0;
    for (let bit = 0; bit < 10; bit++) {
      const x = Math.floor(v.videoWidth * (bit + 0.5) / 10);
      if (context.getImageData(x, y, 1, 1).data[0] > 128) number |= 1 << bit;
    }
    numbers.push(number);
  }
  v.currentTime = 0;
  await v.play();
  await new Promise(done => { v.ontimeupdate = () => { if (v.currentTime > 0.2) done(); }; });
  return {numbers, duration: v.duration, width: v.videoWidth, height: v.videoHeight};
}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The page and clip.mp4, with HTTP Range."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/clip.mp4":
                self._send(200, PAGE, "text/html", {})
                return
            data = (tmp_path / "clip.mp4").read_bytes()
            wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if wanted is None:
                self._send(200, data, "video/mp4", {"Accept-Ranges": "bytes"})
                return
            first, last = int(wanted[1]), int(wanted[2] or len(data) - 1)
            span = f"bytes {first}-{last}/{len(data)}"
            self._send(206, data[first : last + 1], "video/mp4", {"Content-Range": span})

        def _send(self, status: int, body: bytes, kind: str, extra: dict[str, str]) -> None:
            self.send_response(status)
            headers = {"Content-Type": kind, "Content-Length": str(len(body)), **extra}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except ConnectionError:
                self.close_connection = True  # the browser has enough

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("b_frames", [0, 2])
async def test_seeking_shows_the_picture_taken_then(
    tmp_path: Path, site: str, b_frames: int
) -> None:
    steps = [40, 40, 33, 120, 40, 700, 40, 41]
    times = [video.START_MS]
    for index in range(89):
        times.append(times[-1] + steps[index % len(steps)])
    units, params = video.encode(times, gop=25, b_frames=b_frames)
    info = remux(units, params, tmp_path / "clip.mp4")
    wanted = [0, 1, 4, 5, 6, 24, 25, 26, 50, 60, 88, 89, 3]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=binary("chromium"), headless=True, args=FLAGS
        )
        page = await browser.new_page()
        await page.goto(site)
        found = await page.evaluate(
            SEEK, [(times[number] - times[0]) / 1000 + 0.005 for number in wanted]
        )
        await browser.close()
    assert found["numbers"] == wanted
    assert (found["width"], found["height"]) == (320, 192)
    assert found["duration"] == pytest.approx(info.duration_s, abs=0.1)
