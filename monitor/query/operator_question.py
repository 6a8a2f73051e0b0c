"""A question somebody typed: bounded, and kept as data wherever it goes. Pure.

Called by ``causeway ask`` before anything else is done, and by ``prompting``. In the prompt it
stands as one quoted line: it cannot end its own quotation, begin a section, or spell one of the
model's control tokens (``<|im_end|>``, ``</think>``, ``<|video_pad|>``), which the server's
tokenizer would otherwise read as such wherever they stand.
"""

from __future__ import annotations

import json
import re
from typing import Final

from monitor.errors import QueryError

QUESTION_MAX: Final = 1000
"""Characters; a longer one is refused, not cut: the end of a question is often its point."""

_SPACE: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_UNSEEN: Final = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_BRACKETS: Final = str.maketrans("<>", "‹›")


def checked(text: str) -> str:
    """The question on one line; ``QueryError`` (``question``) if it is empty or too long."""
    if len(text) > QUESTION_MAX:
        raise QueryError(
            "question",
            f"a question has at most {QUESTION_MAX} characters and this one is longer: shorten it",
        )
    line = _SPACE.sub(" ", _UNSEEN.sub("", text)).strip()
    if not line:
        raise QueryError("question", "the question is empty: say what you want to know")
    return line


def quoted(text: str) -> str:
    """As it stands in a prompt."""
    return json.dumps(checked(text).translate(_BRACKETS), ensure_ascii=False)
