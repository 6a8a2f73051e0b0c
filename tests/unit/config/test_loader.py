"""streams.yaml: every problem at once, with its place and what to write."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.config.loader import ConfigProblems, load, problems
from monitor.config.problems import Problem

GOOD = """\
site: {id: main-street}
cameras:
  - id: north
    url: rtsp://camera.example/1
"""


@pytest.fixture
def yaml(tmp_path: Path) -> Path:
    return tmp_path / "streams.yaml"


def found(path: Path, text: str | bytes, **environ: str) -> list[Problem]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return problems(path, environ)


def only(path: Path, text: str | bytes, **environ: str) -> Problem:
    result = found(path, text, **environ)
    assert len(result) == 1, [str(problem) for problem in result]
    return result[0]


def test_a_good_file_gives_the_configuration(yaml: Path) -> None:
    yaml.write_text(GOOD + "mqtt: {host: broker, port: 1884}\n")
    config = load(yaml, {})
    assert config.site.id == "main-street"
    assert config.camera("north").url.get_secret_value() == "rtsp://camera.example/1"
    assert config.mqtt.port == 1884


def test_a_relative_data_dir_is_below_the_folder_of_the_file(yaml: Path) -> None:
    yaml.write_text(GOOD)
    assert load(yaml, {}).data_dir == yaml.parent / "var"
    yaml.write_text(GOOD + "data_dir: /srv/causeway\n")
    assert load(yaml, {}).data_dir == Path("/srv/causeway")


def test_a_relative_detector_model_is_below_the_folder_of_the_file(yaml: Path) -> None:
    yaml.write_text(
        "site: {id: main-street}\n"
        "cameras:\n"
        "  - {id: north, url: rtsp://camera.example/1, detector: {model: own.onnx, every: 2}}\n"
        "  - {id: south, url: rtsp://camera.example/2, detector: {}}\n"
        "  - {id: west, url: rtsp://camera.example/3}\n"
        "detector: {model: /srv/common.onnx, vehicles: [2]}\n"
    )
    config = load(yaml, {})
    sections = [config.detector_of(camera) for camera in config.cameras]
    assert [section.model for section in sections] == [
        str(yaml.parent / "own.onnx"), None, "/srv/common.onnx"
    ]  # fmt: skip
    assert (sections[0].every, sections[0].vehicles) == (2, (1, 2, 3, 5, 7))
    assert sections[2].vehicles == (2,)


def test_everything_wrong_is_said_at_once_with_its_line_and_column(yaml: Path) -> None:
    text = """\
site:
  id: Main Street
  lang: fr
cameras:
  - id: north
    url: http://camera/
    masks: [[[0, 0], [1, 1]]]
  - id: north
    url: rtsp://u:${NOPE}@camera/
    nmae: Second
mqtt:
  port: many
  password: hunter22
