"""How much a candidate counts in a cell that has cried wolf. Pure arithmetic."""

from __future__ import annotations

from typing import Final

from monitor.trigger.normal.grid import Layer, Layers

MOST: Final = 0.6

_DOUBT: Final = 2.0  # so many dismissed ones halve what the next counts
_CONFIRMED: Final = 3.0  # dismissed ones that a confirmed one makes good
_PASSES: Final = 0.01  # and that a vehicle which passes without a cry does
_FLICKER: Final = (0.1, 0.5)  # share of the time something strays here: little, very much
_MOST_FLICKER: Final = 0.5
_LOOKS: Final = 120.0  # seconds before flicker is believed


def discount(cell: Layers, looks: float) -> float:
    """0 to ``MOST``, from one cell's (COUNT,) counts and the number of looks.

    The share of false ones among what was called here, as a Beta prior would have it, where quiet
    passages count a little for the place; beside it flicker without bodies: leaves, a sign.
    """
    cried = float(cell[Layer.CRIED])
    good = _CONFIRMED * float(cell[Layer.CONFIRMED]) + _PASSES * float(cell[Layer.VEHICLES])
    called = cried / (cried + good + _DOUBT)
    flickers = 0.0
    if looks >= _LOOKS:
        low, high = _FLICKER
        share = float(cell[Layer.STRAY]) / looks
        flickers = _MOST_FLICKER * min(1.0, max(0.0, (share - low) / (high - low)))
    return min(MOST, 1.0 - (1.0 - called) * (1.0 - flickers))
