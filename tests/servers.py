"""Real servers for tests, each on a free port of 127.0.0.1, ended with the test run."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_for_port(port: int, process: subprocess.Popen[bytes], timeout_s: float = 10.0) -> None:
    """Return once something listens; fail if the process ends or the time is up."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} does not listen on {port}")


def binary(name: str) -> str:
    """A program's path; Debian keeps servers in /usr/sbin."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise RuntimeError(f"{name} is not installed: run `make test`, which installs it")
    return path


@dataclass
class Server:
    """A child process that can be killed and started again on the same port and folder."""

    command: list[str]
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - only prctl, before exec
        )
        wait_for_port(self.port, self.process)

    def stop(self, sig: int = signal.SIGTERM) -> None:
        if self.process is None:
            return
        self.process.send_signal(sig)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.process = None

    def kill(self) -> None:
        self.stop(signal.SIGKILL)


@contextmanager
def redis_server(folder: Path, *extra: str) -> Iterator[Server]:
    """redis-server; ``extra`` are further options, such as ``--maxmemory 20mb``."""
    port = free_port()
    server = Server(
        [binary("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder),
         "--save", "", "--appendonly", "no", *extra],
        port,
    )  # fmt: skip
    server.start()
    try:
        yield server
    finally:
        server.stop()


@dataclass(frozen=True)
class Certificate:
    """PEM files of a self-signed certificate for 127.0.0.1."""

    certificate: Path
    key: Path


def certificate(folder: Path) -> Certificate:
    """Make one, valid for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "causeway test")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    made = Certificate(folder / "server.crt", folder / "server.key")
    made.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


def postgres_binaries() -> Path | None:
    """The folder of the newest PostgreSQL server's programs; None where none is installed."""
    if (found := shutil.which("initdb")) is not None:
        return Path(found).parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in versions), key=_version, default=None)


def _version(binaries: Path) -> int:
    name = binaries.parent.name
    return int(name) if name.isdecimal() else 0


class Postgres(Server):
    """Listens some time before it lets anyone in."""

    def start(self) -> None:
        super().start()
        deadline = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(
                    host="127.0.0.1", port=self.port, user="causeway", dbname="postgres"
                ).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


@contextmanager
def postgres(binaries: Path) -> Iterator[Server]:
    """PostgreSQL with one superuser ``causeway`` who needs no password.

    It refuses to run as root, so root starts it as the user ``nobody``, in a folder of its own
    because a test's folder is closed to others.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="causeway-postgres-") as folder:
        data = Path(folder) / "data"
        become: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
            become = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
                      "--pdeathsig=KILL", "--"]  # fmt: skip
        subprocess.run(
            [*become, binaries / "initdb", "-D", data, "-U", "causeway", "-A", "trust",
             "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        server = Postgres(
            [*become, str(binaries / "postgres"), "-D", str(data), "-h", "127.0.0.1",
             "-p", str(port), "-k", "", "-F"],
            port,
        )  # fmt: skip
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGINT)  # "fast": connections that are still open are closed


@contextmanager
def mosquitto(
    folder: Path,
    *,
    password_file: Path | None = None,
    certificate: Certificate | None = None,
) -> Iterator[Server]:
    """Mosquitto; anonymous unless a password file, in the clear unless a certificate is given."""
    port = free_port()
    lines = [f"listener {port} 127.0.0.1", "persistence false", "max_queued_messages 100000"]
    if password_file is None:
        lines.append("allow_anonymous true")
    else:
        lines += ["allow_anonymous false", f"password_file {password_file}"]
    if certificate is not None:
        lines += [f"certfile {certificate.certificate}", f"keyfile {certificate.key}"]
    if os.geteuid() == 0:
        lines.append("user root")  # else it changes to a user that may not read the test's files
    config = folder / f"mosquitto-{port}.conf"
    config.write_text("\n".join(lines) + "\n")
    server = Server([binary("mosquitto"), "-c", str(config)], port)
    server.start()
    try:
        yield server
    finally:
        server.stop()
