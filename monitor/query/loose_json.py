"""One JSON object out of a model's text: between fences and chatter, or cut in the middle."""

from __future__ import annotations

import json
from typing import Any

_MAX_DEPTH = 64
_ENOUGH_TRIES = 8


class NotJson(ValueError):
    """There is no JSON object in the text, not even the beginning of one."""


def loads(text: str) -> tuple[dict[str, Any], bool]:
    """The first object that has members, and whether it had to be closed because it was cut.

    Raw control characters in strings are accepted; NaN and Infinity become None; text around
    the object is passed over. A value that was cut short is dropped if it is not a string.
    """
    after_thought = text.rpartition("</think>")[2]
    start = after_thought.find("{")
    for _ in range(_ENOUGH_TRIES):
        if start < 0:
            break
        found = _whole(after_thought, start)
        if found:
            return found, False
        if found is None and (closed := _closed(after_thought[start:])):
            return closed, True
        start = after_thought.find("{", start + 1)
    raise NotJson("the text holds no JSON object")


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(strict=False, parse_constant=lambda _: None)


def _whole(text: str, start: int) -> dict[str, Any] | None:
    try:
        found, _ = _decoder().raw_decode(text, start)
    except (ValueError, RecursionError):  # ValueError: also a number of thousands of digits
        return None
    return found if isinstance(found, dict) else None


def _closed(text: str) -> dict[str, Any] | None:
    """The object with what was cut off left out: at the last place that can be closed."""
    for end, closers in _places_to_close(text):
        found = _whole(text[:end] + closers, 0)
        if found:
            return found
    return None


def _places_to_close(text: str) -> list[tuple[int, str]]:
    """(end, what closes it), the best first; the last string is kept as far as it goes."""
    stack: list[str] = []
    places: list[tuple[int, str]] = []
    in_string = escaped = False
    for index, letter in enumerate(text):
        if in_string:
            if escaped:
                escaped = False
            elif letter == "\\":
                escaped = True
            elif letter == '"':
                in_string = False
                places.append((index + 1, "".join(reversed(stack))))
        elif letter == '"':
            in_string = True
        elif letter in "{[":
            stack.append("}" if letter == "{" else "]")
            if len(stack) > _MAX_DEPTH:
                return []
            places.append((index + 1, "".join(reversed(stack))))
        elif letter in "}]":
            if not stack or stack.pop() != letter:
                break
            places.append((index + 1, "".join(reversed(stack))))
        elif letter == ",":
            places.append((index, "".join(reversed(stack))))
        places = places[-8:]
    if in_string:
        body = text[:-1] if escaped else text
        places.append((len(body), '"' + "".join(reversed(stack))))
        if (unicode_escape := body.rfind("\\u")) >= len(body) - 6:
            places.append((max(unicode_escape, 0), '"' + "".join(reversed(stack))))
    return places[::-1]
