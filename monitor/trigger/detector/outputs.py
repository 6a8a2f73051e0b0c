"""What a detector's outputs mean: the shapes that are understood, and their boxes.

- YOLOX (Ge et al., *YOLOX: exceeding YOLO series in 2021*, arXiv 2107.08430): one output
  (1, N, 5 + classes), a row per cell of the grids of strides 8, 16, 32 (and 64): centre x and y,
  width, height, objectness, then the classes. Raw exports give the centre in cells from the
  cell's corner and sizes as logarithms in cells; others have decoded them to input pixels.
- RT-DETR (Zhao et al., *DETRs beat YOLOs on real-time object detection*, CVPR 2024) and D-FINE:
  labels (1, K), boxes (1, K, 4) as corners in pixels of the size given as the second input, and
  scores (1, K).
- DETR (Carion et al., ECCV 2020) and what keeps its heads: logits (1, K, classes) and boxes
  (1, K, 4) as centre and size in fractions of the input. Of newer ones each class has a sigmoid;
  of the first one a softmax goes over the classes and "nothing", which is last.

Only arithmetic: no network, no file. Everything wrong is a ``DetectorError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.errors import DetectorError
from monitor.trigger.detector.fit import Boxes, Fit

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

_STRIDES: Final = ((8, 16, 32), (8, 16, 32, 64))
_DECODED_PX: Final = 8.0  # a median farther from the corner than this is no offset within a cell
_LARGEST_LOG: Final = 12.0  # e^12 cells are more than any input has
_MOST: Final = 300  # boxes that are looked at in one picture, the surest
_LAX: Final = 1e-3
_HALF_RANGE: Final = 60.0  # beyond it a sigmoid is 0 or 1


class Kind(StrEnum):
    """A family of output shapes, as ``detector.kind`` names it."""

    YOLOX = "yolox"
    YOLOX_DECODED = "yolox_decoded"
    RTDETR = "rtdetr"
    DETR = "detr"
    DETR_SOFTMAX = "detr_softmax"


@dataclass(frozen=True, slots=True)
class Layout:
    """Which output is what; names are the model's own, in the order the kind lists them."""

    kind: Kind
    names: tuple[str, ...]

    @property
    def letterboxes(self) -> bool:
        """Whether its pictures keep their shape."""
        return self.kind in (Kind.YOLOX, Kind.YOLOX_DECODED)


@dataclass(frozen=True, slots=True)
class Detections:
    """Boxes (n, 4) as left, top, right, bottom in picture pixels, scores (n,), classes (n,)."""

    boxes: Boxes
    scores: Floats
    classes: Labels

    def __len__(self) -> int:
        return len(self.scores)

    def only(self, chosen: Array) -> Detections:
        """Those of an index or mask."""
        return Detections(self.boxes[chosen], self.scores[chosen], self.classes[chosen])


NOTHING: Final = Detections(
    np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64)
)


def recognise(outputs: Mapping[str, Array], size: tuple[int, int], wanted: Kind | None) -> Layout:
    """The layout of a network's outputs for an input of ``size`` (height, width).

    ``wanted`` settles what shapes cannot tell. ``DetectorError`` where nothing fits.
    """
    layout = _yolox(outputs, size) or _rtdetr(outputs) or _detr(outputs)
    if layout is not None and wanted in (None, layout.kind):
        return layout
    if layout is not None and wanted is not None and len(layout.names) == _NAMES[wanted]:
        return Layout(wanted, layout.names)
    shapes = ", ".join(f"{name} {_shape(array)}" for name, array in outputs.items())
    asked = "" if wanted is None else f", and `kind: {wanted}` asks for one of them"
    raise DetectorError(
        f"its outputs ({shapes or 'none'}) for an input {size[1]} wide and {size[0]} high are none "
        "that are understood: YOLOX (1, N, 5 + classes), RT-DETR and D-FINE (labels, boxes, "
        f"scores), DETR (logits, boxes){asked}; docs/detector.md says how to export"
    )


