"""``causeway vllm``: start a server of models with the flags this product needs; or check one."""

from __future__ import annotations

import asyncio
import json
import math
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from monitor.config.endpoints import model_endpoints
from monitor.config.loader import load
from monitor.errors import ConfigError
from monitor.query.plain_http import PlainHttp
from monitor.query.server_check import check, exit_ok
from monitor.query.serving import DEFAULT_MODEL, Gpu, parse_gpus, plan
from workers import exits
from workers.asking.show import plain
from workers.commands.ask import API_KEY

_SMI: Final = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
_SMI_TIMEOUT_S: Final = 20.0
_CONTEXT: Final = (4096, 262_144)  # as query.context_length
_LAST_PORT: Final = 65_535
_MARKS: Final = {"ok": "ok  ", "warn": "warn", "bad": "BAD ", "unknown": "-   "}


@dataclass(frozen=True, slots=True)
class VllmOptions:
    """The command line, as given."""

    model: str | None
    print_only: bool
    check: bool
    endpoint: str | None
    context: int | None
    memory_gb: float | None
    host: str
    port: int
    config: Path
    json_out: bool


def vllm(options: VllmOptions) -> int:
    """Check, print or start."""
    wrong = _wrong(options)
    if wrong:
        print(wrong, file=sys.stderr)
        return exits.USAGE
    if options.check:
        return asyncio.run(_check(options))
    try:
        gpus = _gpus(options.memory_gb)
        chosen = plan(
            options.model or DEFAULT_MODEL, gpus,
            context=options.context, host=options.host, port=options.port,
        )  # fmt: skip
    except ConfigError as error:
        print(error, file=sys.stderr)
        return exits.FAILED
    command = ("vllm", "serve", *chosen.arguments)
    if options.print_only:
        if options.json_out:
            print(json.dumps({"found": [asdict(gpu) for gpu in gpus], **asdict(chosen)}, indent=2))
        else:
            print(shlex.join(command))
            for remark in chosen.remarks:
                print(f"# {remark}", file=sys.stderr)
        return exits.OK
    program = _program()
    if program is None:
        print(
            "vLLM is not installed here: pip install 'causeway[gpu]' (Linux, NVIDIA driver), "
            "or use the container of docker-compose.yml; --print shows the flags",
            file=sys.stderr,
        )
        return exits.FAILED
    print(shlex.join(command), file=sys.stderr)
    # Its signals and its exit status are then the server's own.
    os.execv(program, [program, "serve", *chosen.arguments])


def _wrong(options: VllmOptions) -> str:
    """What of the command line cannot be meant, as a sentence; empty where all can."""
    if options.context is not None and not _CONTEXT[0] <= options.context <= _CONTEXT[1]:
        return f"--context is from {_CONTEXT[0]} to {_CONTEXT[1]} tokens, not {options.context}"
    if not 1 <= options.port <= _LAST_PORT:
        return f"--port is from 1 to {_LAST_PORT}, not {options.port}"
    if options.memory_gb is not None and not 0 < options.memory_gb < math.inf:
        return f"--memory-gb is a GPU's memory, not {options.memory_gb:g}"
    return ""


def _gpus(memory_gb: float | None) -> list[Gpu]:
    """As nvidia-smi lists them, or the one described; ``ConfigError`` says what is missing."""
    if memory_gb is not None:
        return [Gpu("described", memory_gb)]
    try:
        done = subprocess.run(
            _SMI, capture_output=True, text=True, timeout=_SMI_TIMEOUT_S, check=False
        )
    except FileNotFoundError as error:
        raise ConfigError(
            "no NVIDIA GPU: nvidia-smi is not installed, so there is no driver. The product runs "
            "without one (alerts are explained from evidence); --print --memory-gb 24 shows the "
            "flags for another machine"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ConfigError("nvidia-smi gives no answer: the driver hangs") from error
    gpus = parse_gpus(done.stdout)
    if done.returncode or not gpus:
        said = " ".join((done.stdout + done.stderr).split())[:200]
        raise ConfigError(f"nvidia-smi lists no GPU: {said or 'no output'}")
    return gpus


def _program() -> str | None:
    beside = Path(sys.executable).with_name("vllm")
    return str(beside) if beside.is_file() else shutil.which("vllm")


async def _check(options: VllmOptions) -> int:
    endpoint, model, key = options.endpoint, options.model, os.environ.get(API_KEY)
    context = options.context
    if endpoint is None:
        if not options.config.exists():
            print(
                f"no endpoint: give --endpoint http://.../v1, or the streams.yaml that names one "
                f"with --config ({options.config} is not there)",
                file=sys.stderr,
            )
            return exits.USAGE
        config = load(options.config)
        served = model_endpoints(config.query)
        if not served:
            print(
                "no endpoint: give --endpoint http://.../v1, or set query.endpoint", file=sys.stderr
            )
            return exits.USAGE
        endpoint, model = served[0].url, model or served[0].model
        key = None if served[0].api_key is None else served[0].api_key.get_secret_value()
    async with PlainHttp(endpoint, key) as http:
        kept = {} if context is None else {"context": context}
        found = await check(http, model, keyed=bool(key), **kept)
    if options.json_out:
        report = {"ok": exit_ok(found), "findings": [asdict(one) for one in found]}
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        for one in found:
            print(f"{_MARKS[one.state]} {one.name:14} {plain(one.text)}")
            if one.mend:
                print(f"     {'':14} -> {plain(one.mend)}")
    return exits.OK if exit_ok(found) else exits.FAILED
