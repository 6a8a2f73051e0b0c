"""``causeway check`` on the rule pack a site has chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers import exits
from workers.commands.check import check


def streams(folder: Path, site: str) -> Path:
    path = folder / "streams.yaml"
    path.write_text(
        f"site: {{id: a{site}}}\ncameras:\n  - {{id: north, url: 'rtsp://192.0.2.1/x'}}\n"
    )
    return path


@pytest.mark.parametrize(
    ("site", "says"),
    [
        (
            ", jurisdiction: uk, traffic_side: right",
            "streams.yaml:1:33: site.traffic_side: traffic keeps right, but the rules of `uk` are "
            "for traffic that keeps left; leave traffic_side out",
        ),
        (", jurisdiction: cn, traffic_side: left", "the rules of `cn` are for traffic that keeps"),
        (", jurisdiction: vienna, timezone: Asia/Shanghai", "one of China, which is not party"),
        (", jurisdiction: vienna, timezone: America/Indiana/Knox", "one of the United States"),
        (", jurisdiction: vienna, timezone: US/Pacific", "one of the United States"),
        (", jurisdiction: vienna, timezone: America/Indianapolis", "one of the United States"),
        (", jurisdiction: vienna, timezone: EST5EDT", "one of the United States"),
    ],
)
def test_a_pack_that_cannot_be_the_sites_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], site: str, says: str
) -> None:
    assert check(streams(tmp_path, site), json_out=False) == exits.CONFIG
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    ("site", "says"),
    [
        (", jurisdiction: uk", ["The Highway Code; traffic keeps left", '"should" rules are']),
        (", jurisdiction: vienna, timezone: Europe/Rome",
         ["traffic keeps right", "Not for a scene in China or the United States"]),
        (", jurisdiction: vienna, timezone: America/Sao_Paulo, traffic_side: left",
         ["traffic keeps left"]),
    ],
)  # fmt: skip
def test_what_to_know_of_a_chosen_pack_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], site: str, says: list[str]
) -> None:
    assert check(streams(tmp_path, site), json_out=False) == exits.OK
    told = capsys.readouterr().out
    assert all(one in told for one in says)


def test_who_chose_no_pack_is_told_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(streams(tmp_path, ", traffic_side: left"), json_out=False) == exits.OK
    assert len(capsys.readouterr().out.splitlines()) == 1
