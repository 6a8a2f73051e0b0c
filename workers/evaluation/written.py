"""A catalogue as it is written: reading its JSON, and what is wrong with its fields.

Called by ``catalogue``. Nothing here knows what is scored. Other fields than those of the format
are left alone, but one that all but has the name of a known one is told: it is surely meant.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from monitor.errors import CatalogueError
from workers.evaluation import truth

Origin = Literal["real", "rendered"]

_SLACK: Final = 0.01
"""Of the picture: boxes are rounded, so one may seem to reach past it by so much."""
_ALIKE: Final = 0.8  # of difflib's ratio: one letter too many, too few or wrong


def _place(
    box: tuple[float, float, float, float] | None,
) -> tuple[float, float, float, float] | None:
    if box is None:
        return None
    x, y, width, height = box
    if width == 0.0 or height == 0.0:
        raise PydanticCustomError("box", "has no size; it is x, y, width, height")
    if x + width > 1.0 + _SLACK or y + height > 1.0 + _SLACK:
        raise PydanticCustomError("box", "reaches past the picture; it is x, y, width, height")
    return box


Seconds = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Value = Annotated[float, Field(allow_inf_nan=False)]
Place = Annotated[
    tuple[Fraction, Fraction, Fraction, Fraction] | None,
    Field(strict=False),
    AfterValidator(_place),
]
_OPEN: Final = ConfigDict(strict=True, extra="allow")


class WrittenAntecedent(BaseModel):
    """A labelled step on the way to an event."""

    model_config = _OPEN
    t_s: Seconds
    kind: str = ""
    what: str = ""


class WrittenEvent(BaseModel):
    """One labelled event."""

    model_config = _OPEN
    type: str = Field(min_length=1)
    start_s: Seconds
    peak_s: Seconds
    end_s: Seconds
    confidence: Fraction = 1.0
    onset_uncertainty_s: Seconds = 0.0
    box: Place = None
    description: str = ""
    value: Value | None = None
    incident_type: str = ""
    antecedents: list[WrittenAntecedent] = []


class WrittenMeasurement(BaseModel):
    """An exact truth to compare evidence of that kind with."""

    model_config = _OPEN
    type: str = Field(min_length=1)
    t_s: Seconds
    value: Value | None = None
    unit: str = ""
    box: Place = None


class WrittenEntry(BaseModel):
    """One clip."""

    model_config = _OPEN
    file: str = Field(min_length=1)
    source_family: str = Field(min_length=1)
    events: list[WrittenEvent]
    duration_s: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] | None = None
    origin: Origin = "real"
    light: str = ""
    camera: str = ""
    exclude: str = ""
    truth: str | None = None
    measurements: list[WrittenMeasurement] = []


def read(path: Path, problems: list[str]) -> tuple[list[tuple[str, Any]], Path]:
    """The raw entries, each with its name for a person, and the folder that they are relative to.

    An entry whose truth is wrong is left out and told in ``problems``; ``CatalogueError`` where
    the whole is no catalogue.
    """
    if path.is_dir():
        found = sorted(path.glob("*.truth.json"))
        if not found:
            raise CatalogueError(f"{path}: no *.truth.json in this folder")
        return [
            (_name(number, item), item)
            for number, one in enumerate(found)
            if (item := _told(problems, "", {"file": _video_of(one)}, one)) is not None
        ], path
    document = _json(path)
    if isinstance(document, dict) and "events" in document and "scenario" in document:
        item = {"file": _video_of(path)}
        return [(_name(0, item), _merged(item, document, path))], path.parent
    if isinstance(document, dict) and isinstance(document.get("clips"), list):
        document = document["clips"]
    if not isinstance(document, list):
        raise CatalogueError(f"{path}: must be a list of clips")
    entries: list[tuple[str, Any]] = []
    for number, item in enumerate(document):
        where = _name(number, item)
        whole = item
        if isinstance(item, dict) and isinstance(item.get("truth"), str):
            whole = _told(problems, f"{where}: truth: ", item, path.parent / item["truth"])
        if whole is not None or item is None:
            entries.append((where, whole))
    return entries, path.parent


def checked(
    item: Any, where: str, problems: list[str], remarks: list[str]
) -> WrittenEntry | None:  # fmt: skip
    """An entry whose every field is of its kind; None with what is wrong in ``problems``."""
    near = [f"{where}: {one}" for one in _nearly(item)]
    try:
        made = WrittenEntry.model_validate(item)
    except ValidationError as error:
        problems += [f"{where}: {one}" for one in truth.wrong(error)] + near
        return None
    remarks += near
    return made


def _nearly(item: Any) -> Iterator[str]:
    """Fields that are none, with the one that they are surely meant to be."""
    if not isinstance(item, dict):
        return
    yield from _misspelt("", item, WrittenEntry)
    for number, event in _members(item.get("events")):
        yield from _misspelt(f"events[{number}].", event, WrittenEvent)
        for step, one in _members(event.get("antecedents")):
            yield from _misspelt(
                f"events[{number}].antecedents[{step}].", one, WrittenAntecedent
            )  # fmt: skip
    for number, one in _members(item.get("measurements")):
        yield from _misspelt(f"measurements[{number}].", one, WrittenMeasurement)


def _members(several: Any) -> Iterable[tuple[int, dict[Any, Any]]]:
    return [
        (number, one)
        for number, one in enumerate(several if isinstance(several, list) else ())
        if isinstance(one, dict)
    ]


def _misspelt(prefix: str, given: dict[Any, Any], model: type[BaseModel]) -> Iterator[str]:
    for name in given:
        known = get_close_matches(str(name), model.model_fields, 1, _ALIKE)
        if known and name not in model.model_fields:
            yield f"{prefix}{name} is no field and left alone; {known[0]} is: is it meant?"


def _told(
    problems: list[str], where: str, item: dict[str, Any], path: Path
) -> dict[str, Any] | None:  # fmt: skip
    try:
        return _merged(item, _json(path), path)
    except CatalogueError as error:
        problems.append(f"{where}{error}")
        return None


def _merged(item: dict[str, Any], document: Any, path: Path) -> dict[str, Any]:
    try:
        return truth.merged(item, document)
    except CatalogueError as error:
        raise CatalogueError(f"{path}: {error}") from error


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # text, JSON, digits of a number; nesting
        raise CatalogueError(f"{path}: is not JSON that can be read ({error})") from error


def _video_of(path: Path) -> str:
    return path.name.removesuffix(".truth.json")


def _name(number: int, item: Any) -> str:
    file = item.get("file") if isinstance(item, dict) else None
    return f"entry {number} ({file})" if isinstance(file, str) else f"entry {number}"
