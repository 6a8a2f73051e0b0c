"""What must never be shown, and the configuration without it."""

from __future__ import annotations

import json
from pathlib import Path

from monitor.config.loader import load
from monitor.config.secrets import redacted, redacted_address, secret_values

TEXT = """\
site: {id: a}
cameras:
  - {id: one, url: 'rtsp://user:p%40ss@camera:554/live?token=t0ken'}
  - {id: two, url: 'rtsp://camera/user=admin&password=in-path&channel=1'}
redis: {url: 'redis://:redispw@redis:6379/0'}
mqtt: {host: broker, username: u, password: mqttpw}
query: {api_key: apikey1}
archive: {url: 'postgresql://u:pgpw@db/causeway'}
"""
SECRETS = ("p%40ss", "p@ss", "redispw", "mqttpw", "apikey1", "pgpw")


def test_every_password_is_known_plain_and_encoded(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(TEXT)
    values = secret_values(load(path, {}))
    assert set(SECRETS) <= values
    assert "" not in values


def test_the_redacted_configuration_names_servers_and_no_password(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(TEXT)
    config = load(path, {})
    shown = json.dumps(redacted(config))
    for secret in (*SECRETS, "t0ken", "in-path"):
        assert secret not in shown
        assert secret not in repr(config)
        assert secret not in str(config)
    assert "rtsp://***@camera:554/live?***" in shown
    assert "redis:6379" in shown
    assert redacted(config)["mqtt"]["host"] == "broker"


def test_an_address_without_password_is_shown_as_it_is() -> None:
    assert redacted_address("rtsp://camera/1") == "rtsp://camera/1"
    assert redacted_address("unix:///run/redis.sock") == "unix:///run/redis.sock"
    assert redacted_address("nonsense") == "***"
    assert redacted_address("rtsp://[broken") == "***"
