"""What a window must cost at least: visual tokens, operations, bytes. Pure, standard library only.

The floor is what the arithmetic alone would take at the card's published peak rates. Nothing runs
at its peak: twice the floor is good for prefill, and the distance says where there is time to win.
"""

from __future__ import annotations

from dataclasses import dataclass

PATCH_PX = 32  # of the picture that a visual token stands for, each way
AROUND_PAIR = 8  # tokens of a pair's time and its marks


@dataclass(frozen=True)
class Shape:
    """Qwen3-VL's sizes. ``text`` and ``vision`` go into the checkpoint as they are."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    vision_layers: int
    vision_hidden: int
    vision_intermediate: int
    vision_heads: int
    positions: int
    deepstack: tuple[int, ...]

    @property
    def text_parameters(self) -> int:
        """Of the layers, without embeddings: what every token is multiplied with."""
        attention = self.hidden * self.head_dim * (2 * self.heads + 2 * self.kv_heads)
        return self.layers * (attention + 3 * self.hidden * self.intermediate)

    @property
    def vision_parameters(self) -> int:
        """Of the vision layers: what every patch is multiplied with."""
        width, inner = self.vision_hidden, self.vision_intermediate
        return self.vision_layers * (4 * width * width + 2 * width * inner)

    @property
    def merger_parameters(self) -> int:
        """From four patches to a visual token, once and once for each deepstack layer."""
        wide = 4 * self.vision_hidden
        return (1 + len(self.deepstack)) * (wide * wide + wide * self.hidden)

    @property
    def parameters(self) -> int:
        """All of them; input and output embeddings are one table."""
        table = self.vocabulary * self.hidden
        return self.text_parameters + self.vision_parameters + self.merger_parameters + table

    @property
    def cache_bytes(self) -> int:
        """Keys and values of one token, 16 bits each."""
        return 2 * self.layers * self.kv_heads * self.head_dim * 2


QWEN3_VL_2B = Shape(
    28, 2048, 6144, 16, 8, 128, 151_936, 24, 1024, 4096, 16, 2304, (5, 11, 17)
)  # fmt: skip
"""As Qwen/Qwen3-VL-2B-Instruct's config.json says."""

TINY = Shape(2, 64, 128, 4, 2, 32, 3_200, 2, 64, 128, 2, 256, (0, 1))
"""For trying the tool itself where there is no GPU. Its times mean nothing."""


@dataclass(frozen=True)
class Card:
    """Dense 16-bit operations a second and bytes a second, as its maker publishes them."""

    tflops: float
    gb_s: float


CARDS = {
    "H200": Card(989.0, 4800.0),
    "H100 PCIE": Card(756.0, 2000.0),
    "H100 NVL": Card(835.0, 3900.0),
    "H100": Card(989.0, 3350.0),
    "A100 80GB": Card(312.0, 1935.0),
    "A100": Card(312.0, 1555.0),
    "L40S": Card(362.0, 864.0),
    "L4": Card(121.0, 300.0),
    "A10": Card(125.0, 600.0),
    "RTX 4090": Card(165.0, 1008.0),
    "RTX 3090": Card(71.0, 936.0),
}
"""By a part of nvidia-smi's name, the more particular first."""


def card_of(name: str) -> Card | None:
    """None of a card that is not in the list: give its rates by hand."""
    words = name.upper().replace("-", " ").split()
    return next(
        (card for part, card in CARDS.items() if set(part.split()) <= set(words)),
        None,
    )


def visual_tokens(frames: int, size: tuple[int, int]) -> int:
    """Two frames are one temporal patch. Without the tokens of its time."""
    return -(-frames // 2) * (size[0] // PATCH_PX) * (size[1] // PATCH_PX)


def prefill_operations(shape: Shape, prompt: int, frames: int, size: tuple[int, int]) -> float:
    """A multiplication and an addition each count; attention within a frame and over the text."""
    visual = visual_tokens(frames, size)
    patches = 4 * visual
    in_frame = 4 * (size[0] // PATCH_PX) * (size[1] // PATCH_PX)
    vision = 2 * patches * shape.vision_parameters
    vision += 4 * patches * in_frame * shape.vision_hidden * shape.vision_layers
    merger = 2 * visual * shape.merger_parameters
    text = 2 * prompt * shape.text_parameters
    text += 2 * prompt * prompt * shape.heads * shape.head_dim * shape.layers  # causal: half
    return float(vision + merger + text + 2 * shape.vocabulary * shape.hidden)


def floors(
    shape: Shape, card: Card, prompt: int, frames: int, size: tuple[int, int], at_once: int
) -> tuple[float, float]:
    """Seconds of prefill for all queries together; seconds of one decoding step for all.

    A step reads all weights once, and the keys and values of every query.
    """
    prefill_s = at_once * prefill_operations(shape, prompt, frames, size) / (card.tflops * 1e12)
    weights = 2 * (shape.text_parameters + shape.vocabulary * shape.hidden)
    step_s = (weights + at_once * prompt * shape.cache_bytes) / (card.gb_s * 1e9)
    return prefill_s, step_s
