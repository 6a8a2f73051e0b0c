"""What an installation asks for before it begins; nothing is installed here."""

from __future__ import annotations

import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "tools" / "make-venv.sh"
FITTING_BUT_FOR_REDIS = """#!/bin/sh
case "$*" in
    *platform*) exit 1 ;;
    *--version*) echo "Python 3.13.0" ;;
esac
"""


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def made(folder: Path) -> subprocess.CompletedProcess[str]:
    """Where there is no compiler: nothing but ``uname`` can be called."""
    python = program(folder / "python", FITTING_BUT_FOR_REDIS)
    program(folder / "path" / "uname", "#!/bin/sh\necho x86_64\n")
    return subprocess.run(
        ["/bin/sh", SCRIPT, folder / "venv", "requirements.lock", python],
        env={"PATH": str(folder / "path")}, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip


def test_a_new_environment_wants_the_compiler_it_will_need(tmp_path: Path) -> None:
    done = made(tmp_path)
    assert done.returncode == 1
    assert "For Python 3.13.0 on x86_64 the Redis server that comes along is built" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_one_that_is_there_wants_none(tmp_path: Path) -> None:
    for name in ("python", "uv"):
        program(tmp_path / "venv" / "bin" / name, f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/ran\n')
    done = made(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "--require-hashes -r requirements.lock" in (tmp_path / "ran").read_text()
