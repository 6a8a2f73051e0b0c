"""Lets torchvision be imported beside torch's CPU build. Put into ``.venv-vllm`` with a ``.pth``.

torchvision's wheels on the package index are linked to CUDA. Without CUDA its C++ library does
not load, which it tolerates, except that it describes two operators of that library to torch
(``nms`` and ``qnms``) and torch refuses descriptions of operators nobody declared. So they are
declared just before torchvision's first import; nothing that Qwen3-VL's processors do calls them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


class DeclareOperators:
    """A finder that finds nothing: it acts once, when torchvision is looked for."""

    def __init__(self) -> None:
        self._library: object = None  # torch forgets the operators when this is freed

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "torchvision" and self._library is None:
            import torch

            library = torch.library.Library("torchvision", "DEF")
            library.define("nms" + _SIGNATURE)
            library.define("qnms" + _SIGNATURE)
            self._library = library
        return None


sys.meta_path.insert(0, DeclareOperators())
