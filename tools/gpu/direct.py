"""The same windows without a server, by transformers: for a machine that has no vLLM.

No batching of its own kind, no paged cache: its times are an upper bound of what vLLM takes.
"""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from PIL import Image

from tools.gpu.served import PAIR_APART_MS, PAIRS_APART_MS


@dataclass(frozen=True)
class Direct:
    """One batch. ``peak_bytes``: as torch counts it, None on a CPU."""

    prompt_tokens: int
    prefill_s: float
    decode_s: float
    output_tokens: int
    peak_bytes: int | None


class Model:
    """Random weights of the folder's architecture, in 16 bits on the device."""

    def __init__(self, folder: Path, device: str) -> None:
        torch.manual_seed(0)
        config = transformers.AutoConfig.from_pretrained(folder)
        self._device = device
        self._processor = transformers.AutoProcessor.from_pretrained(folder)
        with torch.device(device):
            made = transformers.Qwen3VLForConditionalGeneration(config)
        self._model = made.to(torch.bfloat16).eval()

    def run(self, batches: Sequence[Sequence[bytes]], words: str, output: int) -> Direct:
        """Prefill alone, then prefill and ``output`` tokens; their difference is the decoding."""
        inputs = self._inputs(batches, words)
        if self._device != "cpu":
            torch.cuda.reset_peak_memory_stats()
        self._generate(inputs, 1)  # the first call compiles and allocates
        prefill_s = self._generate(inputs, 1)
        whole_s = self._generate(inputs, output + 1)
        peak = None if self._device == "cpu" else torch.cuda.max_memory_allocated()
        return Direct(
            int(inputs["input_ids"].shape[1]),
            prefill_s,
            max(0.0, whole_s - prefill_s),
            output,
            peak,
        )

    def _generate(self, inputs: transformers.BatchFeature, tokens: int) -> float:
        began = self._now()
        with torch.inference_mode():
            self._model.generate(
                **inputs, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False
            )
        return self._now() - began

    def _now(self) -> float:
        if self._device != "cpu":
            torch.cuda.synchronize()
        return time.perf_counter()

    def _inputs(self, batches: Sequence[Sequence[bytes]], words: str) -> transformers.BatchFeature:
        template = self._processor.apply_chat_template(
            [{"role": "system", "content": words},
             {"role": "user", "content": [{"type": "video"},
                                          {"type": "text", "text": "What happened, and why?"}]}],
            tokenize=False, add_generation_prompt=True,
        )  # fmt: skip
        videos = [
            [Image.open(io.BytesIO(one)).convert("RGB") for one in batch] for batch in batches
        ]
        count = len(batches[0])
        times = [(n // 2) * PAIRS_APART_MS + (n % 2) * PAIR_APART_MS for n in range(count)]
        told = {"fps": 1000.0, "frames_indices": times, "total_num_frames": times[-1] + 1,
                "duration": (times[-1] + 1) / 1000}  # fmt: skip
        inputs = self._processor(
            text=[template] * len(batches), videos=videos, return_tensors="pt", padding=True,
            video_metadata=[told] * len(batches), do_sample_frames=False,
        )  # fmt: skip
        return inputs.to(self._device)
