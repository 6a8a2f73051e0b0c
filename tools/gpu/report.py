"""The report for people: a Markdown table, and a sentence on what was measured."""

from __future__ import annotations

from typing import Any

_COLUMNS = {
    "frames": ("pictures", 1.0, 0),
    "at_once": ("at once", 1.0, 0),
    "visual_tokens": ("visual tokens", 1.0, 0),
    "prompt_tokens": ("prompt tokens", 1.0, 0),
    "first_token_s": ("first word, s", 1.0, 3),
    "engine_prefill_s": ("prefill by the engine, s", 1.0, 3),
    "floor_prefill_s": ("floor, s", 1.0, 3),
    "token_s": ("a token, ms", 1000.0, 2),
    "floor_token_s": ("floor, ms", 1000.0, 2),
    "tokens_per_s": ("tokens a second, all", 1.0, 1),
    "peak_gb": ("peak memory, GB", 1.0, 1),
}


def markdown(report: dict[str, Any]) -> str:
    """As it may stand in docs/performance.md."""
    shown = {
        name: column
        for name, column in _COLUMNS.items()
        if any(row.get(name) is not None for row in report["rows"])
    }
    lines = [sentence(report), ""]
    lines.append("| " + " | ".join(title for title, _, _ in shown.values()) + " |")
    lines.append("|---" * len(shown) + "|")
    for row in report["rows"]:
        cells = [
            "-" if row.get(name) is None else f"{row[name] * scale:.{digits}f}"
            for name, (_, scale, digits) in shown.items()
        ]
        lines.append("| " + " | ".join(cells) + " |")
    if report["floor_of"] is not None:
        rates = report["floor_of"]
        lines += ["", f"Floor: the arithmetic at {rates['tflops']:g} TFLOP/s and "
                      f"{rates['gb_s']:g} GB/s, of all queries together."]  # fmt: skip
    return "\n".join(lines)


def sentence(report: dict[str, Any]) -> str:
    """What it ran on and what its times are."""
    width, height = report["picture"]
    engine = report["engine"]
    version = f" {report['engine_version']}" if report["engine_version"] else ""
    if engine == "endpoint":
        where = "A server that ran already, its model and device as it has them"
    else:
        device = report["device"]
        on = f"on {device} ({report['device_gb']:g} GB)" if device else "on a CPU"
        what = "Qwen3-VL-2B's architecture" if report["architecture"] == "2B" else (
            "a tiny model, whose times say nothing of a real one,"
        )  # fmt: skip
        where = f"{what[0].upper()}{what[1:]} with random weights {on}, by {engine}{version}"
    told = any(row.get("peak_gb") is not None for row in report["rows"])
    memory = {
        "vllm": " Peak memory is what the server holds, its reserved cache included.",
        "transformers": " Peak memory is what torch allocated.",
        "endpoint": " Peak memory is that of this machine's first GPU, whoever uses it.",
    }
    return (
        f"{where}; pictures of {width}x{height}, {report['output_tokens']} tokens of answer each. "
        "First word: from the question to the slowest answer's first token."
        + (memory[engine] if told else "")
    )
