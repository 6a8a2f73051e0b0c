"""Build a checkpoint with Qwen3-VL's real architecture and made-up size: random, a few MB.

Run by the contract tests with the interpreter of ``.venv-vllm`` (torch and transformers are not
in the project's own environment):

    .venv-vllm/bin/python tests/contract/tiny_qwen3vl.py OUT [--thinking] [--corpus FILE ...]

A real server loads it, renders the real processor's prompt with it and answers noise under the
requested JSON schema. What the contract is about stays real: the chat format, the vision tokens,
the video processor, its time stamps, interleaved M-RoPE and DeepStack.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import torch
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

CONTEXT = 40_960  # tokens: 128 frames of 640x352 and an answer fit
VOCABULARY = 3_000

# Spelled as in Qwen's vocabulary. The thinking tags are added but not special there: they stay
# in the decoded text, where a reasoning parser looks for them.
END, START_TURN, END_TURN = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
VISION = ("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>")
TAGS = ("<think>", "</think>", "<tool_call>", "</tool_call>")

# One token per digit, as Qwen splits them, so that a time stamp costs what it costs there.
SPLIT = r"\p{N}| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+"

SAMPLE = """\
<0.4 seconds> <12.5 seconds> You watch a fixed camera at a road intersection. Answer in JSON.
{"is_incident": true, "incident_type": "rear_end_collision", "severity": "high", "root_cause": "",
"antecedents": [{"t_s": 11.0, "kind": "brake_light_onset", "actor": "", "text": ""}], "chain": {}}
"""

TEMPLATE = """\
{%- for message in messages %}
{{- '<|im_start|>' + message['role'] + '\n' }}
{%- if message['content'] is string %}
{{- message['content'] }}
{%- else %}
{%- for part in message['content'] %}
{%- if part['type'] in ['image', 'image_url'] %}
{{- '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- elif part['type'] in ['video', 'video_url'] %}
{{- '<|vision_start|><|video_pad|><|vision_end|>' }}
{%- elif part['type'] == 'text' %}
{{- part['text'] }}
{%- endif %}
{%- endfor %}
{%- endif %}
{{- '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\n' + THINK }}
{%- endif %}
"""


def tokenizer(corpus: Iterable[str]) -> transformers.PreTrainedTokenizerFast:
    """A byte-level BPE trained on the texts it will meet, so that prompts keep a sane length."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        min_frequency=1,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    inner.train_from_iterator([SAMPLE, *corpus], trainer)
    special = [END, START_TURN, END_TURN, *VISION]
    inner.add_special_tokens([AddedToken(token, special=True) for token in special])
    inner.add_tokens([AddedToken(token, special=False) for token in TAGS])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        eos_token=END_TURN,
        pad_token=END,
        additional_special_tokens=special,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def processor(
    text: transformers.PreTrainedTokenizerFast, *, thinking: bool
) -> transformers.Qwen3VLProcessor:
    """Qwen3-VL's own image and video processors, the video's pixel budget as it is shipped."""
    common = {
        "patch_size": 16,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    block = 32 * 32  # pixels a visual token stands for
    think = "'<think>\\n'" if thinking else "''"
    return transformers.Qwen3VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(
            size={"shortest_edge": 4 * block, "longest_edge": 4_096 * block}, **common
        ),
        video_processor=transformers.Qwen3VLVideoProcessor(
            size={"shortest_edge": 4 * block, "longest_edge": 24_576 * block}, fps=2, **common
        ),
        tokenizer=text,
        chat_template=TEMPLATE.replace("THINK", think),
    )


def configuration(text: transformers.PreTrainedTokenizerFast) -> transformers.Qwen3VLConfig:
    """Two layers of everything, both with DeepStack."""
    number = text.convert_tokens_to_ids
    width = 64
    language = {
        "vocab_size": len(text),
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "max_position_embeddings": CONTEXT,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 5_000_000.0,
            "mrope_section": [6, 5, 5],  # half of head_dim, over time, height and width
            "mrope_interleaved": True,
        },
        "tie_word_embeddings": True,
        "eos_token_id": number(END_TURN),
        "pad_token_id": number(END),
    }
    vision = {
        "depth": 2,
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_heads": 2,
        "patch_size": 16,
        "temporal_patch_size": 2,
        "spatial_merge_size": 2,
        "out_hidden_size": width,
        "num_position_embeddings": 256,
        "deepstack_visual_indexes": [0, 1],
    }
    return transformers.Qwen3VLConfig(
        architectures=["Qwen3VLForConditionalGeneration"],
        text_config=language,
        vision_config=vision,
        image_token_id=number("<|image_pad|>"),
        video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
        tie_word_embeddings=True,
    )


def build(out: Path, corpus: Iterable[str], *, thinking: bool, seed: int) -> None:
    """Write the checkpoint; the same arguments give the same weights."""
    torch.manual_seed(seed)
    text = tokenizer(corpus)
    model = transformers.Qwen3VLForConditionalGeneration(configuration(text)).to(torch.bfloat16)
    model.generation_config = transformers.GenerationConfig(
        do_sample=True,
        temperature=0.7,
        top_p=0.8,
        top_k=20,
        eos_token_id=text.convert_tokens_to_ids([END_TURN, END]),
        pad_token_id=text.pad_token_id,
    )
    model.save_pretrained(out)
    processor(text, thinking=thinking).save_pretrained(out)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--thinking", action="store_true", help="open <think> in the prompt")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, nargs="*", default=[], help="texts to learn from")
    options = parser.parse_args()
    corpus = [path.read_text(encoding="utf-8") for path in options.corpus]
    build(options.out, corpus, thinking=options.thinking, seed=options.seed)


if __name__ == "__main__":
    main()
