"""Threads that give way: analysis has seconds, watching and publishing have milliseconds."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

GIVING_WAY: Final = 5
LOWEST: Final = 19


def background_threads(count: int, name: str, nice: int) -> ThreadPoolExecutor:
    """Threads of a lower priority; on Linux that is each thread's own, and its children's."""

    def give_way() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)

    return ThreadPoolExecutor(count, name, give_way)
