#!/usr/bin/env python3
"""What this machine's GPU makes of the product's windows, without any real weights.

    python tools/gpu_check.py                      # vLLM if it is installed, else transformers
    python tools/gpu_check.py --endpoint http://127.0.0.1:8000/v1     # a server that runs already

Builds Qwen3-VL-2B's architecture with random weights, sends windows of 16 to 128 pictures of
640x352, one and eight at once, and says how many tokens they are, how long prefill and decoding
take and how much memory is in use at the peak, beside the floor that arithmetic sets. Needs this
repository and an environment with vLLM (or torch and transformers); no network. Speed depends on
the architecture and not on what the weights are, as long as each answer has the same length: so
the end of an answer is ignored. It says nothing about how good answers are.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from monitor.errors import ConfigError  # noqa: E402 - found through ROOT
from monitor.query.serving import Gpu  # noqa: E402
from tools.gpu.arithmetic import (  # noqa: E402
    QWEN3_VL_2B,
    TINY,
    Card,
    card_of,
    floors,
    visual_tokens,
)
from tools.gpu.report import markdown  # noqa: E402
from tools.gpu.served import CheckError, Round, ask, ask_together, body, jpegs  # noqa: E402
from tools.gpu.server import (  # noqa: E402
    QUIET,
    found_gpus,
    serving,
    vllm_program,
    watched_memory,
)

SIZE = (640, 352)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 measured; 1 it could not be; 2 wrong usage (argparse)."""
    options = parsed(arguments)
    try:
        report = measured(options)
    except (CheckError, ConfigError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.out is not None:
        options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1) if options.json else markdown(report))
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=_numbers, default=(16, 32, 64, 128), metavar="N,...")
    parser.add_argument("--at-once", type=_numbers, default=(1, 8), metavar="N,...")
    parser.add_argument("--output", type=int, default=128, help="tokens of each answer")
    parser.add_argument("--engine", choices=("auto", "vllm", "transformers"), default="auto")
    parser.add_argument("--endpoint", help="http://.../v1; its key in CAUSEWAY_API_KEY")
    parser.add_argument("--model", help="of --endpoint, as the server names it")
    parser.add_argument("--tiny", action="store_true", help="try the tool itself, without a GPU")
    parser.add_argument("--tflops", type=float, help="dense 16-bit, where the card is not known")
    parser.add_argument("--gb-s", type=float, help="of its memory")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, help="write the JSON here as well")
    options = parser.parse_args(arguments)
    if not 2 <= options.output <= 4096:
        parser.error("--output: 2 to 4096")
    if any(not 2 <= n <= 128 or n % 2 for n in options.frames):
        parser.error("--frames: even numbers from 2 to 128")
    if any(not 1 <= n <= 64 for n in options.at_once):
        parser.error("--at-once: 1 to 64")
    if (options.tflops is None) != (options.gb_s is None):
        parser.error("--tflops and --gb-s go together")
    return options


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """The report: what it ran on, by what, and a row for each kind of window."""
    gpus = found_gpus()
    if not gpus and not options.tiny and options.endpoint is None:
        raise CheckError(
            "no NVIDIA GPU here (nvidia-smi lists none): there is nothing to measure. --tiny tries "
            "the tool itself, --endpoint measures a server elsewhere"
        )
    engine = chosen_engine(options)
    shape = TINY if options.tiny else QWEN3_VL_2B
    card = card_of(gpus[0].name) if gpus and options.endpoint is None else None
    if options.tflops is not None:
        card = Card(options.tflops, options.gb_s)
    report: dict[str, Any] = {
        "device": gpus[0].name if gpus and options.endpoint is None else None,
        "device_gb": round(gpus[0].memory_gb, 1) if gpus and options.endpoint is None else None,
        "engine": engine,
        "engine_version": _version("transformers" if engine == "transformers" else "vllm"),
        "weights": "of the server asked" if engine == "endpoint" else "random",
        "architecture": "unknown" if engine == "endpoint" else ("tiny" if options.tiny else "2B"),
        "picture": list(SIZE),
        "output_tokens": options.output,
        "floor_of": None if card is None else {"tflops": card.tflops, "gb_s": card.gb_s},
        "rows": [],
    }
    for row in _rows(options, engine, gpus):
        if card is not None and engine != "endpoint":
            prefill_s, step_s = floors(
                shape, card, row["prompt_tokens"], row["frames"], SIZE, row["at_once"]
            )
            row |= {"floor_prefill_s": prefill_s, "floor_token_s": step_s}
        report["rows"].append(row)
    return report


def chosen_engine(options: argparse.Namespace) -> str:
    """What is asked for or is there; ``CheckError`` says what is missing."""
    if options.endpoint is not None:
        return "endpoint"
    if options.engine != "transformers" and vllm_program() is not None:
        return "vllm"
    if options.engine == "vllm":
        raise CheckError("vLLM is not installed beside this Python: pip install 'causeway[gpu]'")
    missing = [n for n in ("torch", "transformers", "PIL") if importlib.util.find_spec(n) is None]
    if missing:
        raise CheckError(
            f"neither vLLM nor {', '.join(missing)} is installed for {sys.executable}: "
            "pip install 'causeway[gpu]'"
        )
    return "transformers"