ingest: 5
"""
    expected = [
        (2, 3, "site.id", "for example main-street"),
        (3, 3, "site.lang", "one of en, zh; got 'fr'"),
        (6, 5, "cameras[0].url", "must start with rtsp:// or rtsps://"),
        (7, 13, "cameras[0].masks[0]", "at least 3 corners, this one has 2"),
        (8, 5, "cameras[1].id", "the camera in line 5 has this id already"),
        (9, 5, "cameras[1].url", "the environment variable NOPE is not set"),
        (10, 5, "cameras[1].nmae", "did you mean `name`?"),
        (12, 3, "mqtt.port", "must be a whole number"),
        (13, 3, "mqtt.password", "without a username"),
        (14, 1, "ingest", "must be a section"),
    ]
    result = found(yaml, text)
    assert [(p.position.line, p.position.column, p.setting) for p in result] == [
        (line, column, setting) for line, column, setting, _ in expected
    ]
    for problem, (_, _, _, words) in zip(result, expected, strict=True):
        assert words in problem.message
    assert str(result[0]).startswith(f"{yaml}:2:3: site.id: ")
    with pytest.raises(ConfigProblems) as caught:
        load(yaml, {})
    assert caught.value.problems == tuple(result)
    assert str(caught.value).count("\n") == len(expected) - 1


@pytest.mark.parametrize(
    ("extra", "setting", "words"),
    [
        ("mqtt: {hots: x}", "mqtt.hots", "did you mean `host`?"),
        ("keep_s: 60", "keep_s", "write it under `ingest`"),
        ("mqtt: {keep_s: 60}", "mqtt.keep_s", "write it under `ingest`"),
        ("zzz: 1", "zzz", "known here: site, cameras, data_dir"),
        ("mqtt: {port: 0}", "mqtt.port", "must be at least 1; got 0"),
        ("mqtt: {port: true}", "mqtt.port", "must be a whole number; got true"),
        ("mqtt: {port: '1883'}", "mqtt.port", "must be a whole number; got '1883'"),
        ("mqtt: {tls: yes}", "mqtt.tls", "must be true or false; got 'yes'"),
        ("mqtt: {topic_prefix: 'a/b'}", "mqtt.topic_prefix", "one word without #, + or /"),
        ("query: {max_frames: 63}", "query.max_frames", "must be a multiple of 2; got 63"),
        ("query: {endpoint: 'vllm:8000'}", "query.endpoint", "must start with http://"),
        ("query: {endpoints: [{url: 'vllm:8000'}]}", "query.endpoints[0].url", "start with http"),
        ("query: {endpoints: [{url: 'http://a/v1', mode: x}]}", "query.endpoints[0].mode", "modes"),
        ("query: {patrol_s: 1}", "query.patrol_s", "must be at least 5; got 1"),
        ("query: {context_length: 1000000}", "query.context_length", "at most 262144"),
        ("query: {thinking_from: grave}", "query.thinking_from", "must be one of low, medium"),
        (
            "query: {mode: thinking, endpoints: [{url: 'http://a/v1', modes: [standard]}]}",
            "query.mode",
            "no endpoint serves thinking",
        ),
        ("query: {post_roll_s: 60, pre_roll_s: 90}", "query.pre_roll_s", "write keep_s: 300"),
        ("ingest: {keep_s: .inf}", "ingest.keep_s", "write a finite number"),
        ("ingest: {keep_s: .nan}", "ingest.keep_s", "write a finite number"),
        ("redis: {url: 'http://x'}", "redis.url", "redis:// or rediss:// or unix://"),
        ("redis: {url: 'redis://'}", "redis.url", "names no host"),
        ("archive: {url: 'mysql://h/d'}", "archive.url", "must start with postgresql://"),
        ("dashboard: {port: 18830}", "dashboard.port", "the embedded broker's too"),
        ("data_dir: [a]", "data_dir", "must be one text, not a list"),
        ("mqtt: [1]", "mqtt", "must be a section with keys of its own (host, port"),
    ],
)
def test_each_mistake_has_its_sentence(yaml: Path, extra: str, setting: str, words: str) -> None:
    problem = only(yaml, GOOD + extra + "\n")
    assert problem.setting == setting
    assert words in problem.message
    assert problem.position.line == 5


@pytest.mark.parametrize(
    ("camera", "setting", "words"),
    [
        ("id: 5", "id", "must be text; put it in quotes"),
        ("url: rtsp://u:p@ss/w#rd@camera/", "url", "write @ as %40"),
        ("url: 'rtsp://u:p[x@camera/'", "url", "write @ as %40"),
        ("url: rtsp://camera:99999/", "url", "not an address"),
        ("url: 'rtsp:///x'", "url", "names no host"),
        ("substream_url: file:///x", "substream_url", "must start with rtsp://"),
        ("viewing_direction_deg: 360", "viewing_direction_deg", "must be less than 360; got 360"),
        ("location: {latitude: 1}", "location.longitude", "is missing; write `longitude: ...`"),
        ("masks: [[[0,0],[0.5,0.5],[1,1]]]", "masks[0]", "lie on one line"),
        ("masks: [[[0,0],[0,1.5],[1,1]]]", "masks[0][1][1]", "must be at most 1; got 1.5"),
        ("masks: [[[0],[0,1],[1,1]]]", "masks[0][0]", "needs two numbers"),
        (
            "calibration: [{image: [0,0], ground_m: [0,0]}]",
            "calibration",
            "at least 4 points (or none), there are 1",
        ),
        ("calibration: {image: [0,0]}", "calibration", "put `- ` before each item"),
        (
            "trigger: {candidates_per_day: 0}",
            "trigger.candidates_per_day",
            "must be at least 1; got 0",
        ),
        ("mode: think", "mode", "did you mean thinking?"),
    ],
)
def test_each_mistake_of_a_camera(yaml: Path, camera: str, setting: str, words: str) -> None:
    own = {"id": "id: east", "url": "url: rtsp://camera/"}
    own.pop(camera.partition(":")[0], None)
    text = GOOD + "  - " + "\n    ".join([camera, *own.values()]) + "\n"
    problem = only(yaml, text)
    assert problem.setting == f"cameras[1].{setting}"
    assert words in problem.message


def _calibration(*points: tuple[float, float, float, float]) -> str:
    rows = [f"      - {{image: [{a}, {b}], ground_m: [{x}, {y}]}}" for a, b, x, y in points]
    return GOOD + "\n".join(["    calibration:", *rows]) + "\n"


SQUARE = ((0.2, 0.4, 0, 20), (0.8, 0.4, 8, 20), (0.9, 0.9, 8, 0), (0.1, 0.9, 0, 0))

CROSSED = (SQUARE[0], (*SQUARE[1][:2], 8, 0), (*SQUARE[2][:2], 8, 20), SQUARE[3])


def test_four_points_of_a_quadrilateral_are_a_calibration(yaml: Path) -> None:
    assert found(yaml, _calibration(*SQUARE)) == []


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (tuple((i / 10, i / 10, i, i) for i in range(4)), "on one line in the picture"),
        ((*SQUARE[:3], (0.5, 0.4, 0, 0)), "on one line in the picture"),
        (tuple((a, b, i, 2 * i) for i, (a, b, _, _) in enumerate(SQUARE)), "on the ground"),
        ((*SQUARE[:3], SQUARE[0]), "same spot in the picture"),
        (CROSSED, "another order"),
    ],
)
def test_points_that_determine_no_plane(
    yaml: Path, points: tuple[tuple[float, float, float, float], ...], words: str
) -> None:
    assert words in only(yaml, _calibration(*points)).message


def test_five_points_may_hold_three_on_a_line(yaml: Path) -> None:
    assert found(yaml, _calibration(*SQUARE, (0.5, 0.4, 4, 20))) == []


class TestEnvironment:
    def test_a_variable_is_filled_in_and_two_dollars_are_one(self, yaml: Path) -> None:
        yaml.write_text(GOOD.replace("camera.example", "u:${PW}a$$b@camera"))
        config = load(yaml, {"PW": "s3cret"})
        assert config.cameras[0].url.get_secret_value() == "rtsp://u:s3creta$b@camera/1"

    def test_an_unquoted_variable_may_be_a_number_and_a_password_stays_text(
        self, yaml: Path
    ) -> None:
        yaml.write_text(GOOD + "mqtt:\n  host: h\n  username: u\n  password: ${N}\n  port: ${N}\n")
        config = load(yaml, {"N": "1884"})
        assert config.mqtt.port == 1884
        assert config.mqtt.password is not None
        assert config.mqtt.password.get_secret_value() == "1884"

    def test_a_variable_in_quotes_stays_text(self, yaml: Path) -> None:
        assert "whole number" in only(yaml, GOOD + "mqtt: {port: '${N}'}", N="1884").message

    def test_what_comes_from_a_variable_is_never_repeated(self, yaml: Path) -> None:
        problem = only(yaml, GOOD + "mqtt:\n  port: ${N}\n", N="s3cret")
        assert problem.setting == "mqtt.port"
        assert "s3cret" not in problem.message

    @pytest.mark.parametrize("text", ["${", "${}", "${A-B}", "${A:-x}", "${1A}"])
    def test_a_reference_that_is_none(self, yaml: Path, text: str) -> None:
        assert "write $$ for a plain $" in only(yaml, GOOD + f"data_dir: '{text}'").message

    def test_a_setting_may_be_set_from_outside(self, yaml: Path) -> None:
        yaml.write_text(GOOD + "mqtt: {port: 1}\n")
        environ = {
            "CAUSEWAY__REDIS__URL": "redis://redis:6379/0",
            "CAUSEWAY__MQTT__PORT": "1885",
            "CAUSEWAY__DATA_DIR": "/srv",
            "CAUSEWAY__QUERY__ENDPOINT": "",
        }
        config = load(yaml, environ)
        assert config.redis.url is not None
        assert config.mqtt.port == 1885
        assert config.data_dir == Path("/srv")
        assert config.query.endpoint is None

    def test_a_wrong_setting_from_outside_names_its_variable(self, yaml: Path) -> None:
        problem = only(yaml, GOOD, CAUSEWAY__REDSI__URL="redis://x")
        assert str(problem).startswith("environment variable CAUSEWAY__REDSI__URL: redsi: ")
        assert "did you mean `redis`" in problem.message
        problem = only(yaml, GOOD, CAUSEWAY__CAMERAS__0__URL="rtsp://x")
        assert "cameras are in the file" in problem.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("null\n", "the file is empty"),
        ("- a", "must be keys and values"),
        ("a:\n\tb: 1", "2:1: a tab"),
        ("a: 'x", "never closed"),
        ("a: [1, 2", "the file ends in the middle"),
        ("a: b: c", "put a value that holds ': ' in quotes"),
        ("a: @b", "cannot start with @"),
        ("a: 1\n---\nb: 2", "2:1: a second document"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "1:1: this is not text"),
        (b"site: \xff", "1:7: this is not text"),
        (b"site:\n  id: \x00\x01", "2:7: a control character"),
        ("x" * (1 << 19), "larger than 256 KiB"),
        ("[" * 100_000, "nested more than 16 deep"),
        ("{a: " * 10_000, "nested more than 16 deep"),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_what_is_not_yaml_says_so_quickly(yaml: Path, text: str | bytes, words: str) -> None:
    started = time.process_time()
    assert words in str(only(yaml, text))
    assert time.process_time() - started < 5


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path / "none.yaml", {})
    assert "No such file" in problem.message
    assert problems(tmp_path, {})[0].message.startswith("Is a directory")


def test_aliases_that_multiply_are_stopped(yaml: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    started = time.process_time()
    result = found(yaml, GOOD + "\n".join(lines))
    assert [p for p in result if "multiply without end" in p.message]
    assert time.process_time() - started < 5


def test_an_alias_of_itself_is_stopped(yaml: Path) -> None:
    result = found(yaml, GOOD + "masks: &m [*m]\n")
    assert [p for p in result if "multiply without end" in p.message]


def test_a_key_written_twice(yaml: Path) -> None:
    problem = only(yaml, GOOD + "mqtt: {port: 1884}\nmqtt: {port: 1885}\n")
    assert problem.position.line == 6
    assert "written twice, first in line 5" in problem.message


def test_defaults_may_be_merged(yaml: Path) -> None:
    yaml.write_text(
        "site: {id: a}\n"
        "cameras:\n"
        "  - &first {id: one, url: rtsp://one/, name: First}\n"
        "  - {<<: *first, id: two, url: rtsp://two/}\n"
    )
    two = load(yaml, {}).cameras[1]
    assert (two.id, two.name) == ("two", "First")


@pytest.mark.parametrize(
    "text",
    ["*hunter2", "!hunter2", "'hunter2", "hunter2: x", "@hunter2", "[hunter2", "{hunter2"],
)
def test_a_password_that_breaks_the_file_is_not_repeated(yaml: Path, text: str) -> None:
    result = found(yaml, GOOD + f"mqtt:\n  username: u\n  password: {text}\n")
    assert result
    assert not [str(p) for p in result if "hunter2" in p.message]


@pytest.mark.parametrize(
    "line",
    [
        "redis: {url: 'http://u:hunter2@h'}",
        "archive: {url: 'mysql://u:hunter2@h/d'}",
        "query: {api_key: [hunter2]}",
        "mqtt: {password: [hunter2]}",
        "mqtt: {host: 'h', username: 'u', password: {a: hunter2}}",
    ],
)
def test_a_secret_in_a_wrong_place_is_not_repeated(yaml: Path, line: str) -> None:
    result = found(yaml, GOOD + line + "\n")
    assert result
    assert "hunter2" not in "".join(map(str, result))
    with pytest.raises(ConfigProblems) as caught:
        load(yaml, {})
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=400))
def test_any_bytes_give_problems_and_never_an_exception(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    assert found(path, data)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(list("-[]{}:,*&!|>'\"#%@`?\n \t$ab0.~<=")), max_size=60))
def test_any_punctuation_gives_problems_and_never_an_exception(
    tmp_path_factory: pytest.TempPathFactory, text: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    assert found(path, GOOD + "name: " + "".join(text))
