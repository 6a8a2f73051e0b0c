"""The command line: what it prints, its exit status, and that help is quick."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.detecting import sees_hues
from workers import exits
from workers.commands.bench import bench, names
from workers.commands.check import config_schema

ROOT = Path(__file__).resolve().parents[2]
GOOD = "site: {id: a}\ncameras:\n  - {id: one, url: 'rtsp://u:hunter2@127.0.0.1:1/x'}\n"


def causeway(
    *arguments: str | Path, cwd: Path = ROOT, **environ: str
) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("CAUSEWAY")}
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env={**env, "PYTHONPATH": str(ROOT), **environ},
    )


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "streams.yaml"
    path.write_text(GOOD)
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.yaml"
    path.write_text(GOOD + "mqtt: {hots: x}\nredis: {url: 'http://u:hunter2@h'}\n")
    return path


def test_check_says_that_a_file_is_in_order(good: Path) -> None:
    done = causeway("check", good)
    assert (done.returncode, done.stderr) == (exits.OK, "")
    assert done.stdout == f"{good}: in order; site a, 1 camera\n"


def test_check_refuses_masks_that_leave_nothing(tmp_path: Path) -> None:
    path = tmp_path / "streams.yaml"
    path.write_text(GOOD.rstrip("}\n") + ", masks: [[[0, 0], [1, 0], [1, 1], [0, 1]]]}\n")
    done = causeway("check", path)
    assert done.returncode == exits.CONFIG
    assert f"{path}:3:" in done.stdout
    assert "cameras[0].masks: together they cover the picture" in done.stdout
    path.write_text(GOOD.rstrip("}\n") + ", masks: [[[0, 0], [1, 0], [1, 0.5], [0, 0.5]]]}\n")
    assert causeway("check", path).returncode == exits.OK


def test_check_prints_every_problem_and_fails(bad: Path) -> None:
    done = causeway("check", bad)
    assert done.returncode == exits.CONFIG
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{bad}:4:8: mqtt.hots: there is no such key; did you mean `host`?")
    assert lines[1].startswith(f"{bad}:5:9: redis.url: must start with redis://")
    assert lines[2].startswith("2 problems.")


def test_check_as_json(bad: Path) -> None:
    done = causeway("check", "--json", bad)
    report = json.loads(done.stdout)
    assert done.returncode == exits.CONFIG
    assert report["ok"] is False
    assert report["problems"][0] == {
        "source": str(bad),
        "line": 4,
        "column": 8,
        "setting": "mqtt.hots",
        "message": "there is no such key; did you mean `host`?",
    }


def test_check_opens_the_detectors_and_says_what_they_are(good: Path) -> None:
    sees_hues(good.parent / "own.onnx")
    good.write_text(GOOD + "detector:\n  model: own.onnx\n  budget_ms: 10000\n")
    done = causeway("check", good)
    assert (done.returncode, done.stderr) == (exits.OK, "")
    first, second = done.stdout.splitlines()
    assert "in order" in first
    assert second.startswith("detector.model: yolox for 640x384 on the CPU, ")
    assert second.endswith(" ms per picture")


def test_check_says_what_is_wrong_with_a_detector_and_where(good: Path) -> None:
    (good.parent / "own.onnx").write_text("no model")
    good.write_text(
        "site: {id: a}\n"
        "cameras:\n"
        "  - id: one\n"
        "    url: rtsp://127.0.0.1:1/x\n"
        "    detector: {model: own.onnx}\n"
        "detector:\n"
        "  model: elsewhere.onnx\n"
    )
    done = causeway("check", good)
    assert (done.returncode, done.stderr) == (exits.CONFIG, "")
    first, second, last = done.stdout.splitlines()
    assert second.startswith(f"{good}:7:3: detector.model: {good.parent}/elsewhere.onnx: there is")
    assert first.startswith(f"{good}:5:16: cameras[0].detector.model: ")
    assert "cannot be opened as an ONNX model" in first
    assert last.startswith("2 problems.")


def test_the_configuration_is_streams_yaml_here_or_what_the_environment_names(
    good: Path, tmp_path: Path
) -> None:
    assert causeway("check", cwd=tmp_path).returncode == exits.OK
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = causeway("check", cwd=elsewhere)
    assert done.returncode == exits.CONFIG
    assert "No such file" in done.stdout
    assert causeway("check", cwd=elsewhere, CAUSEWAY_CONFIG=str(good)).returncode == exits.OK


@pytest.mark.parametrize("command", ["run", "ingest", "dashboard", "health"])
def test_a_wrong_file_ends_any_command_with_its_problems(bad: Path, command: str) -> None:
    extra = ["ingest"] if command == "health" else []
    done = causeway(command, *extra, "--config", bad)
    assert done.returncode == exits.CONFIG
    assert "did you mean `host`?" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


def test_the_schema_of_the_configuration_accepts_what_the_loader_accepts(good: Path) -> None:
    done = causeway("schema", "config")
    schema = json.loads(done.stdout)
    assert schema == config_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    camera = {"id": "one", "url": "rtsp://h/"}
    assert validator.is_valid({"site": {"id": "a"}, "cameras": [camera]})
    assert not validator.is_valid({"site": {"id": "a"}, "cameras": []})
    assert not validator.is_valid({"site": {"id": "a"}, "cameras": [camera], "mqt": {}})


def test_the_schema_of_alerts_is_the_packaged_one() -> None:
    packaged = json.loads((ROOT / "monitor" / "alert" / "alert.v1.schema.json").read_text())
    assert json.loads(causeway("schema", "alert").stdout) == packaged


def test_wrong_usage() -> None:
    assert causeway("nonsense").returncode == exits.USAGE
    assert causeway("schema", "nonsense").returncode == exits.USAGE
    done = causeway("bench", "nonsense")
    assert done.returncode == exits.USAGE
    assert "there is no bench 'nonsense'" in done.stderr


def test_help_names_every_command_and_the_exit_status() -> None:
    done = causeway("--help", COLUMNS="200")
    assert done.returncode == exits.OK
    for command in (
        "run", "demo", "ingest", "watch", "analyse", "publish", "dashboard", "check", "schema",
        "doctor", "health", "bench",
    ):  # fmt: skip
        assert command in done.stdout
    assert "3 streams.yaml is wrong" in done.stdout


def test_the_command_line_imports_nothing_heavy() -> None:
    code = (
        "import sys, workers.cli;"
        "heavy = {'av', 'cv2', 'numpy', 'nicegui', 'redis', 'openai', 'sqlalchemy', 'aiortc',"
        " 'amqtt', 'pydantic'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


class TestBench:
    @pytest.fixture
    def probe(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
        import workers.bench

        (tmp_path / "probe_of_options.py").write_text(
            "def main(json_out: bool = False, cameras: list[int] | None = None,"
            " length_s: float = 1.0, fast: bool = False) -> int:\n"
            "    print(json_out, cameras, length_s, fast)\n"
            "    return 0\n"
        )
        monkeypatch.setattr(workers.bench, "__path__", [*workers.bench.__path__, str(tmp_path)])
        return "probe_of_options"

    def test_benches_are_found_by_name(self, probe: str) -> None:
        assert probe in names()

    def test_options_become_typed_arguments(
        self, probe: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        options = ["--cameras", "1,8,24", "--length-s=2.5", "--fast"]
        assert bench(probe, options, json_out=True) == 0
        assert capsys.readouterr().out == "True [1, 8, 24] 2.5 True\n"

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--length-s", "long"], "--length-s: "),
            (["--lenght-s", "1"], "it takes: --cameras, --length-s, --fast"),
            (["--length-s"], "needs a value"),
        ],
    )
    def test_wrong_options_are_said(
        self, probe: str, capsys: pytest.CaptureFixture[str], options: list[str], words: str
    ) -> None:
        assert bench(probe, options, json_out=False) == exits.USAGE
        assert words in capsys.readouterr().err


def test_a_bench_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("query-load", ["--options"], json_out=False) == exits.OK
    told = capsys.readouterr().out
    assert "bench query-load" in told.splitlines()[0]
    assert "--cameras (default: 100)" in told.splitlines()
