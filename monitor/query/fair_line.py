"""Who goes next: the most severe, and no camera twice while another waits. Pure.

A camera's queries come one after the other. While a query waits, no other camera has more than
one turn, the one it may have had already when the wait began included: so a flood from one
camera delays another by one query at most, and every wait ends. Among the cameras that this lets
go, the most severe query goes first, and of equals the one that came first.

Why somebody can always go: of the cameras with nothing running, nobody waits who has waited since
before the turn of the one whose last turn ended first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from monitor.domain import Severity

_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """A place in the line."""

    camera: str
    severity: Severity
    number: int  # rises; what came before has a lower one


class FairLine:
    """Waiting and running tickets; ``per_camera`` of a camera may run at once."""

    def __init__(self, per_camera: int = 1) -> None:
        self._per_camera = per_camera
        self._events = 0
        self._waiting: dict[Ticket, None] = {}
        self._running: dict[Ticket, None] = {}
        self._running_of: Counter[str] = Counter()
        self._ended: dict[str, int] = {}  # when a camera's last turn ended, in events

    @property
    def waiting(self) -> Iterable[Ticket]:
        """In the order they came."""
        return self._waiting.keys()

    @property
    def running(self) -> int:
        """How many have their turn now."""
        return len(self._running)

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, camera: str, severity: Severity) -> Ticket:
        """To the line."""
        self._events += 1
        ticket = Ticket(camera, severity, self._events)
        self._waiting[ticket] = None
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Out of the line, or at the end of its turn; once more does nothing."""
        self._waiting.pop(ticket, None)
        if ticket in self._running:
            del self._running[ticket]
            self._running_of[ticket.camera] -= 1
            self._events += 1
            self._ended[ticket.camera] = self._events
        if not self._waiting:
            self._ended.clear()  # whoever comes now has not waited during any of these turns

    def next(self, may_go: Callable[[Ticket], bool] = lambda _: True) -> Ticket | None:
        """The ticket whose turn begins now, of those that ``may_go`` at all; None: nobody."""
        heads: dict[str, Ticket] = {}
        since: dict[str, int] = {}
        for ticket in self._waiting:
            camera = ticket.camera
            if self._running_of[camera] >= self._per_camera or not may_go(ticket):
                continue
            since.setdefault(camera, max(ticket.number, self._ended.get(camera, 0)))
            if camera not in heads or _order(ticket) < _order(heads[camera]):
                heads[camera] = ticket
        idle = sorted((since[camera], camera) for camera in heads if not self._running_of[camera])
        fair = [ticket for ticket in heads.values() if not self._owes(ticket.camera, idle)]
        if not fair:
            return None
        chosen = min(fair, key=_order)
        del self._waiting[chosen]
        self._running[chosen] = None
        self._running_of[chosen.camera] += 1
        return chosen

    def least_urgent(self) -> Ticket:
        """Whom to turn away from a line too long: of the camera with most in it, who goes last."""
        crowd = Counter(ticket.camera for ticket in self._waiting)
        return max(self._waiting, key=lambda ticket: (crowd[ticket.camera], *_order(ticket)))

    def _owes(self, camera: str, idle: list[tuple[int, str]]) -> bool:
        """Whether the camera had a turn while another, that could go too, has been waiting."""
        ended = self._ended.get(camera, 0)
        for waiting_since, other in idle[:2]:
            if other != camera:
                return bool(self._running_of[camera]) or ended > waiting_since
        return False


def _order(ticket: Ticket) -> tuple[int, int]:
    return -_RANK[ticket.severity], ticket.number
