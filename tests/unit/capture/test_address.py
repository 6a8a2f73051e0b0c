from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.address import scrub, shown


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rtsp://u:secret@10.0.0.7:8554/live/main", "rtsp://10.0.0.7:8554/live/main"),
        ("rtsp://10.0.0.7/live?user=u&pwd=secret", "rtsp://10.0.0.7/live"),
        ("rtsps://u:p%40ss@[fe80::1]:322/x", "rtsps://[fe80::1]:322/x"),
        ("rtsp://u:secret@[broken/x", "an address that is none"),
        ("rtsp://u:secret@host:port/x", "an address that is none"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, expected: str) -> None:
    assert shown(url) == expected
    assert "secret" not in shown(url)


def test_ffmpegs_text_keeps_its_sense() -> None:
    url = "rtsp://operator:hunter2@cam/x"
    text = scrub(f"[Errno 111] Connection refused: '{url}'", url)
    assert text == "[Errno 111] Connection refused: 'rtsp://cam/x'"


def test_another_form_of_the_address_is_scrubbed_too() -> None:
    url = "rtsp://operator:hun%3Ater2@cam/x?token=abc123"
    text = scrub("tcp://operator:hun:ter2@cam:554 failed (hun%3Ater2, token=abc123)", url)
    for secret in ("hun:ter2", "hun%3Ater2", "abc123", "operator"):
        assert secret not in text


@given(
    password=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1).filter(
        lambda text: text not in "[Errno 1] 'rtsp://cam/x' no: ***"
    )
)
def test_no_password_survives(password: str) -> None:
    url = f"rtsp://u:{quote(password, safe='')}@cam/x"
    assert password not in scrub(f"[Errno 1] no: '{url}' {password}", url)
