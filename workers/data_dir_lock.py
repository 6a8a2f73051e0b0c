"""One ``causeway run`` per data_dir, held by the kernel, so that nothing stale can be left."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from monitor.errors import CausewayError


class AlreadyRunningError(CausewayError):
    """Another process holds the data_dir."""


class DataDirLock:
    """``with DataDirLock(folder):`` or ``AlreadyRunningError``, which names the other's pid.

    The lock goes with this process however it ends. Children do not inherit the descriptor.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "supervisor.lock"
        self._descriptor: int | None = None

    def __enter__(self) -> DataDirLock:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise CausewayError(
                f"{self._path.parent} cannot be written ({error.strerror}): "
                "give this user the folder, or choose another data_dir"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise AlreadyRunningError(
                f"Causeway already runs here (process {holder or 'unknown'} holds "
                f"{self._path.parent}): stop it first, or give this one its own data_dir"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
