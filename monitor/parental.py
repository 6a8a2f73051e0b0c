"""A child process that cannot outlive its parent, not even one that is killed (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def die_with(parent: int) -> Callable[[], None]:
    """A ``preexec_fn``: the kernel kills the child when the thread that started it ends."""
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork: the child must only call it

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return in_child
