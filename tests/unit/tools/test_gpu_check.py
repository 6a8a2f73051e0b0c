"""tools/gpu_check.py: all of it that needs no GPU, against the fake server of the client."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from monitor.query.serving import SHAPES, Gpu, plan
from tests.vllm_fake import FakeVllm
from tools import gpu_check
from tools.gpu.arithmetic import (
    CARDS,
    QWEN3_VL_2B,
    TINY,
    card_of,
    floors,
    prefill_operations,
    visual_tokens,
)
from tools.gpu.report import markdown
from tools.gpu.served import Answered, CheckError, Round, ask, body, jpegs
from tools.gpu.server import flags, serving

SIZE = (640, 352)
GPU = Gpu("NVIDIA L4", 24.1)


@pytest.fixture(autouse=True)
def _no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither nvidia-smi nor vllm on the path, whatever this machine has."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def program(folder: Path, name: str, text: str) -> None:
    path = folder / "bin" / name
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_the_sizes_are_those_the_flags_are_worked_out_from() -> None:
    shape = SHAPES["2B"]
    assert QWEN3_VL_2B.parameters / 1e9 == pytest.approx(shape.billions, rel=0.01)
    assert QWEN3_VL_2B.cache_bytes == shape.token_bytes
    assert TINY.parameters < 2e6


def test_two_pictures_are_one_patch_of_220_tokens() -> None:
    assert [visual_tokens(frames, SIZE) for frames in (2, 16, 31, 32, 128)] == [
        220, 1760, 3520, 3520, 14_080,
    ]  # fmt: skip


def test_the_floor_is_the_arithmetic() -> None:
    assert prefill_operations(QWEN3_VL_2B, 1000, 0, SIZE) == pytest.approx(
        2 * 1000 * 1.409e9 + 2 * 1e6 * 2048 * 28 + 2 * 151_936 * 2048, rel=0.001
    )
    one, step = floors(QWEN3_VL_2B, CARDS["H100"], 4700, 32, SIZE, 1)
    eight, step_of_eight = floors(QWEN3_VL_2B, CARDS["H100"], 4700, 32, SIZE, 8)
    assert eight == pytest.approx(8 * one)
    assert 0.015 < one < 0.05
    # All weights of the text once, and 0.54 GB of keys and values for each query.
    assert step == pytest.approx((3.44e9 + 4700 * 114_688) / 3.35e12, rel=0.01)
    assert step_of_eight - step == pytest.approx(7 * 4700 * 114_688 / 3.35e12)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("NVIDIA H100 80GB HBM3", "H100"), ("NVIDIA H100 PCIe", "H100 PCIE"),
        ("NVIDIA H200", "H200"), ("NVIDIA L4", "L4"), ("NVIDIA L40S", "L40S"),
        ("NVIDIA A100-SXM4-80GB", "A100 80GB"), ("NVIDIA A100-PCIE-40GB", "A100"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"), ("NVIDIA Quadro P400", None),
    ],
)  # fmt: skip
def test_cards_are_known_by_their_names(name: str, part: str | None) -> None:
    assert card_of(name) == (None if part is None else CARDS[part])


def test_the_pictures_and_their_times_go_as_the_product_sends_them() -> None:
    pictures = jpegs(4, SIZE, seed=3)
    assert len(set(pictures)) == 4
    assert pictures == jpegs(4, SIZE, seed=3)
    sent = body("m", pictures, words="Fixed.", output=9, nonce="n1")
    assert sent["media_io_kwargs"]["video"] == {
        "fps": 1000, "frames_indices": [0, 200, 800, 1000], "total_num_frames": 1001,
        "num_frames": -1, "do_sample_frames": False,
    }  # fmt: skip
    assert sent["messages"][0]["content"].startswith("n1\n")
    (video, _) = sent["messages"][1]["content"]
    assert video["video_url"]["url"].startswith("data:video/jpeg;base64,/9j/")
    assert video["video_url"]["url"].count(",") == 4
    assert (sent["max_completion_tokens"], sent["ignore_eos"]) == (9, True)


def test_the_flags_are_the_products_with_random_weights() -> None:
    made = flags(Path("/x/model"), [GPU], 8123)
    assert made[0] == "/x/model"
    assert made[1:-4] == list(
        plan("Qwen/Qwen3-VL-2B-Instruct", [GPU], port=8123).arguments[1:]
    )  # fmt: skip
    assert made[-4:] == ["--served-model-name", "gpu-check", "--load-format", "dummy"]
    assert "--trust-request-mm-kwargs" in flags(Path("/x/model"), [], 8123)


def test_without_a_gpu_it_says_so_and_measures_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu_check.main([]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "no NVIDIA GPU here" in told.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--frames", "15"], ["--frames", "256"], ["--frames", "many"], ["--at-once", "0"],
        ["--output", "1"], ["--engine", "triton"], ["--tflops", "100"],
    ],
)  # fmt: skip
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        gpu_check.main(arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_what_is_missing_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "nvidia-smi", "print('NVIDIA L4, 23034')")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    assert gpu_check.main(["--engine", "vllm"]) == 1
    assert "vLLM is not installed beside this Python" in capsys.readouterr().err


def test_a_server_that_does_not_come_up_shows_its_log(tmp_path: Path) -> None:
    program(tmp_path, "vllm", "import sys; sys.exit('no kernel image for this device')")
    with (
        pytest.raises(CheckError, match="no kernel image for this device"),
        serving(tmp_path / "model", [GPU], tmp_path / "log"),
    ):
        pytest.fail("it is not up")


def test_a_server_is_ended_with_the_measurement(tmp_path: Path) -> None:
    program(tmp_path, "vllm", (
        "import http.server, sys\n"
        "class H(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self): self.send_response(200); self.end_headers()\n"
        "port = int(sys.argv[sys.argv.index('--port') + 1])\n"
        "http.server.HTTPServer(('127.0.0.1', port), H).serve_forever()\n"
    ))  # fmt: skip
    with serving(tmp_path / "model", [GPU], tmp_path / "log") as endpoint:
        assert endpoint.endswith("/v1")
    with pytest.raises(CheckError):
        ask(endpoint, {}, None)


async def test_a_server_that_runs_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "gpu.json"
    async with FakeVllm() as fake:
        given = ["--endpoint", fake.url, "--frames", "2,4", "--at-once", "1,3", "--out", str(out),
                 "--json"]  # fmt: skip
        assert await asyncio.to_thread(gpu_check.main, given) == 0
        asked = list(fake.requests)
    report: dict[str, Any] = json.loads(out.read_text())
    assert report == json.loads(capsys.readouterr().out)
    assert (report["engine"], report["weights"]) == ("endpoint", "of the server asked")
    assert (report["device"], report["floor_of"]) == (None, None)
    rows = report["rows"]
    assert [(row["frames"], row["at_once"]) for row in rows] == [(2, 1), (2, 3), (4, 1), (4, 3)]
    assert all(row["prompt_tokens"] == 7000 and row["pictures_tokens"] == 0 for row in rows)
    assert all(0 < row["first_token_s"] <= row["wall_s"] for row in rows)
    assert all(row["peak_gb"] is None and row["engine_prefill_s"] is None for row in rows)
    # One without pictures, and for each row one to warm up and the queries themselves.
    assert len(asked) == 1 + 2 * (2 + 4)
    videos = [json.dumps(one["messages"][1]) for one in asked[1:]]
    assert len(set(videos)) == len(videos)  # no cache can have any of them
    assert {one["model"] for one in asked} == {fake.model}


@pytest.mark.parametrize(
    ("fault", "told"),
    [("503", "the server answers 503"), ("error_event", "the server broke off: "),
     ("html", "told no token counts"), ("stops_in_the_middle", "it broke off"),
     ("dead_connection", "RemoteDisconnected")],
)  # fmt: skip
async def test_what_goes_wrong_is_told_in_a_sentence(
    fault: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with FakeVllm() as fake:
        fake.fault = fault
        given = ["--endpoint", fake.url, "--frames", "2", "--at-once", "1"]
        assert await asyncio.to_thread(gpu_check.main, given) == 1
    said = capsys.readouterr()
    assert told in said.err
    assert said.out == ""


def test_rows_say_what_the_slowest_waited_for() -> None:
    done = Round(
        (Answered(0.2, 1.2, 4700, 101), Answered(0.5, 2.5, 4710, 101)), 2.6, 0.15, 1.0, 0.01
    )
    row = gpu_check.served_row(32, 2, 1000, done, 20_000_000_000)
    assert (row["first_token_s"], row["engine_prefill_s"]) == (0.5, 0.15)
    assert row["token_s"] == pytest.approx(2.0 / 100)
    assert row["tokens_per_s"] == pytest.approx(202 / 2.6)
    assert (row["visual_tokens"], row["pictures_tokens"], row["peak_gb"]) == (3520, 3710, 20.0)
    report = {
        "device": "NVIDIA L4", "device_gb": 24.1, "engine": "vllm", "engine_version": "0.32.0",
        "weights": "random", "architecture": "2B", "picture": [640, 352], "output_tokens": 101,
        "floor_of": {"tflops": 121.0, "gb_s": 300.0},
        "rows": [row | {"floor_prefill_s": 0.25, "floor_token_s": 0.0133}],
    }  # fmt: skip
    text = markdown(report)
    assert "random weights on NVIDIA L4 (24.1 GB), by vllm 0.32.0" in text
    assert "| 32 | 2 | 3520 | 4710 | 0.500 | 0.150 | 0.250 | 20.00 | 13.30 | 77.7 | 20.0 |" in text
    assert "its reserved cache included" in text
