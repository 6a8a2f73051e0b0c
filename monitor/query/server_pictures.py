"""How a running server takes pictures: with their times, one by one, never fetched from elsewhere.

Called by ``server_check``, with two made pictures and a few tokens.
"""

from __future__ import annotations

import base64
import re
from typing import Final

import cv2
import numpy as np

from monitor.query.plain_http import Answered, PlainHttp
from monitor.query.server_finding import Finding, body, text_part
from monitor.query.serving import VLLM_VERSION

_TIMES_MS: Final = (0, 500, 3000, 3200, 9000, 9100)
_SECONDS: Final = ("<0.2 seconds>", "<3.1 seconds>", "<9.1 seconds>")
_ROUNDED_UP: Final = {"<0.2 seconds>": "<0.3 seconds>", "<9.1 seconds>": "<9.0 seconds>"}
_IMAGES: Final = 64
_STAMP: Final = re.compile(r"<\d+\.\d seconds>")


async def video(http: PlainHttp, model: str) -> Answered:
    """What it answers to six pictures with times of their own."""
    pictures = ",".join(_picture(20 * number) for number in range(len(_TIMES_MS)))
    video = {"type": "video_url", "video_url": {"url": "data:video/jpeg;base64," + pictures}}
    times = {
        "fps": 1000, "frames_indices": list(_TIMES_MS), "total_num_frames": _TIMES_MS[-1] + 1,
        "num_frames": -1, "do_sample_frames": False,
    }  # fmt: skip
    asked = body(
        model,
        [video, text_part("Say yes.")],
        media_io_kwargs={"video": times},
        return_token_ids=True,
    )
    return await http.post("/v1/chat/completions", asked)


def trust(video: Answered) -> Finding:
    """Whether times that come with pictures are taken."""
    if video.status == 200:
        return Finding("frame times", "ok", "the times sent with pictures are taken")
    if "media_io_kwargs" in video.message or "mm-kwargs" in video.message:
        return Finding(
            "frame times", "bad",
            "the times sent with pictures are refused; they go as text, at twice the tokens",
            "--trust-request-mm-kwargs",
        )  # fmt: skip
    if "video" in video.message.lower():
        mend = '--limit-mm-per-prompt \'{"image":128,"video":1}\''
        return Finding("frame times", "bad", f"no video is taken: {video.message[:160]}", mend)
    said = video.text if video.status == 0 else f"{video.status}: {video.message}"
    return Finding("frame times", "bad", f"a query with pictures failed: {said[:160]}")


async def times(http: PlainHttp, model: str, video: Answered) -> Finding:
    """The prompt as the model reads it, decoded from its tokens."""
    ids = video.body.get("prompt_token_ids")
    if video.status != 200:
        return Finding("prompt times", "unknown", "no query with pictures went through")
    if not isinstance(ids, list):
        return Finding("prompt times", "unknown", "the server does not return token ids")
    decoded = await http.post("/detokenize", {"model": model, "tokens": ids})
    prompt = decoded.body.get("prompt")
    if not isinstance(prompt, str):
        return Finding("prompt times", "unknown", "the server does not decode tokens")
    stamps = _STAMP.findall(prompt)
    wanted = [{each, _ROUNDED_UP.get(each, each)} for each in _SECONDS]
    right = len(stamps) == len(wanted) and all(
        stamp in either for stamp, either in zip(stamps, wanted, strict=False)
    )
    if right:
        return Finding("prompt times", "ok", f"the model reads {' '.join(stamps)}: as sent")
    return Finding(
        "prompt times", "bad",
        f"the model reads {' '.join(stamps[:8]) or 'no times'} instead of {' '.join(_SECONDS)}",
        f"vllm=={VLLM_VERSION}, and a Qwen3-VL checkpoint",
    )  # fmt: skip


async def images(http: PlainHttp, model: str) -> Finding:
    """What is sent where times are not taken: picture after picture."""
    one = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64," + _picture(90)}}
    asked = body(model, [one] * _IMAGES + [text_part("Say yes.")])
    answered = await http.post("/v1/chat/completions", asked)
    if answered.status == 200:
        return Finding("pictures", "ok", f"{_IMAGES} pictures one by one are taken")
    said = answered.text if answered.status == 0 else answered.message
    mend = '--limit-mm-per-prompt \'{"image":128,"video":1}\''
    return Finding("pictures", "warn", f"{_IMAGES} pictures are refused: {said[:160]}", mend)


def prompt_details(video: Answered) -> Finding:
    """Whether it tells how much of a prompt it had in its cache."""
    usage = video.body.get("usage")
    if video.status != 200 or not isinstance(usage, dict):
        return Finding("cache figures", "unknown", "no query with pictures went through")
    if isinstance(usage.get("prompt_tokens_details"), dict):
        return Finding("cache figures", "ok", "hits of the prefix cache are told per query")
    return Finding(
        "cache figures", "warn", "hits of the prefix cache are not told per query",
        "--enable-prompt-tokens-details",
    )  # fmt: skip


async def media(http: PlainHttp, model: str) -> Finding:
    """Whether the server would fetch what a query's text names: it never should."""
    one = {"type": "image_url", "image_url": {"url": "http://127.0.0.1:9/causeway-check.jpg"}}
    answered = await http.post("/v1/chat/completions", body(model, [one]), deadline_s=20.0)
    if answered.status == 400 and "domain" in answered.message.lower():
        return Finding("fetching", "ok", "the server fetches no addresses")
    return Finding(
        "fetching", "warn", "the server fetches addresses that a client names",
        "--allowed-media-domains none.invalid",
    )  # fmt: skip


def _picture(value: int) -> str:
    image = np.full((64, 64, 3), value, np.uint8)
    return base64.b64encode(cv2.imencode(".jpg", image)[1].tobytes()).decode("ascii")
