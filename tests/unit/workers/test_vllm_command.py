"""``causeway vllm`` on machines with and without a GPU, a driver or vLLM."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.query.test_server_check import Reply, good, server
from workers import exits
from workers.commands.vllm import VllmOptions, vllm


def options(**changes: object) -> VllmOptions:
    settings: dict[str, object] = {
        "model": None, "print_only": True, "check": False, "endpoint": None, "context": None,
        "memory_gb": None, "host": "127.0.0.1", "port": 8000, "config": Path("none.yaml"),
        "json_out": False,
    }  # fmt: skip
    return VllmOptions(**(settings | changes))  # type: ignore[arg-type]  # typed by its fields


def smi(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH with nothing but this nvidia-smi on it."""
    folder.mkdir()
    if script:
        program = folder / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("", "no NVIDIA GPU: nvidia-smi is not installed"),
        ("echo No devices were found; exit 6", "nvidia-smi lists no GPU: No devices were found"),
        ("echo NVIDIA GT 710, 2048", "does not fit 1 x 2 GB. What fits: no Qwen3-VL"),
    ],
)
def test_what_is_missing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    script: str, says: str,
) -> None:  # fmt: skip
    smi(tmp_path / "bin", script, monkeypatch)
    assert vllm(options()) == exits.FAILED
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""


def test_the_gpu_found_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    smi(tmp_path / "bin", "echo NVIDIA L4, 23034", monkeypatch)
    assert vllm(options()) == exits.OK
    printed = capsys.readouterr().out
    assert printed.startswith("vllm serve Qwen/Qwen3-VL-2B-Instruct --host 127.0.0.1 --port 8000")
    assert printed.count("\n") == 1
    assert vllm(options(json_out=True)) == exits.OK
    assert json.loads(capsys.readouterr().out)["found"][0]["name"] == "NVIDIA L4"


def test_without_vllm_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    smi(tmp_path / "bin", "echo NVIDIA L4, 23034", monkeypatch)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    assert vllm(options(print_only=False)) == exits.FAILED
    assert "pip install 'causeway[gpu]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"context": -5}, "--context is from 4096 to 262144 tokens, not -5"),
        ({"context": 1}, "--context is from 4096 to 262144 tokens, not 1"),
        ({"context": 10**9}, "--context is from"),
        ({"context": 1, "check": True, "endpoint": "http://127.0.0.1:9/v1"}, "--context is from"),
        ({"port": 99_999_999}, "--port is from 1 to 65535, not 99999999"),
        ({"port": 0}, "--port is from"),
        ({"memory_gb": -1.0}, "--memory-gb is a GPU's memory, not -1"),
        ({"memory_gb": float("nan")}, "--memory-gb is"),
        ({"memory_gb": float("inf")}, "--memory-gb is"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    capsys: pytest.CaptureFixture[str], changes: dict[str, object], says: str
) -> None:
    assert vllm(options(**({"memory_gb": 24.0} | changes))) == exits.USAGE
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""


def test_a_check_of_nothing_says_how_to_name_a_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "streams.yaml"
    assert vllm(options(check=True, config=missing)) == exits.USAGE
    said = capsys.readouterr().err
    assert "give --endpoint http://.../v1" in said
    assert f"({missing} is not there)" in said


def test_a_servers_words_command_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    def hostile(path: str, body: dict[str, Any]) -> Reply:
        if path == "/v1/models":
            return 200, {"data": [{"id": "\x1b]0;mine\x07", "max_model_len": 32_768}]}
        return good(path, body)

    async def checked() -> int:
        async with server(hostile) as endpoint:
            return await asyncio.to_thread(vllm, options(check=True, endpoint=endpoint))

    asyncio.run(checked())
    said = capsys.readouterr().out
    assert "]0;mine" in said
    assert "\x1b" not in said
