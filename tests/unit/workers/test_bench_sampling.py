"""When the comparison of sampling counts as won."""

from __future__ import annotations

import pytest

from workers.bench.sampling import BUDGETS, PICKERS, reached


def shares(ours: tuple[float, ...], others: tuple[float, ...]) -> dict[str, dict[str, float]]:
    """Per picker and budget; all the others alike."""
    names = [str(budget) for budget in BUDGETS]
    return {
        picker: dict(zip(names, ours if picker == "ours" else others, strict=True))
        for picker in PICKERS
    }


@pytest.mark.parametrize(
    ("ours", "others", "won"),
    [
        ((0.9, 1.0, 1.0, 1.0), (0.7, 0.9, 1.0, 1.0), True),
        ((0.9, 1.0, 1.0, 1.0), (0.7, 1.0, 1.0, 1.0), True),  # nobody can be ahead of all
        ((0.9, 0.9, 1.0, 1.0), (0.7, 0.9, 1.0, 1.0), False),  # level at 16 short of all
        ((0.7, 1.0, 1.0, 1.0), (0.7, 0.9, 1.0, 1.0), False),  # level at 8
        ((0.9, 1.0, 1.0, 0.99), (0.7, 0.9, 1.0, 1.0), False),  # behind at 64
        ((0.9, 0.9, 0.94, 1.0), (0.7, 0.8, 0.9, 0.9), False),  # under 95 % at 32
        ((0.9, 0.96, 0.96, 0.96), (0.7, 0.9, 0.96, 0.96), True),  # level at 32 will do
    ],
)
def test_ahead_where_few_pictures_are_sent_and_never_behind(
    ours: tuple[float, ...], others: tuple[float, ...], won: bool
) -> None:
    assert reached(shares(ours, others)) is won


def test_behind_a_single_one_of_them_is_behind() -> None:
    found = shares((0.9, 1.0, 1.0, 1.0), (0.7, 0.9, 1.0, 1.0))
    found["uniform"]["8"] = 0.95
    assert not reached(found)
