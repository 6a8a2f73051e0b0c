"""vLLM started for a measurement, and what nvidia-smi tells meanwhile."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from monitor.query.serving import DEFAULT_MODEL, Gpu, parse_gpus, plan
from tools.gpu.served import CheckError

START_S = 900.0
QUIET = {
    "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}  # fmt: skip


@contextlib.contextmanager
def serving(folder: Path, gpus: Sequence[Gpu], log: Path) -> Iterator[str]:
    """vLLM with the product's flags and random weights; ``CheckError`` with the end of its log."""
    port = _free_port()
    command = [str(vllm_program()), "serve", *flags(folder, gpus, port)]
    print(f"starting {' '.join(command)}", file=sys.stderr)
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            env=os.environ | QUIET | ({} if gpus else {"VLLM_CPU_KVCACHE_SPACE": "1"}),
        )  # fmt: skip
    try:
        until_s = time.monotonic() + START_S
        while time.monotonic() < until_s and process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    break
            except (urllib.error.URLError, OSError):
                time.sleep(1.0)
        else:
            tail = log.read_text(errors="replace")[-3000:]
            raise CheckError(f"vLLM did not come up:\n{tail}")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        for one in (signal.SIGTERM, signal.SIGKILL):  # the server and its engine are one group
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, one)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)


def flags(folder: Path, gpus: Sequence[Gpu], port: int) -> list[str]:
    """As ``causeway vllm`` would start the 2B model on this card; on a CPU as few as will do."""
    more = ["--served-model-name", "gpu-check", "--load-format", "dummy"]
    if not gpus:
        return [
            str(folder), "--host", "127.0.0.1", "--port", str(port), "--dtype", "bfloat16",
            "--enforce-eager", "--max-num-seqs", "8", "--max-model-len", "32768",
            "--limit-mm-per-prompt", '{"image":16,"video":1}', "--trust-request-mm-kwargs", *more,
        ]  # fmt: skip
    arguments = list(plan(DEFAULT_MODEL, list(gpus[:1]), port=port).arguments)
    return [str(folder), *arguments[1:], *more]


def found_gpus() -> list[Gpu]:
    """As nvidia-smi lists them."""
    return parse_gpus(smi("name,memory.total"))


def smi(fields: str) -> str:
    """Its lines; empty where there is no driver."""
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


class Peak:
    """The most memory of the first GPU in use; None where nvidia-smi tells nothing."""

    def __init__(self) -> None:
        self.bytes: int | None = None
        self.ended = threading.Event()

    def watch(self) -> None:
        """Until ``ended``."""
        while not self.ended.wait(0.2):
            used = smi("memory.used").split("\n")[0].strip()
            if not used.isdigit():
                return
            self.bytes = max(self.bytes or 0, int(used) * 1024 * 1024)


@contextlib.contextmanager
def watched_memory() -> Iterator[Peak]:
    """While the queries run."""
    peak = Peak()
    thread = threading.Thread(target=peak.watch, name="peak-memory")
    thread.start()
    try:
        yield peak
    finally:
        peak.ended.set()
        thread.join()


def vllm_program() -> str | None:
    """Beside this Python, or on the path."""
    beside = Path(sys.executable).with_name("vllm")
    return str(beside) if beside.is_file() else shutil.which("vllm")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
