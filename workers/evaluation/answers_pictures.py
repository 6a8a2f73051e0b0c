"""The clip at the stated and at the labelled times, side by side, as one JPEG per answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from monitor.media.window import Wanted, decode_wanted
from workers.evaluation.answers_score import Score
from workers.evaluation.catalogue import Entry
from workers.evaluation.lead_in import START_MS, units_of

_WIDTH: Final = 384
_BAR_PX: Final = 22
_GAP_PX: Final = 6
_QUALITY: Final = 80
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_INK: Final = (235, 235, 235)

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Row:
    """A stated antecedent beside the labelled one; either may be missing. Seconds of the clip."""

    stated_s: float | None
    stated: str
    true_s: float | None
    true: str

    @property
    def error_s(self) -> float | None:
        """Positive: stated too late."""
        if self.stated_s is None or self.true_s is None:
            return None
        return self.stated_s - self.true_s


def rows(score: Score) -> list[Row]:
    """The answer's three in their order, then labelled ones that none was matched with."""
    by_number = {one.stated: one for one in score.matched}
    answer, made = score.given.answer, []
    for number, one in enumerate(() if answer is None else answer.antecedents):
        matched = by_number.get(number)
        at_s = None if one.t_s is None else score.given.case.clip_s(one.t_s)
        step = None if matched is None else matched.step
        made.append(
            Row(
                at_s,
                one.kind,
                None if step is None else step.t_s,
                "" if step is None else step.what,
            )
        )
    taken = [one.step for one in score.matched]
    made += [Row(None, "", step.t_s, step.what) for step in score.steps if step not in taken]
    return made


def pictures(entry: Entry, scores: Sequence[Score]) -> list[bytes | None]:
    """One JPEG for each score of this clip; None where there is no time to show.

    ``MediaError`` where the clip cannot be read.
    """
    all_rows = [rows(one) for one in scores]
    times = sorted(
        {at for some in all_rows for row in some for at in (row.stated_s, row.true_s)
         if at is not None}
    )  # fmt: skip
    if not times:
        return [None] * len(scores)
    units, params = units_of(entry.path)
    wanted = [Wanted(START_MS + round(1000 * at_s), _WIDTH) for at_s in times]
    stills = decode_wanted(units, params, wanted, 1)
    found: dict[float, Image] = {}
    for at_s, still in zip(times, stills, strict=True):
        if still is not None:
            picture = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None
            found[at_s] = np.asarray(picture, np.uint8)
    if not found:
        return [None] * len(scores)
    shape = next(iter(found.values())).shape
    return [_composed(some, found, shape) if some else None for some in all_rows]


def _composed(
    some: Sequence[Row], found: dict[float, Image], shape: tuple[int, ...]
) -> bytes:  # fmt: skip
    height, width = shape[:2]
    high = height + _BAR_PX + _GAP_PX
    sheet = np.zeros((high * len(some), 2 * width + _GAP_PX, 3), np.uint8)
    for number, row in enumerate(some):
        top = number * high
        error = "" if row.error_s is None else f"  {row.error_s:+.2f} s"
        stated = "not seen" if row.stated_s is None and row.stated else "nothing stated"
        if row.stated_s is not None:
            stated = f"stated {row.stated_s:.2f} s  {row.stated}{error}"
        true = "no label" if row.true_s is None else f"labelled {row.true_s:.2f} s  {row.true}"
        _put(sheet, _at(found, row.stated_s), top, 0, stated, width)
        _put(sheet, _at(found, row.true_s), top,
             width + _GAP_PX, true, width)  # fmt: skip
    done, encoded = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done
    return encoded.tobytes()


def _put(
    sheet: npt.NDArray[Any], picture: Image | None, top: int, left: int, text: str, width: int
) -> None:
    plain = text.encode("ascii", "replace").decode()  # OpenCV's font has no other letters
    cv2.putText(sheet, plain[: width // 7], (left + 4, top + 15), _FONT, 0.42, _INK, 1, cv2.LINE_AA)
    if picture is not None:
        high, wide = picture.shape[:2]
        sheet[top + _BAR_PX : top + _BAR_PX + high, left : left + wide] = picture


def _at(found: dict[float, Image], at_s: float | None) -> Image | None:
    return None if at_s is None else found.get(at_s)
