"""What was read and is not yet in the ring.

Bounded in seconds and bytes: while Redis is away the oldest GOPs are dropped, whole, and
counted. Only units are dropped, never codec parameters.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from monitor.capture.assembler import Product
from monitor.domain import AccessUnit

LONGEST_S: Final = 20.0
MOST_BYTES: Final = 32 * 1024 * 1024


class Backlog:
    """A queue of products in order, used in one thread."""

    def __init__(self, longest_s: float = LONGEST_S, most_bytes: int = MOST_BYTES) -> None:
        self.dropped = 0  # access units given up because Redis was away too long
        self._longest_ms = longest_s * 1000
        self._most_bytes = most_bytes
        self._products: deque[Product] = deque()
        self._bytes = 0
        self._torn = False  # the rest of a GOP follows whose beginning was dropped

    def put(self, products: Sequence[Product]) -> None:
        """Add at the end; what no longer fits is dropped from the beginning."""
        for product in products:
            if isinstance(product, AccessUnit):
                if self._torn and not product.is_key:
                    self.dropped += 1
                    continue
                self._torn = False
                self._bytes += len(product.data)
            self._products.append(product)
        self._shrink()

    def take(self, most_bytes: int) -> list[Product]:
        """Products from the beginning, up to about so many bytes, at least one if there is any."""
        taken: list[Product] = []
        size = 0
        while self._products and size < most_bytes:
            product = self._products.popleft()
            taken.append(product)
            if isinstance(product, AccessUnit):
                size += len(product.data)
        self._bytes -= size
        return taken

    def give_back(self, products: Sequence[Product]) -> None:
        """Products that were taken and could not be written: they go first again."""
        self._products.extendleft(reversed(products))
        self._bytes += sum(len(one.data) for one in products if isinstance(one, AccessUnit))
        self._shrink()

    def __len__(self) -> int:
        return len(self._products)

    def _shrink(self) -> None:
        while self._bytes > self._most_bytes or self._span_ms() > self._longest_ms:
            self._drop_oldest_gop()

    def _span_ms(self) -> int:
        products = self._products
        if not products:
            return 0
        first: Product | None = products[0]
        last: Product | None = products[-1]
        if not isinstance(first, AccessUnit):
            first = next((one for one in products if isinstance(one, AccessUnit)), None)
        if not isinstance(last, AccessUnit):
            last = next((one for one in reversed(products) if isinstance(one, AccessUnit)), None)
        return 0 if first is None or last is None else last.entry_ms - first.entry_ms

    def _drop_oldest_gop(self) -> None:
        kept: list[Product] = []
        dropped = 0
        while self._products:
            product = self._products[0]
            if isinstance(product, AccessUnit):
                if product.is_key and dropped:
                    break
                dropped += 1
                self._bytes -= len(product.data)
            else:
                kept.append(product)
            self._products.popleft()
        else:
            self._torn = True
        self.dropped += dropped
        self._products.extendleft(reversed(kept))