_NAMES: Final[Mapping[Kind, int]] = {
    Kind.YOLOX: 1, Kind.YOLOX_DECODED: 1, Kind.RTDETR: 3, Kind.DETR: 2, Kind.DETR_SOFTMAX: 2,
}  # fmt: skip


def decode(
    layout: Layout,
    outputs: Mapping[str, Array],
    fit: Fit,
    size: tuple[int, int],
    least: float,
    classes: npt.ArrayLike,
) -> Detections:
    """The boxes of the wanted ``classes`` with a score of ``least`` or more, at most 300.

    Boxes of one thing may still be there twice: see ``without_doubles``.
    """
    arrays = [outputs[name] for name in layout.names]
    if layout.kind is Kind.RTDETR:
        labels, boxes, scores = arrays[0][0], arrays[1][0], arrays[2][0].astype(np.float32)
        kept = _surest(scores, np.isin(labels, classes), least)
        # Its corners were scaled to the picture by the network itself.
        found = boxes[kept].astype(np.float32), scores[kept], labels[kept].astype(np.int64)
    elif layout.letterboxes:
        rows = arrays[0][0].astype(np.float32)
        _probabilities(rows[:, 4:])
        best, scores = _best(rows[:, 5:])
        scores = scores * rows[:, 4]
        kept = _surest(scores, np.isin(best, classes), least)
        centres = _pixels(rows[:, :4], size, kept, layout.kind is Kind.YOLOX)
        found = fit.to_picture(_corners(centres)), scores[kept], best[kept]
    else:
        best, scores = _best(_chances(arrays[0][0].astype(np.float32), layout.kind))
        kept = _surest(scores, np.isin(best, classes), least)
        picture = np.array([fit.width_px, fit.height_px] * 2, np.float32)
        found = _corners(arrays[1][0][kept].astype(np.float32)) * picture, scores[kept], best[kept]
    return _sound(Detections(*found), fit)


