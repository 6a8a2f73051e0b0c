"""What the exit status of ``causeway`` means; docs/operations.md lists them for people."""

from __future__ import annotations

from typing import Final

OK: Final = 0
FAILED: Final = 1  # it ran, and the answer is no: unhealthy, no alert came, a bench over its bound
USAGE: Final = 2  # the command line is wrong
CONFIG: Final = 3  # streams.yaml or the environment is wrong
RUNNING: Final = 4  # another `causeway run` has this data_dir
