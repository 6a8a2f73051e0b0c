"""Which flags ``vllm serve`` needs for this product, on this GPU, for this model. Pure.

Called by ``causeway vllm``. The memory needed is worked out from the model's published shape, not
measured; vLLM itself says at its start how much room is left, and refuses what does not fit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from monitor.errors import ConfigError

DEFAULT_MODEL: Final = "Qwen/Qwen3-VL-2B-Instruct"
VLLM_VERSION: Final = "0.32.0"
"""What the contract tests run against; another may take other flags."""

LEAST_CONTEXT: Final = 8192  # a question of 16 pictures, its answer and a thought
_CONTEXTS: Final = (262_144, 131_072, 65_536, 32_768, 16_384, LEAST_CONTEXT)
_UTILISATION: Final = 0.9
_WORKSPACE_GB: Final = 2.5  # activations, CUDA graphs, the vision encoder's peak
_QUERY_TOKENS: Final = 16_384  # 64 pictures of 640x352, words, answer and thought
_AT_ONCE: Final = (2, 64)
_GB: Final = 1e9

_TRUST: Final = "--trust-request-mm-kwargs"
GUIDANCE: Final = '{"backend":"guidance","disable_any_whitespace":true}'
"""xgrammar lets raw control characters into strings; and a grammar that allows white space between
tokens allows it without end, which is where a model in a loop spends the whole answer."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One line of nvidia-smi."""

    name: str
    memory_gb: float


@dataclass(frozen=True, slots=True)
class Shape:
    """A size of Qwen3-VL: parameters in billions, and what a token of context costs."""

    billions: float
    layers: int
    kv_heads: int
    head_dim: int = 128

    def weights_gb(self, *, fp8: bool) -> float:
        """FP8 checkpoints keep the vision tower and the embeddings in 16 bits: a tenth more."""
        return self.billions * (1.1 if fp8 else 2.0)

    @property
    def token_bytes(self) -> int:
        """Keys and values of one token in 16 bits, over all layers."""
        return 2 * self.layers * self.kv_heads * self.head_dim * 2


SHAPES: Final = {
    "2B": Shape(2.13, 28, 8),
    "4B": Shape(4.44, 36, 8),
    "8B": Shape(8.77, 36, 8),
    "30B-A3B": Shape(31.1, 48, 4),
    "32B": Shape(33.4, 64, 8),
    "235B-A22B": Shape(236.0, 94, 4),
}
"""By the size in the checkpoint's name, as its config.json says."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start."""

    model: str
    context: int
    at_once: int
    gpus: int
    arguments: tuple[str, ...]  # after ``vllm serve``
    remarks: tuple[str, ...] = ()


def parse_gpus(text: str) -> list[Gpu]:
    """Of ``nvidia-smi --query-gpu=name,memory.total --format=csv,noheader,nounits``."""
    found = []
    for line in text.splitlines():
        name, comma, memory = line.rpartition(",")
        if comma and memory.strip().isdigit():
            found.append(Gpu(name.strip(), int(memory) * 1024 * 1024 / _GB))
    return found


def shape_of(model: str) -> Shape:
    """``ConfigError`` with the sizes there are, for a name that has none of them."""
    for size in sorted(SHAPES, key=len, reverse=True):
        if f"-VL-{size}-" in f"{model}-":
            return SHAPES[size]
    sizes = ", ".join(SHAPES)
    raise ConfigError(
        f"{model} is no Qwen3-VL whose memory is known; name one as in {DEFAULT_MODEL}, "
        f"in one of the sizes {sizes}; each as -Instruct or -Thinking, with or without -FP8"
    )


def plan(
    model: str,
    gpus: list[Gpu],
    *,
    context: int | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
) -> Plan:
    """The flags. ``ConfigError`` says what would fit where the model does not."""
    shape, fp8 = shape_of(model), model.endswith("-FP8")
    smallest = min(gpu.memory_gb for gpu in gpus)
    for count in (n for n in (1, 2, 4, 8) if n <= len(gpus)):
        room_gb = count * (_UTILISATION * smallest - _WORKSPACE_GB) - shape.weights_gb(fp8=fp8)
        tokens = int(room_gb * _GB / shape.token_bytes)
        fitting = [each for each in _CONTEXTS if each <= tokens]
        if context is not None:
            fitting = [context] if context <= tokens else []
        if fitting:
            break
    else:
        raise ConfigError(_too_small(model, smallest, len(gpus), context))
    if context is None:  # more queries at once before more context than they use
        fitting = [each for each in fitting if each <= max(32_768, tokens // 4)] or fitting
    chosen = fitting[0]
    at_once = max(_AT_ONCE[0], min(_AT_ONCE[1], tokens // min(chosen, _QUERY_TOKENS)))
    arguments = [
        model, "--host", host, "--port", str(port),
        "--max-model-len", str(chosen),
        "--gpu-memory-utilization", f"{_UTILISATION:g}",
        "--max-num-seqs", str(at_once),
        "--max-num-queued-reqs", str(2 * at_once),
        "--limit-mm-per-prompt", json.dumps({"image": min(512, chosen // 256), "video": 1}),
        _TRUST, "--structured-outputs-config", GUIDANCE,
        "--enable-prompt-tokens-details",
        "--allowed-media-domains", "none.invalid",
        "--generation-config", "vllm",
    ]  # fmt: skip
    if "Thinking" in model:
        arguments += ["--reasoning-parser", "qwen3"]
    if count > 1:
        arguments += ["--tensor-parallel-size", str(count)]
    remarks = [f"{tokens} tokens of context fit beside the weights, by arithmetic"]
    if len(gpus) > count:
        remarks.append(f"{count} of {len(gpus)} GPUs is enough: start others on other ports")
    return Plan(model, chosen, at_once, count, tuple(arguments), tuple(remarks))


def _too_small(model: str, memory_gb: float, count: int, context: int | None) -> str:
    """What fits instead: a smaller context, the FP8 checkpoint, or a smaller model."""
    room_gb = count * (_UTILISATION * memory_gb - _WORKSPACE_GB)
    least = (context or LEAST_CONTEXT, LEAST_CONTEXT)
    what = f"{model} does not fit {count} x {memory_gb:.0f} GB"
    if context is not None:
        what += f" with a context of {context}"
    fits = []
    for size, shape in SHAPES.items():
        for fp8 in (False, True):
            if shape.weights_gb(fp8=fp8) + least[1] * shape.token_bytes / _GB <= room_gb:
                fits.append(f"{size}{'-FP8' if fp8 else ''}")
                break
    return f"{what}. What fits: {', '.join(fits) if fits else 'no Qwen3-VL'}"
