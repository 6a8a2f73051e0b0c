"""Flags for a GPU and a model: what fits, what does not, and what would."""

from __future__ import annotations

import json

import pytest

from monitor.errors import ConfigError
from monitor.query.serving import DEFAULT_MODEL, SHAPES, Gpu, Plan, parse_gpus, plan, shape_of


def gpus(memory_gb: float, count: int = 1) -> list[Gpu]:
    return [Gpu("a card", memory_gb)] * count


def option(found: Plan, name: str) -> str:
    return found.arguments[found.arguments.index(name) + 1]


def test_nvidia_smis_lines() -> None:
    found = parse_gpus("NVIDIA L4, 23034\nNVIDIA H100 80GB HBM3, 81559\nno devices were found\n")
    assert [gpu.name for gpu in found] == ["NVIDIA L4", "NVIDIA H100 80GB HBM3"]
    assert found[0].memory_gb == pytest.approx(24.15, abs=0.01)
    assert parse_gpus("") == []


@pytest.mark.parametrize("memory_gb", [24, 48, 80, 141])
def test_the_default_model_gets_what_the_product_needs_on_every_card(memory_gb: float) -> None:
    found = plan(DEFAULT_MODEL, gpus(memory_gb))
    assert found.context >= 32_768
    assert found.at_once >= 4
    for flag in ("--trust-request-mm-kwargs", "--enable-prompt-tokens-details"):
        assert flag in found.arguments
    assert json.loads(option(found, "--structured-outputs-config")) == {
        "backend": "guidance", "disable_any_whitespace": True,
    }  # fmt: skip
    assert json.loads(option(found, "--limit-mm-per-prompt"))["video"] == 1
    assert option(found, "--allowed-media-domains") == "none.invalid"
    assert option(found, "--host") == "127.0.0.1"
    assert "--reasoning-parser" not in found.arguments, "an Instruct model's answer would vanish"


def test_more_memory_never_means_less(  # context, then queries at once
) -> None:
    sizes = [plan(DEFAULT_MODEL, gpus(gb)) for gb in (24, 48, 80, 141)]
    assert [one.context for one in sizes] == sorted(one.context for one in sizes)
    assert [one.at_once for one in sizes] == sorted(one.at_once for one in sizes)


def test_a_thinking_checkpoint_gets_its_parser() -> None:
    found = plan("Qwen/Qwen3-VL-8B-Thinking", gpus(48))
    assert option(found, "--reasoning-parser") == "qwen3"


def test_what_does_not_fit_says_what_would() -> None:
    with pytest.raises(ConfigError, match=r"30B-A3B-Instruct does not fit 1 x 24 GB.*2B, 4B, 8B$"):
        plan("Qwen/Qwen3-VL-30B-A3B-Instruct", gpus(24))
    with pytest.raises(ConfigError, match="with a context of 262144"):
        plan(DEFAULT_MODEL, gpus(24), context=262_144)
    with pytest.raises(ConfigError, match="no Qwen3-VL"):
        plan(DEFAULT_MODEL, gpus(6))


def test_several_cards_are_used_together_where_one_is_too_small() -> None:
    found = plan("Qwen/Qwen3-VL-32B-Instruct", gpus(48, 2))
    assert found.gpus == 2
    assert option(found, "--tensor-parallel-size") == "2"
    assert plan(DEFAULT_MODEL, gpus(24, 2)).gpus == 1


def test_every_size_is_known_by_its_name_and_no_other() -> None:
    for size, shape in SHAPES.items():
        for suffix in ("Instruct", "Thinking", "Instruct-FP8"):
            assert shape_of(f"Qwen/Qwen3-VL-{size}-{suffix}") is shape
    with pytest.raises(ConfigError, match="name one as in"):
        shape_of("Qwen/Qwen2.5-VL-7B-Instruct")
