"""A real vLLM server on the CPU, for the time of some tests."""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv-vllm"
CACHE = ROOT / ".cache" / "contract"
MODEL = "Qwen/Qwen3-VL-2B-Instruct"
API_KEY = "contract-key"
IMAGES_MAX = 128  # in a question

_START_S = 600.0  # on two busy cores it was 38 to 124
_QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
}

COMMON = (
    "--dtype", "bfloat16", "--enforce-eager", "--max-num-seqs", "2",
    "--max-num-queued-reqs", "4", "--limit-mm-per-prompt", f'{{"image":{IMAGES_MAX},"video":1}}',
    "--structured-outputs-config", '{"backend":"guidance","disable_any_whitespace":true}',
    "--allowed-media-domains", "none.invalid", "--generation-config", "vllm",
    "--api-key", API_KEY, "--max-model-len", "32768", "--enable-prompt-tokens-details",
)  # fmt: skip
# Noise comes a hundred times faster than words: in single tokens its stream drowns the server.
TRUSTED = ("--trust-request-mm-kwargs", "--stream-interval", "16")
THINKING = ("--reasoning-parser", "qwen3")


def _end_with_parent() -> None:
    """SIGTERM, not SIGKILL: the server must end its engine, which would outlive it."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def checkpoint(*, thinking: bool) -> Path:
    """The tiny model, built once for a builder and the prompts it learns its words from."""
    builder = Path(__file__).with_name("tiny_qwen3vl.py")
    corpus = sorted((ROOT / "monitor" / "query" / "prompts").glob("*.txt"))
    digest = hashlib.sha256()
    for part in (builder, *corpus):
        digest.update(part.read_bytes())
    out = CACHE / f"{'thinking' if thinking else 'instruct'}-{digest.hexdigest()[:16]}"
    if not (out / "config.json").is_file():
        out.parent.mkdir(parents=True, exist_ok=True)
        command = [str(VENV / "bin" / "python"), str(builder), str(out)]
        command += ["--thinking"] if thinking else []
        subprocess.run(
            [*command, "--corpus", *map(str, corpus)],
            check=True,
            env=os.environ | _QUIET,
            capture_output=True,
        )
    return out


@dataclass
class VllmServer:
    """``vllm serve`` on a free port of 127.0.0.1. ``log`` keeps what it says."""

    model_dir: Path
    options: Sequence[str]
    log: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    start_s: float = 0.0

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def endpoint(self) -> str:
        return f"{self.root}/v1"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Return once it answers; fail with the end of its log if it does not."""
        command = [
            str(VENV / "bin" / "vllm"), "serve", str(self.model_dir),
            "--served-model-name", MODEL, "--host", "127.0.0.1", "--port", str(self.port),
            *self.options,
        ]  # fmt: skip
        began = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | _QUIET,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - only prctl, before exec
            )
        while time.monotonic() - began < _START_S:
            if self.process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.root}/health", timeout=2.0).status_code == 200:
                    self.start_s = time.monotonic() - began
                    return
            except httpx.HTTPError:
                time.sleep(0.2)
        tail = self.log.read_text(errors="replace")[-3000:]
        self.stop()
        raise RuntimeError(f"vLLM did not come up:\n{tail}")

    def stop(self, sig: int = signal.SIGTERM) -> None:
        """End it and the engine it started; they are one process group."""
        if self.process is None:
            return
        self._signal(sig)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self.process.wait(15)
        self._signal(signal.SIGKILL)
        self.process = None

    def _signal(self, sig: int) -> None:
        assert self.process is not None
        try:
            os.killpg(self.process.pid, sig)
        except ProcessLookupError:
            return

    def metric(self, name: str) -> float:
        """The sum of a Prometheus metric over its labels; 0 where it is absent."""
        lines = httpx.get(f"{self.root}/metrics", timeout=180.0).text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if _is_of(line, name))

    def metric_names(self) -> set[str]:
        """Every metric that is given."""
        lines = httpx.get(f"{self.root}/metrics", timeout=180.0).text.splitlines()
        return {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}

    def decode(self, token_ids: Sequence[int]) -> str:
        """Tokens as the server's own tokenizer spells them."""
        answer = httpx.post(
            f"{self.root}/detokenize",
            json={"model": MODEL, "tokens": list(token_ids)},
            headers={"Authorization": f"Bearer {API_KEY}"},
            timeout=180.0,
        )
        answer.raise_for_status()
        return str(answer.json()["prompt"])


def _is_of(line: str, name: str) -> bool:
    return line.startswith((f"{name}{{", f"{name} "))
