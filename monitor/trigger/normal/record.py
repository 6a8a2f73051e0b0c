"""A scene memory as bytes: versioned, checked, bounded. Pure; Redis is not known here.

    offset  0  4 bytes  magic
            4  1 byte   version
            5  4 bytes  CRC-32 of the rest
            9  ...      zlib: looks, learned until, three thumbnails, layers as 16-bit floats

Sixteen bits keep three digits, which is more than counts of vehicles mean. Another version is not
converted: a day of watching teaches as much again.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.errors import SceneMemoryError
from monitor.trigger.normal.grid import COLUMNS, COUNT, ROWS, Layers

VERSION: Final = 2
MAX_BYTES: Final = 64 * 1024

_MAGIC: Final = b"CWSM"
_PREFIX: Final = struct.Struct(">4sBI")
_HEADER: Final = struct.Struct(">dq?")
_SCALE: Final = 16.0  # so that half floats reach a million
_CELLS: Final = ROWS * COLUMNS
_RAW_BYTES: Final = _HEADER.size + 3 * _CELLS + 2 * COUNT * _CELLS

Thumbnail = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept. Thumbnails are (ROWS, COLUMNS) luma of the empty scene: now, its extremes."""

    layers: Layers
    looks: float
    learned_until_ms: int
    thumbnail: Thumbnail | None
    darkest: Thumbnail
    brightest: Thumbnail


def pack(record: Record) -> bytes:
    """At most ``MAX_BYTES``: even what does not compress is 57 kB."""
    known = record.thumbnail is not None
    thumbnail = record.thumbnail if known else np.zeros((ROWS, COLUMNS), np.uint8)
    assert thumbnail is not None
    limit = float(np.finfo(np.float16).max)
    layers = np.clip(record.layers / _SCALE, -limit, limit).astype(">f2")
    header = _HEADER.pack(record.looks, record.learned_until_ms, known)
    pictures = b"".join(one.tobytes() for one in (thumbnail, record.darkest, record.brightest))
    body = zlib.compress(header + pictures + layers.tobytes(), 6)
    return _PREFIX.pack(_MAGIC, VERSION, zlib.crc32(body)) + body


def unpack(data: bytes) -> Record:
    """Raises ``SceneMemoryError`` for anything that ``pack`` of this version did not write."""
    if len(data) < _PREFIX.size or len(data) > MAX_BYTES:
        raise SceneMemoryError(f"{len(data)} bytes are no scene memory")
    magic, version, checksum = _PREFIX.unpack_from(data)
    if magic != _MAGIC:
        raise SceneMemoryError("it is no scene memory")
    if version != VERSION:
        raise SceneMemoryError(f"its version is {version}, this is {VERSION}")
    body = data[_PREFIX.size :]
    if zlib.crc32(body) != checksum:
        raise SceneMemoryError("it is damaged")
    inflate = zlib.decompressobj()
    try:
        raw = inflate.decompress(body, _RAW_BYTES + 1)
    except zlib.error as error:
        raise SceneMemoryError("it is damaged") from error
    if len(raw) != _RAW_BYTES:
        raise SceneMemoryError("its size is wrong")
    looks, learned_until_ms, known = _HEADER.unpack_from(raw)
    at = _HEADER.size
    pictures = np.frombuffer(raw, np.uint8, 3 * _CELLS, at).reshape(3, ROWS, COLUMNS).copy()
    halves = np.frombuffer(raw, ">f2", COUNT * _CELLS, at + 3 * _CELLS)
    layers = halves.astype(np.float32).reshape(COUNT, ROWS, COLUMNS) * np.float32(_SCALE)
    if not (np.isfinite(layers).all() and np.isfinite(looks) and looks >= 0.0):
        raise SceneMemoryError("it holds what is no number")
    thumbnail = pictures[0] if known else None
    return Record(layers, looks, learned_until_ms, thumbnail, pictures[1], pictures[2])
