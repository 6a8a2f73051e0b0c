"""``causeway eval --answers`` as a person runs it, on made clips and a server of models."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monitor.media.clip import remux
from tests.video import encode, even
from tests.vllm_fake import FakeVllm, good_answer
from workers import exits
from workers.cli import main


@dataclass
class Done:
    code: int
    out: str
    err: str


async def answers(folder: Path, *more: str | Path) -> Done:
    """In a thread of this process: the server that it asks is in our event loop."""
    given = ["causeway", "eval", folder / "catalog.json", "--clips", folder, "--answers",
             "--jobs", "1", "--config", folder / "none.yaml", *more]  # fmt: skip

    def run() -> Done:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [str(one) for one in given])
            with pytest.raises(SystemExit) as ended:
                main()
        return Done(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    return await asyncio.to_thread(run)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of five seconds in which a label, and nothing else, says that two cars met."""
    folder = tmp_path_factory.mktemp("answers")
    units, params = encode(even(100, 50))
    remux(units, params, folder / "crash.mp4")
    event = {"type": "collision", "start_s": 3.0, "peak_s": 3.1, "end_s": 3.5,
             "incident_type": "rear_end_collision", "description": "A car | hits <another>.",
             "antecedents": [{"t_s": 1.0, "kind": "headway", "what": "close"},
                             {"t_s": 2.0, "kind": "hard_brake", "what": "brakes"},
                             {"t_s": 3.0, "what": "contact"}]}  # fmt: skip
    entry = {"file": "crash.mp4", "source_family": "one", "events": [event]}
    (folder / "catalog.json").write_text(json.dumps([entry]))
    return folder


def said(**changes: Any) -> dict[str, Any]:
    steps = [
        {"t_s": 1.4, "kind": "headway", "actor": "car", "text": "It follows closely (E40)."},
        {"t_s": 2.1, "kind": "brake_light_onset", "actor": "van", "text": "It brakes."},
        {"t_s": 4.9, "kind": "other", "actor": "car", "text": "Too late."},
    ]
    return good_answer(antecedents=steps, **changes)


async def test_without_an_alert_there_is_no_answer(made: Path) -> None:
    done = await answers(made, "--json")
    assert (done.code, done.err) == (exits.OK, "")
    document = json.loads(done.out)
    assert document["rendered"] is None
    assert document["real"].keys() == {"evidence"}
    figures = document["real"]["evidence"]
    assert (figures["events"], figures["answered"], figures["reasons"]) == (1, 0.0, {"no_alert": 1})
    assert (figures["within_1s"], figures["within_1s_of_all"]) == (None, 0.0)


async def test_a_model_is_scored_beside_the_measurements_and_blind(made: Path) -> None:
    async with FakeVllm() as fake:
        fake.answer = said(rules=["gen-two-seconds", "nobodys-rule"])
        done = await answers(
            made, "--about", "label", "--endpoint", fake.url, "--blind", "--frames", "8", "--json"
        )
        asked = [request["messages"] for request in fake.requests]
    assert done.code == exits.OK, done.err
    document = json.loads(done.out)
    assert document["real"].keys() == {"evidence", "model", "blind"}
    model = document["real"]["model"]
    assert (model["answered"], model["antecedents_labelled"]) == (1.0, 2)
    assert model["time_error_s"] == pytest.approx((0.4 + 0.1) / 2)
    assert (model["within_1s"], model["all_within_1s"], model["kind"]) == (1.0, 1.0, 1.0)
    assert (model["type"], model["type_exact"], model["json_valid"]) == (1.0, 1.0, 1.0)
    assert (model["rules_valid"], model["measurements_valid"]) == (0.5, 0.0)  # E40 of nothing
    assert model["supported"] == 0.0  # nothing was measured in this clip
    assert [json.dumps(one).count("data:video/jpeg") for one in asked] == [1, 0]
    (blind,) = (one for one in document["cases"] if one["variant"] == "blind")
    assert blind["model"]["frames"] == 0


async def test_a_report_shows_stated_and_labelled_times_side_by_side(
    made: Path, tmp_path: Path
) -> None:
    async with FakeVllm() as fake:
        fake.answer = said(root_cause="It was <b>too close</b> | really.")
        places = ("--report", tmp_path / "out", "--html", tmp_path / "a.html")
        done = await answers(made, "--about", "label", "--endpoint", fake.url, *places)
    assert done.code == exits.OK, done.err
    text = (tmp_path / "out" / "report.md").read_text()
    assert "| 1.40 s, headway | 1.00 s, close | +0.40 s |" in text
    assert "| 4.90 s, other | - | - |" in text
    assert "‹b›" in text
    assert "<b>" not in text
    named = [line.split("(")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert len(named) == 2  # from evidence: the labelled times alone
    assert all((tmp_path / "out" / name).read_bytes()[:2] == b"\xff\xd8" for name in named)
    assert json.loads((tmp_path / "out" / "report.json").read_text())["format"] == 1
    page = (tmp_path / "a.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2
    assert "<b>" not in page
    assert "1.40 s, headway" in page
    assert "each answer" in done.out


@pytest.mark.parametrize(
    ("fault", "reason", "came"),
    [("broken_json", "malformed", 1), ("wrong_schema", "schema", 1), ("401", "", 0),
     ("html", "malformed", 1)],
)  # fmt: skip
async def test_what_a_model_did_not_say_is_told_and_not_scored(
    made: Path, fault: str, reason: str, came: int
) -> None:
    async with FakeVllm() as fake:
        fake.fault = fault
        done = await answers(made, "--about", "label", "--endpoint", fake.url, "--json")
    model = json.loads(done.out)["real"]["model"]
    assert (model["answered"], model["time_error_s"], model["type_of"]) == (0.0, None, 0)
    assert next(iter(model["reasons"])).startswith(reason)
    assert model["json_valid_of"] == came


async def test_an_answer_that_had_to_be_mended_is_not_valid_json(made: Path) -> None:
    async with FakeVllm() as fake:
        fake.answer = "```json\n" + json.dumps(said())[:-2]
        done = await answers(made, "--about", "label", "--endpoint", fake.url, "--json")
    model = json.loads(done.out)["real"]["model"]
    assert (model["answered"], model["json_valid"]) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--blind",), "--blind: there is no model to ask"),
        (("--deadline-s", "0"), "--deadline-s is from 1 to 3600"),
        (("--lead-in", "long"), "--lead-in: one of"),
        (("--frames", "-4", "--endpoint", "http://127.0.0.1:9/v1"), "--frames"),
    ],
)
async def test_wrong_options(made: Path, more: tuple[str, ...], told: str) -> None:
    done = await answers(made, *more)
    assert done.code == exits.USAGE
    assert told in done.err


async def test_a_report_is_not_written_into_a_source_tree(made: Path, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    done = await answers(made, "--report", tmp_path / "out")
    assert done.code == exits.FAILED
    assert "--report" in done.err
    assert "lies in the source tree" in done.err
    assert not (tmp_path / "out").exists()
