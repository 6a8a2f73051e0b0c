"""What every section of streams.yaml is made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""Lower case letters, digits, ``-`` and ``_``: it goes into Redis keys, topics and file names."""

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Lang = Literal["en", "zh"]
Mode = Literal["standard", "thinking"]


class Section(BaseModel):
    """A frozen part of the file that refuses unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )
