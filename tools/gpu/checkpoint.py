"""A checkpoint's folder without weights: Qwen3-VL's architecture, processors and a tokenizer.

Run with an interpreter that has transformers: ``python -m tools.gpu.checkpoint OUT [--tiny]``.
vLLM fills in random weights itself (``--load-format dummy``). The tokenizer is a small one that
learns its words from the product's prompts, filled up to the real vocabulary: what a prompt costs
in words is near the truth, what it costs in pictures is exact.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import transformers
from tokenizers import AddedToken

from tests.contract.tiny_qwen3vl import processor, tokenizer
from tools.gpu.arithmetic import QWEN3_VL_2B, TINY, Shape

CONTEXT = 262_144
VIDEO_BLOCKS = 32_768
"""Of 32x32 pixels in a whole video: 128 pictures of 640x352. As shipped it is 24 576, 110 pictures,
which the product never passes."""


def configuration(shape: Shape, ids: dict[str, int]) -> transformers.Qwen3VLConfig:
    """Of the given sizes."""
    half = shape.head_dim // 2
    side = (half * 5) // 16  # 24, 20, 20 of 64
    text = {
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "max_position_embeddings": CONTEXT,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 5_000_000.0,
            "mrope_section": [half - 2 * side, side, side],
            "mrope_interleaved": True,
        },
        "tie_word_embeddings": True,
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
    }
    vision = {
        "depth": shape.vision_layers,
        "hidden_size": shape.vision_hidden,
        "intermediate_size": shape.vision_intermediate,
        "num_heads": shape.vision_heads,
        "patch_size": 16,
        "temporal_patch_size": 2,
        "spatial_merge_size": 2,
        "out_hidden_size": shape.hidden,
        "num_position_embeddings": shape.positions,
        "deepstack_visual_indexes": list(shape.deepstack),
    }
    return transformers.Qwen3VLConfig(
        architectures=["Qwen3VLForConditionalGeneration"],
        text_config=text,
        vision_config=vision,
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
        dtype="bfloat16",
    )


def write(out: Path, shape: Shape) -> None:
    """The folder, complete but for its weights."""
    prompts = Path(__file__).resolve().parents[2] / "monitor" / "query" / "prompts"
    words = tokenizer(path.read_text(encoding="utf-8") for path in sorted(prompts.glob("*.txt")))
    missing = shape.vocabulary - len(words)
    words.add_tokens([AddedToken(f"<|fill_{n}|>", normalized=False) for n in range(missing)])
    ids: dict[str, Any] = {
        name: words.convert_tokens_to_ids(name)
        for name in ("<|im_end|>", "<|endoftext|>", "<|image_pad|>", "<|video_pad|>",
                     "<|vision_start|>", "<|vision_end|>")
    }  # fmt: skip
    made = processor(words, thinking=False)
    made.video_processor.size = {"shortest_edge": 4 * 1024, "longest_edge": VIDEO_BLOCKS * 1024}
    configuration(shape, ids).save_pretrained(out)
    made.save_pretrained(out)
    generation = {"eos_token_id": [ids["<|im_end|>"]], "pad_token_id": ids["<|endoftext|>"]}
    (out / "generation_config.json").write_text(json.dumps(generation))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    write(options.out, TINY if options.tiny else QWEN3_VL_2B)


if __name__ == "__main__":
    main()
