"""Types that every noun uses."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

Box = tuple[float, float, float, float]
"""``(x, y, width, height)`` as fractions of the picture, origin at the top left."""

Fraction01 = Annotated[float, Field(ge=0.0, le=1.0)]
Sentence = Annotated[str, Field(min_length=1, max_length=600)]
STRICT = ConfigDict(extra="forbid")
"""For ``__pydantic_config__``: an unknown key in JSON is an error."""
