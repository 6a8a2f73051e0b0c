"""95 % intervals of rates and of counts. Pure arithmetic.

Three sampling phases of one clip are one observation made three times, so counts come in as means
over the phases and need not be whole numbers.
"""

from __future__ import annotations

import math
from typing import Final

_Z: Final = 1.959963984540054  # two-sided 95 % of the normal distribution
_TAIL: Final = 0.025


def wilson(hits: float, trials: float) -> tuple[float, float] | None:
    """Interval of a proportion (E. B. Wilson, JASA 22, 1927); None without trials."""
    if trials <= 0:
        return None
    if not 0 <= hits <= trials + 1e-9:
        raise ValueError(f"{hits} hits of {trials} trials")
    share = min(1.0, hits / trials)
    scale = 1 + _Z**2 / trials
    middle = (share + _Z**2 / (2 * trials)) / scale
    half = _Z / scale * math.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def poisson(count: float) -> tuple[float, float]:
    """Exact interval of a Poisson mean (F. Garwood, Biometrika 28, 1936)."""
    if count < 0:
        raise ValueError(f"a count of {count}")
    low = 0.0 if count == 0 else _gamma_quantile(count, _TAIL)
    return min(low, count), _gamma_quantile(count + 1.0, 1.0 - _TAIL)


def per_hour(count: float, hours: float) -> tuple[float, float, float] | None:
    """Rate, lower and upper bound; None where nothing was watched."""
    if hours <= 0:
        return None
    low, high = poisson(count)
    return count / hours, low / hours, high / hours


def percentile(values: list[float], share: float) -> float | None:
    """Linear between the two nearest; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    below = math.floor(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])


def _gamma_quantile(shape: float, share: float) -> float:
    """The x at which the regularised lower incomplete gamma function is ``share``."""
    low, high = 0.0, shape + 10.0
    while _lower_gamma(shape, high) < share:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if _lower_gamma(shape, middle) < share:
            low = middle
        else:
            high = middle
        if high - low < 1e-12 * max(1.0, high):
            break
    return (low + high) / 2


def _lower_gamma(shape: float, x: float) -> float:
    """P(shape, x): by its series below shape + 1, else by Lentz's continued fraction."""
    if x <= 0:
        return 0.0
    front = math.exp(-x + shape * math.log(x) - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        step = shape
        while abs(term) > 1e-16 * abs(total):
            step += 1
            term *= x / step
            total += term
        return front * total
    b = x + 1 - shape
    c, d = 1e300, 1 / b
    fraction = d
    for i in range(1, 10_000):
        a = -i * (i - shape)
        b += 2
        d = 1 / (a * d + b)
        c = b + a / c
        fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return 1 - front * fraction
