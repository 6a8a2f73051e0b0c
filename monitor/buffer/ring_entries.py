"""How access units and codec parameters stand in a ring's entries."""

from __future__ import annotations

import json
from typing import Any

from monitor.buffer.connection import entries_of
from monitor.domain import AccessUnit, CodecParameters, VideoCodec


async def edge_ms(query: Any) -> int | None:
    """The id in milliseconds of the one entry a query asks for; None where there is none."""
    entries = entries_of(await query)
    return _ms(entries[0][0]) if entries else None


def _ms(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])


def unit_of(entry_id: bytes, fields: dict[bytes, bytes]) -> AccessUnit:
    """The access unit of an entry."""
    entry_ms = _ms(entry_id)
    return AccessUnit(
        entry_ms=entry_ms,
        capture_ms=entry_ms + int(fields.get(b"o", 0)),
        is_key=b"k" in fields,
        generation=int(fields[b"g"]),
        data=fields[b"d"],
    )


def codec_json(params: CodecParameters) -> str:
    """A generation as it is stored."""
    return json.dumps(
        {
            "codec": params.codec.value,
            "width": params.width,
            "height": params.height,
            "extradata": params.extradata.hex(),
            "fps": params.fps,
            "generation": params.generation,
        }
    )


def codec_of(text: bytes | str) -> CodecParameters:
    """The generation that was stored."""
    found = json.loads(text)
    return CodecParameters(
        codec=VideoCodec(found["codec"]),
        width=found["width"],
        height=found["height"],
        extradata=bytes.fromhex(found["extradata"]),
        fps=found["fps"],
        generation=found["generation"],
    )
