"""``causeway eval`` from the command line, on made clips and on real ones."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import CatalogueError
from monitor.media.clip import remux
from tests.unit.test_cli import causeway
from tests.video import encode, even
from workers import exits
from workers.bench.peers import main as peers
from workers.evaluation.catalogue import load
from workers.evaluation.compare import differences
from workers.evaluation.figures import Run
from workers.evaluation.found import Found, Judged, Replay
from workers.evaluation.replay import Settings, replay
from workers.evaluation.report import write
from workers.evaluation.result import result
from workers.evaluation.running import run_all

HEADLINE = (
    "detection_rate", "lookback_rate", "alert_rate", "chance_rate", "nuisance_per_camera_hour",
    "alert_nuisance_per_camera_hour",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two clips of five seconds, an empty crash and a normal one, and labels."""
    folder = tmp_path_factory.mktemp("catalogue")
    units, params = encode(even(100, 50))
    for name in ("crash.mp4", "normal.mp4"):
        remux(units, params, folder / name)
    event = {"type": "collision", "start_s": 3.0, "peak_s": 3.1, "end_s": 3.5,
             "box": [0.4, 0.4, 0.2, 0.2]}  # fmt: skip
    entries = [
        {"file": "crash.mp4", "source_family": "one", "duration_s": 5.0, "events": [event]},
        {"file": "normal.mp4", "source_family": "two", "duration_s": 5.0, "events": []},
    ]
    (folder / "catalog.json").write_text(json.dumps(entries))
    return folder


def evaluated(
    folder: Path, *more: str | Path, catalogue: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return causeway(
        "eval", catalogue or folder / "catalog.json", "--clips", folder,
        "--no-components", "--jobs", "1", *more,
    )  # fmt: skip


def test_json_has_the_figures_and_every_clip(made: Path) -> None:
    done = evaluated(made, "--json", "--phases", "2")
    assert (done.returncode, done.stderr) == (exits.OK, "")
    document = json.loads(done.stdout)
    assert all(name in document for name in HEADLINE)
    assert {"p50", "p80"} <= document["delay_s"].keys()
    assert {"p50", "p80"} <= document["contact_error_s"].keys()
    assert (document["origin"], document["rendered"]) == ("real", None)
    crash, normal = document["per_clip"]
    assert (crash["lead_in"], crash["lead_in_s"]) == ("its first picture, held", 3.0)
    assert (normal["lead_in"], normal["watched_s"]) == ("none", 2.45)
    assert [len(clip["phases"]) for clip in (crash, normal)] == [2, 2]
    assert len(crash["events"][0]["found"]) == 2
    assert document["cost"]["ms_per_picture"] > 0


def test_the_table_says_which_clips_had_a_lead_in(made: Path) -> None:
    done = evaluated(made, "--phases", "1", "--only", "crash")
    assert done.returncode == exits.OK
    assert "its first picture, held (3.0 s)" in done.stdout
    assert "normal.mp4" not in done.stdout


def test_two_runs_are_compared_and_drawn(made: Path, tmp_path: Path) -> None:
    before = evaluated(made, "--json", "--phases", "1")
    (tmp_path / "before.json").write_text(before.stdout)
    done = evaluated(made, "--phases", "1", "--compare", tmp_path / "before.json",
                     "--html", tmp_path / "report.html")  # fmt: skip
    assert done.returncode == exits.OK
    page = (tmp_path / "report.html").read_text()
    assert "miss: collision at 3.00 s" in page
    assert page.count("data:image/jpeg;base64,") >= 5
    assert "http" not in page.replace("charset", "")


def test_a_report_is_not_written_into_a_source_tree(made: Path, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    done = evaluated(made, "--html", tmp_path / "report.html")
    assert done.returncode == exits.FAILED
    assert "lies in the source tree" in done.stderr
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"file": "gone.mp4", "source_family": "x", "events": []}, "entry 0 (gone.mp4): "),
        ({"file": "crash.mp4", "events": []}, "entry 0 (crash.mp4): source_family"),
    ],
)
def test_a_wrong_catalogue_is_told_without_a_traceback(
    made: Path, tmp_path: Path, entry: dict[str, Any], told: str
) -> None:
    (tmp_path / "catalog.json").write_text(json.dumps([entry]))
    done = causeway("eval", tmp_path / "catalog.json", "--clips", made)
    assert done.returncode == exits.FAILED
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_clip_that_is_no_video_is_named(made: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("nothing")
    entry = {"file": "text.mp4", "source_family": "x", "events": []}
    (tmp_path / "catalog.json").write_text(json.dumps([entry]))
    done = causeway("eval", tmp_path / "catalog.json", "--clips", tmp_path)
    assert done.returncode == exits.FAILED
    assert "text.mp4" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_event_after_the_clips_end_is_an_error(made: Path, tmp_path: Path) -> None:
    event = {"type": "collision", "start_s": 7.0, "peak_s": 7.0, "end_s": 7.5}
    entry = {"file": "crash.mp4", "source_family": "x", "events": [event]}
    (tmp_path / "catalog.json").write_text(json.dumps([entry]))
    done = causeway("eval", tmp_path / "catalog.json", "--clips", made)
    assert done.returncode == exits.FAILED
    assert "crash.mp4: collision at 7.00 s begins after the clip's end (5.00 s)" in done.stderr


def test_an_event_that_ends_after_the_clip_is_said(made: Path, tmp_path: Path) -> None:
    event = {"type": "collision", "start_s": 3.0, "peak_s": 3.0, "end_s": 500.0}
    entry = {"file": "crash.mp4", "source_family": "x", "events": [event]}
    (tmp_path / "catalog.json").write_text(json.dumps([entry]))
    done = evaluated(made, "--phases", "1", catalogue=tmp_path / "catalog.json")
    assert done.returncode == exits.OK
    assert "crash.mp4: collision ends at 500.00 s, after the clip's end (5.00 s)" in done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--without", "nonsense"), "--without nonsense: no such cue; there are "),
        (("--mode", "thinking", "--frames", "4"), "--mode, --frames do not go without --answers"),
        (("--config", "x.yaml"), "--config does not go without --answers"),
        (("--blind",), "--blind does not go without --answers"),
        (("--answers", "--phases", "1", "--compare", "x"),
         "--phases, --compare do not go with --answers"),
        (("--answers", "--no-components"), "--no-components does not go with --answers"),
        (("--answers", "--components"), "--components does not go with --answers"),
        (("--deadline-s", "9"), "--deadline-s does not go without --answers"),
        (("--answers", "--deadline-s", "9"), "--deadline-s: there is no model to ask"),
        (("--answers", "--without", "nonsense"), "--without nonsense: no such cue"),
    ],
)  # fmt: skip
def test_options_that_would_do_nothing_are_refused(
    made: Path, options: tuple[str, ...], told: str
) -> None:
    done = causeway("eval", made / "catalog.json", "--clips", made, *options)
    assert done.returncode == exits.USAGE
    assert done.stderr.startswith(told)


def test_a_clip_that_is_not_there_is_not_played_in_silence(made: Path) -> None:
    done = evaluated(made, "--only", "crash,nosuch")
    assert done.returncode == exits.FAILED
    assert "--only nosuch: there is no such clip" in done.stderr


def found_at(entry: Any, phase_ms: int, settings: Settings) -> Replay:
    """A trigger that calls the crash at once, in its place, and once at nothing."""
    at_s = 3.2 if entry.file == "crash.mp4" else 4.0
    one = Found(at_s + phase_ms / 1000, at_s, 1.5, "contact", (0.45, 0.45, 0.1, 0.1), "they met")
    look = Judged(at_s, at_s + 1, at_s, True, 1.5, "contact", None, "They met, felt.", 1.0, 2.0)
    return Replay(
        entry.file, phase_ms, "none", 0.0, 0.0, 5.0, (one,), (one,), judged=(look,)
    )  # fmt: skip


def test_what_is_found_is_scored_and_drawn(made: Path, tmp_path: Path) -> None:
    catalogue = load(made / "catalog.json", made)
    runs = run_all(catalogue.entries, (0, 33), Settings(), jobs=1, replayer=found_at)
    document = json.loads(json.dumps(result(runs)))
    assert [document[name] for name in ("detection_rate", "alert_rate", "located_rate")] == [1] * 3
    assert document["delay_s"]["p50"] == pytest.approx(0.2165)
    assert document["nuisance_normal_count"] == 1.0
    assert document["nuisance_normal_per_camera_hour"] == pytest.approx(720.0)
    assert document["by_cue"]["contact"]["without"]["detection_rate"] == 0.0
    write(tmp_path / "report.html", runs, document)
    page = (tmp_path / "report.html").read_text()
    assert "hit: collision at 3.00 s, by phase ++, delay 0.20 s" in page
    assert page.count("nuisance (normal)") == 1
    assert "They met, felt. " in page, "a sentence ends in one full stop"
    assert ".." not in page.replace("../", "")


def test_a_change_is_named_by_figure_and_event(made: Path) -> None:
    entries = load(made / "catalog.json", made).entries
    good = result(run_all(entries, (0,), Settings(), jobs=1, replayer=found_at))
    blind = result([Run(e, (Replay(e.file, 0, "none", 0.0, 0.0, 5.0),)) for e in entries])
    told = {(one.where, one.what): (one.before, one.now) for one in differences(good, blind)}
    assert told["real", "detection_rate"] == (1.0, 0.0)
    assert told["crash.mp4 collision 3.00", "found"] == ([True], [False])
    assert told["normal.mp4", "nuisances, normal"] == ([1], [0])
    assert differences(good, good) == []


def test_every_unreadable_clip_is_named(made: Path, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_text("nothing")
    labels: list[dict[str, Any]] = [
        {"file": f, "source_family": "x", "events": []} for f in ("a.mp4", "b.mp4")
    ]
    (tmp_path / "catalog.json").write_text(json.dumps(labels))
    entries = load(tmp_path / "catalog.json", tmp_path).entries
    with pytest.raises(CatalogueError, match=r"a\.mp4: (.|\n)*b\.mp4: "):
        run_all(entries, (0,), Settings(), jobs=1)


def test_peers_are_judged_by_the_same_rules(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert peers(True, str(made / "catalog.json"), str(made), phases=1, jobs=1) == exits.OK
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["trigger"] for row in rows] == ["causeway", "frigate", "mog2", "flow"]
    assert all(row["ms_per_picture"] > 0 for row in rows)


@pytest.mark.footage
@pytest.mark.timeout(180)
def test_real_clips_give_the_same_whoever_runs_them(footage: Path) -> None:
    """In processes and in this one, the same clip at the same phase is the same replay."""
    entries = [
        entry
        for entry in load(footage / "catalog.json", footage).entries
        if entry.file in ("clip_003.mp4", "clip_010.mp4")
    ]
    pooled = run_all(entries, (0,), Settings(), jobs=2)
    for run in pooled:
        here = replay(run.entry, 0, Settings())
        there = run.replays[0]
        assert (here.candidates, here.alerts, here.evidence) == (
            there.candidates, there.alerts, there.evidence,
        )  # fmt: skip
        assert here.cost.looked_at == there.cost.looked_at > 30
        assert all(one.decided_s >= 0 for one in here.candidates)
