"""docker-compose.yml: valid by the compose specification, and as safe as it claims to be.

No Docker engine is needed; what the containers would run is tried on real servers where the
machine has them (mosquitto, redis-server).
"""

from __future__ import annotations

import importlib.resources
import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import redis
from jsonschema import Draft202012Validator
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from ruamel.yaml import YAML

from monitor.config.loader import examine, problems
from tests import servers

ROOT = Path(__file__).resolve().parents[2]
ONE_SHOT = {"mosquitto-password"}
WORKERS = {"ingest", "watch", "analyse", "publish", "dashboard"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / "docker-compose.yml")
    return loaded


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def test_it_follows_the_compose_specification(compose: dict[str, Any]) -> None:
    packaged = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((packaged / "compose-spec.json").read_text())
    plain = json.loads(json.dumps(compose))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(plain)] == []
    plain["services"]["redis"]["imagge"] = "typo"
    assert list(Draft202012Validator(schema).iter_errors(plain))


def test_everything_the_product_needs_is_there(services: dict[str, Any]) -> None:
    assert set(services) == {"redis", "mosquitto", "postgres", "vllm"} | WORKERS | ONE_SHOT


def test_every_image_is_pinned_to_a_version(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert re.search(r":v?\d+\.\d+", service["image"]), name


def test_nothing_runs_as_root_or_gains_rights(services: dict[str, Any]) -> None:
    for name, service in services.items():
        uid = service["user"].split(":")[0]
        assert uid.isdigit(), name
        assert int(uid) > 0, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service.get("privileged") is None, name
        if name != "vllm":  # compiles kernels into its home
            assert service["read_only"] is True, name


def test_every_lasting_service_has_a_health_check_limits_and_restarts(
    services: dict[str, Any],
) -> None:
    for name, service in services.items():
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory"} <= set(limits), name
        if name not in ONE_SHOT:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
            assert service["healthcheck"]["retries"] >= 3, name


def test_workers_are_our_image_and_their_health_checks_name_them(
    services: dict[str, Any],
) -> None:
    for name in WORKERS:
        service = services[name]
        assert service["command"] == [name]
        assert service["image"] == "causeway:0.1.0"
        assert service["healthcheck"]["test"] == ["CMD", "causeway", "health", name]


def test_dependencies_exist_and_are_waited_for(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in services, name
            expected = "service_completed_successfully" if needed in ONE_SHOT else "service_healthy"
            assert how["condition"] == expected


def test_the_model_server_has_its_gpu_its_memory_and_its_flags(services: dict[str, Any]) -> None:
    vllm = services["vllm"]
    assert vllm["image"] == "vllm/vllm-openai:v0.32.0"
    assert vllm["shm_size"] == "16gb"
    assert vllm["profiles"] == ["gpu"]
    assert "ports" not in vllm
    (device,) = vllm["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    flags = dict(flag.partition("=")[::2] for flag in vllm["command"] if flag.startswith("--"))
    assert flags["--trust-request-mm-kwargs"] == ""
    assert json.loads(flags["--structured-outputs-config"]) == {
        "backend": "guidance",
        "disable_any_whitespace": True,
    }
    assert json.loads(flags["--limit-mm-per-prompt"]) == {"image": 128, "video": 1}
    assert json.loads(flags["--media-io-kwargs"]) == {"video": {"num_frames": -1}}
    assert json.loads(flags["--mm-processor-kwargs"])["videos_kwargs"]["cap_pixels_per_frame"] is (
        False
    )
    assert flags["--allowed-media-domains"] == "none.invalid"


def test_no_service_but_vllm_waits_for_a_profile(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "profiles" in service] == ["vllm"]


def test_no_password_stands_in_the_file_and_every_variable_in_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    example = (ROOT / ".env.example").read_text()
    names = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text))
    assert {"REDIS_PASSWORD", "MQTT_PASSWORD", "POSTGRES_PASSWORD"} <= names
    for name in names:
        assert re.search(rf"^#?{name}=", example, re.MULTILINE), name
    for name in ("REDIS_PASSWORD", "MQTT_PASSWORD", "POSTGRES_PASSWORD"):
        assert re.search(rf"^{name}=$", example, re.MULTILINE), "no default password"
        assert f"${{{name}:?" in text
    assert ".env\n" in (ROOT / ".gitignore").read_text()


def test_the_example_configuration_is_right_as_it_stands() -> None:
    assert problems(ROOT / "streams.yaml", {}) == []


@pytest.mark.parametrize("name", sorted(WORKERS))
def test_the_containers_environment_fits_the_example_configuration(
    services: dict[str, Any], name: str
) -> None:
    environ = {
        key: re.sub(r"\$\{([A-Z_]+)[^}]*\}", lambda m: "" if "QUERY" in m[1] else "secret", value)
        for key, value in services[name]["environment"].items()
    }
    config, found = examine(ROOT / "streams.yaml", environ)
    assert found == []
    assert config is not None
    assert config.redis.url is not None
    assert config.mqtt.host is not None
    assert config.archive.url is not None
    assert str(config.data_dir) == "/var/lib/causeway"


def _shell(command: str, **variables: str) -> str:
    """A compose command string as the container's shell would get it."""
    text = command.replace("$$", "$")
    for name, value in variables.items():
        text = text.replace(f"${name}", value)
    return text


def test_redis_accepts_its_options(services: dict[str, Any], tmp_path: Path) -> None:
    command = _shell(services["redis"]["command"][-1], REDIS_PASSWORD="pw")
    options = shlex.split(command.removeprefix("exec redis-server"))
    with (
        servers.redis_server(tmp_path, *options) as server,
        redis.Redis(port=server.port, password="pw", decode_responses=True) as client,
    ):
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_mosquitto_lets_in_whom_the_password_file_names(
    services: dict[str, Any], tmp_path: Path
) -> None:
    command = _shell(services["mosquitto-password"]["command"][-1], MQTT_PASSWORD="pw")
    made = command.replace("/mosquitto/data", str(tmp_path)).replace(
        "mosquitto_passwd", servers.binary("mosquitto_passwd")
    )
    subprocess.run(["sh", "-c", made], check=True, capture_output=True)
    assert (tmp_path / "passwd").stat().st_mode & 0o077 == 0
    port = servers.free_port()
    text = (ROOT / "deploy" / "mosquitto.conf").read_text()
    text = text.replace("listener 1883", f"listener {port} 127.0.0.1")
    text = text.replace("/mosquitto/data", str(tmp_path))
    if os.getuid() == 0:
        text += "user root\n"  # as in the container: whoever starts it owns the files
    (tmp_path / "mosquitto.conf").write_text(text)
    server = servers.Server(
        [servers.binary("mosquitto"), "-c", str(tmp_path / "mosquitto.conf")], port
    )
    server.start()
    try:
        for password, accepted in (("pw", True), ("wrong", False)):
            client = paho.Client(CallbackAPIVersion.VERSION2)
            client.username_pw_set("causeway", password)
            answers: list[bool] = []
            client.on_connect = lambda _c, _u, _f, reason, _p, to=answers: to.append(
                not reason.is_failure
            )
            client.connect("127.0.0.1", port)
            while not answers:
                client.loop(timeout=1)
            client.disconnect()
            assert answers[0] is accepted
    finally:
        server.stop()