def without_doubles(found: Detections, groups: Labels, overlap: float) -> Detections:
    """The surest of each set of boxes of one group that overlap by more (IoU)."""
    if not len(found):
        return found
    sides = np.concatenate([found.boxes[:, :2], found.boxes[:, 2:] - found.boxes[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxesBatched(
        sides.tolist(), found.scores.tolist(), groups.tolist(), 0.0, overlap
    )
    return found.only(np.sort(np.asarray(kept, np.int64).ravel()))


def _yolox(outputs: Mapping[str, Array], size: tuple[int, int]) -> Layout | None:
    if len(outputs) != 1:
        return None
    ((name, array),) = outputs.items()
    if array.ndim != 3 or array.shape[0] != 1 or array.shape[2] < 6 or not _is_float(array):
        return None
    if array.shape[1] not in [sum(cells(size, strides)) for strides in _STRIDES]:
        return None
    # Over all cells: offsets within a cell are near 0 or 1 and logarithms of either sign, decoded
    # centres fill the input and sizes are positive.
    boxes = array[0, :, :4].astype(np.float32)
    decoded = float(np.median(np.abs(boxes[:, :2]))) > _DECODED_PX and boxes[:, 2:].min() >= 0
    return Layout(Kind.YOLOX_DECODED if decoded else Kind.YOLOX, (name,))


def _rtdetr(outputs: Mapping[str, Array]) -> Layout | None:
    if len(outputs) != 3:
        return None
    boxes = [n for n, a in outputs.items() if a.ndim == 3 and a.shape[0] == 1 and a.shape[2] == 4]
    flat = {n: a for n, a in outputs.items() if a.ndim == 2 and a.shape[0] == 1}
    labels = [n for n, a in flat.items() if np.issubdtype(a.dtype, np.integer)]
    scores = [n for n, a in flat.items() if _is_float(a)]
    if not len(boxes) == len(labels) == len(scores) == 1:
        return None
    names = labels[0], boxes[0], scores[0]
    rows = {outputs[name].shape[1] for name in names}
    return Layout(Kind.RTDETR, names) if len(rows) == 1 and _is_float(outputs[boxes[0]]) else None


def _detr(outputs: Mapping[str, Array]) -> Layout | None:
    if len(outputs) != 2 or any(a.ndim != 3 or not _is_float(a) for a in outputs.values()):
        return None
    boxes = [n for n, a in outputs.items() if a.shape[2] == 4]
    if len(boxes) == 2:  # a network of four classes: its names decide
        boxes = [n for n in boxes if "box" in n or "det" in n]
    if len(boxes) != 1:
        return None
    (logits,) = (n for n in outputs if n != boxes[0])
    if outputs[logits].shape[:2] != outputs[boxes[0]].shape[:2] or outputs[logits].shape[0] != 1:
        return None
    return Layout(Kind.DETR, (logits, boxes[0]))


def cells(size: tuple[int, int], strides: tuple[int, ...]) -> list[int]:
    """How many cells each grid has over an input of (height, width)."""
    return [(size[0] // stride) * (size[1] // stride) for stride in strides]


def _pixels(rows: Floats, size: tuple[int, int], kept: Labels, raw: bool) -> Floats:
    """Centre x, y, width, height in input pixels of the kept rows (n, 4)."""
    chosen = rows[kept]
    if not raw:
        return chosen
    strides = next(s for s in _STRIDES if sum(cells(size, s)) == len(rows))
    ends = np.cumsum(cells(size, strides))
    level = np.searchsorted(ends, kept, side="right")
    first = np.concatenate([[0], ends[:-1]])[level]
    stride = np.array(strides)[level]
    row, column = np.divmod(kept - first, size[1] // stride)
    centre = (chosen[:, :2] + np.stack([column, row], axis=1)) * stride[:, None]
    extent = np.exp(np.minimum(chosen[:, 2:], _LARGEST_LOG)) * stride[:, None]
    return np.concatenate([centre, extent], axis=1).astype(np.float32)


def _corners(boxes: Floats) -> Floats:
    """Centre and size to left, top, right, bottom."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def _best(scores: Floats) -> tuple[Labels, Floats]:
    """Each row's likeliest class and its score."""
    best = scores.argmax(axis=1)
    return best, scores[np.arange(len(scores)), best]


def _chances(logits: Floats, kind: Kind) -> Floats:
    if kind is Kind.DETR:
        within = np.clip(logits, -_HALF_RANGE, _HALF_RANGE)
        return cast(Floats, 1.0 / (1.0 + np.exp(-within)))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return cast(Floats, (powers / powers.sum(axis=1, keepdims=True))[:, :-1])


def _surest(scores: Floats, wanted: Array, least: float) -> Labels:
    """Rows that are wanted and sure enough, at most ``_MOST``, in their own order."""
    if not np.isfinite(scores).all():
        raise DetectorError("its scores are not numbers (NaN or infinite); export it anew")
    kept = np.flatnonzero(wanted & (scores >= least))
    if len(kept) > _MOST:
        surest = np.argpartition(-scores[kept], _MOST)[:_MOST]
        kept = np.sort(kept[surest])
    return kept.astype(np.int64)


def _probabilities(scores: Floats) -> None:
    # NaN fails no comparison here; it is found with the scores.
    if scores.size and (scores.min() < -_LAX or scores.max() > 1 + _LAX):
        raise DetectorError(
            "its objectness and class scores are not between 0 and 1; export it with the sigmoid"
        )


def _sound(found: Detections, fit: Fit) -> Detections:
    """Cut to the picture; what has no extent there is left out."""
    if not np.isfinite(found.boxes).all():
        raise DetectorError("its boxes are not numbers (NaN or infinite); export it anew")
    limits = np.array([fit.width_px, fit.height_px] * 2, np.float32)
    boxes = np.clip(found.boxes, 0.0, limits)
    real = (boxes[:, 2] - boxes[:, 0] >= 1.0) & (boxes[:, 3] - boxes[:, 1] >= 1.0)
    return Detections(boxes, found.scores, found.classes).only(real)


def _is_float(array: Array) -> bool:
    return bool(np.issubdtype(array.dtype, np.floating))


def _shape(array: Array) -> str:
    return "x".join(str(side) for side in array.shape) or "scalar"
