"""The order of turns, as properties of whatever may come."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain import Severity
from monitor.query.fair_line import FairLine, Ticket

CAMERAS = ("a", "b", "c", "d")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.sampled_from(CAMERAS), st.sampled_from(list(Severity))),
        st.tuples(st.just("end"), st.integers(0, 9), st.none()),
        st.tuples(st.just("give up"), st.integers(0, 9), st.none()),
    ),
    max_size=80,
)


@dataclass
class Court:
    """Runs a line with so many slots and notes who was served while whom waited."""

    slots: int
    per_camera: int = 1
    line: FairLine = field(init=False)
    running: list[Ticket] = field(default_factory=list)
    served: list[Ticket] = field(default_factory=list)
    joined: list[Ticket] = field(default_factory=list)
    gone: list[Ticket] = field(default_factory=list)
    during: dict[str, Counter[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.line = FairLine(self.per_camera)

    def join(self, camera: str, severity: Severity) -> Ticket:
        ticket = self.line.join(camera, severity)
        self.joined.append(ticket)
        if camera not in self.during and not self._runs(camera):
            self._wait_begins(camera)
        self.serve()
        return ticket

    def end(self, ticket: Ticket) -> None:
        self.running.remove(ticket)
        self.line.leave(ticket)
        if self._waits(ticket.camera) and not self._runs(ticket.camera):
            self._wait_begins(ticket.camera)
        self.serve()

    def give_up(self, ticket: Ticket) -> None:
        self.line.leave(ticket)
        self.gone.append(ticket)
        if not self._waits(ticket.camera):
            self.during.pop(ticket.camera, None)
        self.serve()

    def serve(self) -> None:
        while len(self.running) < self.slots:
            startable = {
                ticket.camera
                for ticket in self.line.waiting
                if self._count(ticket.camera) < self.per_camera
            }
            ticket = self.line.next()
            if ticket is None:
                assert not startable, "a free slot, somebody waits, and nobody goes"
                return
            assert ticket.camera in startable
            self.running.append(ticket)
            self.served.append(ticket)
            self.during.pop(ticket.camera, None)
            for camera, turns in self.during.items():
                turns[ticket.camera] += 1
                assert turns[ticket.camera] <= 1, f"{ticket.camera} delays {camera} twice"

    def _wait_begins(self, camera: str) -> None:
        self.during[camera] = Counter({one.camera: 1 for one in self.running})

    def _waits(self, camera: str) -> bool:
        return any(ticket.camera == camera for ticket in self.line.waiting)

    def _runs(self, camera: str) -> bool:
        return self._count(camera) > 0

    def _count(self, camera: str) -> int:
        return sum(ticket.camera == camera for ticket in self.running)


@settings(max_examples=400, deadline=None)
@given(steps=STEPS, slots=st.integers(1, 3), per_camera=st.integers(1, 2))
def test_no_camera_has_two_turns_while_another_waits_and_nobody_is_forgotten(
    steps: list[tuple[str, str | int, Severity | None]], slots: int, per_camera: int
) -> None:
    court = Court(slots, per_camera)
    for act, which, severity in steps:
        if isinstance(which, str):
            assert severity is not None
            court.join(which, severity)
        elif act == "end" and court.running:
            court.end(court.running[which % len(court.running)])
        elif act == "give up" and len(court.line):
            waiting = list(court.line.waiting)
            court.give_up(waiting[which % len(waiting)])
        assert court.line.running == len(court.running) <= slots
    while court.running:
        court.end(court.running[0])
    assert {*court.served, *court.gone} == set(court.joined)
    assert len(court.served) + len(court.gone) == len(court.joined)


@settings(max_examples=100, deadline=None)
@given(severities=st.lists(st.sampled_from(list(Severity)), min_size=1, max_size=30))
def test_over_cameras_that_wait_once_the_most_severe_goes_first(severities: list[Severity]) -> None:
    line = FairLine()
    tickets = [line.join(f"cam-{n}", severity) for n, severity in enumerate(severities)]
    order = list(Severity)
    expected = sorted(tickets, key=lambda one: (-order.index(one.severity), one.number))
    found = []
    while (ticket := line.next()) is not None:
        found.append(ticket)
        line.leave(ticket)
    assert found == expected


def test_a_flood_of_grave_ones_delays_a_light_one_by_one() -> None:
    court = Court(slots=1)
    for _ in range(50):
        court.join("loud", Severity.CRITICAL)
    court.join("quiet", Severity.LOW)
    court.end(court.running[0])
    assert court.served[-1].camera == "quiet", "the loud one had its turn when the quiet one came"


def test_within_a_camera_the_most_severe_goes_first() -> None:
    court = Court(slots=1)
    court.join("other", Severity.LOW)
    court.join("a", Severity.LOW)
    grave = court.join("a", Severity.HIGH)
    court.end(court.running[0])
    assert court.running == [grave]


def test_who_cannot_go_anyway_holds_nobody_up() -> None:
    line = FairLine()
    first = line.join("a", Severity.LOW)
    assert line.next() is first
    stuck = line.join("b", Severity.CRITICAL)
    again = line.join("a", Severity.LOW)
    line.leave(first)
    assert line.next(lambda ticket: ticket is not stuck) is again


def test_a_line_too_long_turns_away_the_least_urgent_of_the_loudest() -> None:
    line = FairLine()
    line.join("quiet", Severity.LOW)
    line.join("loud", Severity.CRITICAL)
    least = line.join("loud", Severity.LOW)
    line.join("loud", Severity.HIGH)
    assert line.least_urgent() is least