def _rows(
    options: argparse.Namespace, engine: str, gpus: Sequence[Gpu]
) -> Iterator[dict[str, Any]]:
    if engine == "endpoint":
        yield from _served_rows(options, options.endpoint, options.model or _only(options.endpoint))
        return
    with tempfile.TemporaryDirectory(prefix="gpu-check-") as scratch:
        folder = Path(scratch) / "model"
        _build(folder, tiny=options.tiny)
        if engine == "transformers":
            yield from _direct_rows(options, folder, "cuda" if gpus else "cpu")
            return
        with serving(folder, gpus, Path(scratch) / "vllm.log") as endpoint:
            yield from _served_rows(options, endpoint, "gpu-check")


def _served_rows(
    options: argparse.Namespace, endpoint: str, model: str
) -> Iterator[dict[str, Any]]:
    key = os.environ.get("CAUSEWAY_API_KEY")
    words = fixed_part()
    run = f"{time.time_ns():x}"  # a server that runs already may know an earlier run's pictures

    def request(frames: int, name: str) -> dict[str, Any]:
        pictures = jpegs(frames, SIZE, hash_of(run, name))
        return body(model, pictures, words=words, output=options.output, nonce=f"{run}-{name}")

    plain = body(model, (), words=words, output=2, nonce=run)
    without = ask(endpoint, plain, key).prompt_tokens
    for frames in options.frames:
        for at_once in options.at_once:
            ask_together(endpoint, [request(frames, f"warm-{frames}-{at_once}")], key)
            requests = [request(frames, f"{frames}-{at_once}-{n}") for n in range(at_once)]
            with watched_memory() as peak:
                done = ask_together(endpoint, requests, key)
            yield served_row(frames, at_once, without, done, peak.bytes)


def served_row(
    frames: int, at_once: int, without: int, done: Round, peak_bytes: int | None
) -> dict[str, Any]:
    """Seconds as the client saw them, and as the engine counts them."""
    output = sum(one.output_tokens for one in done.answers)
    first = max(one.first_s for one in done.answers)
    steps = max(one.output_tokens for one in done.answers) - 1
    decode_s = max(one.whole_s - one.first_s for one in done.answers)
    prompt = max(one.prompt_tokens for one in done.answers)
    return {
        "frames": frames,
        "at_once": at_once,
        "prompt_tokens": prompt,
        "visual_tokens": visual_tokens(frames, SIZE),
        "pictures_tokens": prompt - without,  # as the server counts, with the pairs' times
        "first_token_s": first,
        "engine_prefill_s": done.prefill_s,
        "engine_decode_s": done.decode_s,
        "engine_queue_s": done.queue_s,
        "token_s": decode_s / steps if steps else None,
        "tokens_per_s": output / done.wall_s,
        "wall_s": done.wall_s,
        "peak_gb": None if peak_bytes is None else peak_bytes / 1e9,
    }


def _direct_rows(
    options: argparse.Namespace, folder: Path, device: str
) -> Iterator[dict[str, Any]]:
    from tools.gpu.direct import Model

    model, words = Model(folder, device), fixed_part()
    for frames in options.frames:
        for at_once in options.at_once:
            names = [f"{frames}-{at_once}-{n}" for n in range(at_once)]
            batches = [jpegs(frames, SIZE, hash_of("direct", name)) for name in names]
            done = model.run(batches, words, options.output)
            yield {
                "frames": frames,
                "at_once": at_once,
                "prompt_tokens": done.prompt_tokens,
                "visual_tokens": visual_tokens(frames, SIZE),
                "first_token_s": done.prefill_s,
                "token_s": done.decode_s / done.output_tokens,
                "tokens_per_s": at_once * done.output_tokens / (done.prefill_s + done.decode_s),
                "wall_s": done.prefill_s + done.decode_s,
                "peak_gb": None if done.peak_bytes is None else done.peak_bytes / 1e9,
            }


def fixed_part() -> str:
    """The system part of the product's own prompt."""
    path = ROOT / "monitor" / "query" / "prompts" / "incident.en.txt"
    text = path.read_text(encoding="utf-8")
    return text.split("=== system ===")[1].split("=== user ===")[0].strip()


def hash_of(*parts: str) -> int:
    """A seed that is the same in every process."""
    return int.from_bytes(hashlib.sha256("/".join(parts).encode()).digest()[:8], "big")


def _build(folder: Path, *, tiny: bool) -> None:
    command = [sys.executable, "-m", "tools.gpu.checkpoint", str(folder)]
    command += ["--tiny"] if tiny else []
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | QUIET, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CheckError(f"the architecture could not be written:\n{done.stderr[-2000:]}")


def _only(endpoint: str) -> str:
    try:
        with urllib.request.urlopen(f"{endpoint.rstrip('/')}/models", timeout=30) as answer:
            return str(json.load(answer)["data"][0]["id"])
    except (urllib.error.URLError, OSError, ValueError, LookupError, TypeError) as error:
        raise CheckError(f"{endpoint} lists no model ({error}): give --model") from error


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
