"""What is learned of a view: what teaches it, what does not, and that it survives as bytes."""

from __future__ import annotations

import math
import zlib

import numpy as np
import numpy.typing as npt
import pytest

from monitor.errors import SceneMemoryError
from monitor.trigger.blobs import PixelBox
from monitor.trigger.normal import KnownViews, SceneMemory
from monitor.trigger.normal.limits import VEHICLES_PER_HOUR, WAITS_PER_HOUR
from monitor.trigger.normal.record import MAX_BYTES
from monitor.trigger.normal.wolves import MOST
from tests.moving import HEIGHT_PX, WIDTH_PX, drive_over, fractions

T0 = 1_760_000_000_000
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
PLACE = fractions(PixelBox(270.0, 70.0, 40.0, 30.0))
ON_ROAD = (290 / WIDTH_PX, 95 / HEIGHT_PX)
OFF_ROAD = (290 / WIDTH_PX, 300 / HEIGHT_PX)


def learned(vehicles: int) -> SceneMemory:
    memory = SceneMemory()
    memory.tick(T0)
    drive_over(memory, vehicles)
    return memory


def pass_days(memory: SceneMemory, days: float, begin_ms: int = T0) -> int:
    """Watching goes on; returns the last time."""
    end_ms = begin_ms + round(days * 24 * 60) * MINUTE_MS
    for now_ms in range(begin_ms, end_ms + 1, MINUTE_MS):
        memory.tick(now_ms)
    return end_ms


def test_where_two_vehicles_have_driven_is_roadway() -> None:
    assert learned(2).is_roadway(*ON_ROAD)
    assert not learned(2).is_roadway(*OFF_ROAD), "nobody drove there"
    assert not learned(1).is_roadway(*ON_ROAD), "one may have been anything"


def test_a_vehicle_counts_once_per_cell() -> None:
    memory = SceneMemory()
    for _ in range(50):
        memory.drive(1, PLACE, (0.1, 0.0), 0.05)
    assert not memory.is_roadway(*ON_ROAD)


def test_the_usual_direction_and_speed_are_learned() -> None:
    memory = learned(12)
    usual = memory.usual_direction(*ON_ROAD)
    assert usual is not None
    assert (usual.dx, usual.dy) == pytest.approx((1.0, 0.0))
    assert usual.share == 1.0
    assert usual.spread_rad == pytest.approx(0.0, abs=0.01)
    assert memory.usual_direction(*OFF_ROAD) is None
    assert memory.usual_speed(*ON_ROAD) == pytest.approx((50 / 35, 50 / WIDTH_PX))


@pytest.mark.parametrize("degrees", [0.0, 20.0, 100.0, 190.0, -45.0])
def test_directions_are_finer_than_the_bins_they_are_counted_in(degrees: float) -> None:
    memory, angle = SceneMemory(), math.radians(degrees)
    for track in range(12):
        velocity = (0.1 * math.cos(angle), 0.1 * math.sin(angle))
        memory.drive(track, PLACE, velocity, 0.05)
    usual = memory.usual_direction(*ON_ROAD)
    assert usual is not None
    assert math.degrees(math.atan2(usual.dy, usual.dx)) == pytest.approx(
        (degrees + 180) % 360 - 180, abs=0.5
    )


def test_against_the_only_direction_is_against_and_across_is_not_said() -> None:
    memory = learned(12)
    assert memory.goes_against(*ON_ROAD, -1.0, 0.0) is True
    assert memory.goes_against(*ON_ROAD, 1.0, 0.0) is False
    assert memory.goes_against(*ON_ROAD, 0.0, 1.0) is None, "a side road"
    assert learned(5).goes_against(*ON_ROAD, -1.0, 0.0) is None, "too few to say"


def test_where_some_drive_the_other_way_nothing_is_against() -> None:
    memory = learned(12)
    for track in range(12):
        memory.drive(track, PLACE, (-0.1, 0.0), 0.05)
    assert memory.goes_against(*ON_ROAD, -1.0, 0.0) is None


def test_one_wrong_way_driver_teaches_little_and_many_change_what_is_usual() -> None:
    memory = learned(12)
    memory.drive(900, PLACE, (-0.1, 0.0), 0.05)
    assert memory.goes_against(*ON_ROAD, -1.0, 0.0) is True
    for track in range(901, 960):
        memory.drive(track, PLACE, (-0.1, 0.0), 0.05)
    assert memory.goes_against(*ON_ROAD, -1.0, 0.0) is None, "the lane was turned round"


def test_waiting_is_usual_where_two_have_waited() -> None:
    memory = learned(4)
    memory.waited(PLACE, 20.0)
    assert not memory.is_waiting_place(PLACE)
    assert memory.waits(*ON_ROAD) == 0.0
    memory.waited(PLACE, 30.0)
    assert memory.is_waiting_place(PLACE)
    assert memory.waits(*ON_ROAD) == pytest.approx(25.0)
    aside = (PLACE[0] + 0.3, *PLACE[1:])
    assert not memory.is_waiting_place(aside)


def test_waiting_while_others_pass_is_usual_where_it_was_before() -> None:
    memory = learned(4)
    for _ in range(4):
        memory.waited(PLACE, 20.0)
    assert not memory.is_passed(PLACE), "a red light for all lanes"
    assert memory.usual_wait_s(PLACE) == pytest.approx(20.0)
    for _ in range(2):
        memory.waited(PLACE, 20.0, passed=True)
    assert memory.is_passed(PLACE), "a bay, or a lane that turns"


def test_where_two_people_have_crossed_is_a_crossing_however_long_one_of_them_took() -> None:
    memory = learned(4)
    for _ in range(5):
        memory.crossed(7, *ON_ROAD)
    assert not memory.is_crossing(*ON_ROAD)
    memory.crossed(8, *ON_ROAD)
    assert memory.is_crossing(*ON_ROAD)
    again = SceneMemory.from_bytes(memory.to_bytes())
    assert again.is_crossing(*ON_ROAD)


def test_an_hour_of_standing_queues_does_not_make_a_busy_lane_a_waiting_place() -> None:
    memory, now_ms = SceneMemory(), T0
    for hour in range(5):
        memory.tick(now_ms := T0 + hour * HOUR_MS)
        drive_over(memory, VEHICLES_PER_HOUR, first=1000 * hour)
    for _ in range(60):
        memory.waited(PLACE, 600.0)
    assert not memory.is_waiting_place(PLACE)
    for hour in range(6, 9):  # but a bay that is used every hour is one
        memory.tick(now_ms := T0 + hour * HOUR_MS)
        for _ in range(WAITS_PER_HOUR):
            memory.waited(PLACE, 40.0)
    assert now_ms > T0
    assert memory.is_waiting_place(PLACE)


def test_an_hour_teaches_no_more_than_so_many_vehicles() -> None:
    memory = learned(10 * VEHICLES_PER_HOUR)
    usual = memory.usual_direction(*ON_ROAD)
    assert usual is not None
    assert usual.vehicles == pytest.approx(VEHICLES_PER_HOUR)


def test_around_an_open_candidate_nothing_is_learned() -> None:
    memory = SceneMemory()
    memory.tick(T0)
    memory.suspend(PLACE, alert=False)
    drive_over(memory, 4)
    assert not memory.is_roadway(*ON_ROAD)
    far = (0.9, ON_ROAD[1])
    assert memory.is_roadway(*far)
    memory.tick(T0 + 21_000)
    drive_over(memory, 4, first=200)
    assert memory.is_roadway(*ON_ROAD)


def test_while_an_alert_is_open_no_waiting_is_usual_anywhere() -> None:
    memory = learned(4)
    memory.suspend((0.9, 0.9, 0.05, 0.05), alert=True)
    for _ in range(3):
        memory.waited(PLACE, 60.0)
    assert not memory.is_waiting_place(PLACE)


def test_it_fades_over_days_of_watching_not_of_being_away() -> None:
    memory = learned(100)
    memory.tick(T0 + 30 * 24 * HOUR_MS)
    away = memory.usual_direction(*ON_ROAD)
    assert away is not None
    assert away.vehicles == pytest.approx(100.0, rel=0.01)
    pass_days(memory, 3.0, T0 + 30 * 24 * HOUR_MS)
    faded = memory.usual_direction(*ON_ROAD)
    assert faded is not None
    assert faded.vehicles == pytest.approx(50.0, rel=0.01)


def test_a_cell_that_cries_wolf_is_believed_less_each_time() -> None:
    memory = SceneMemory()
    heard = [memory.wolf(*OFF_ROAD)]
    for hour in range(6):
        memory.tick(T0 + hour * HOUR_MS)
        for _ in range(20):  # an hour of crying counts a little only
            memory.cried(*OFF_ROAD)
        heard.append(memory.wolf(*OFF_ROAD))
    assert heard[0] == 0.0
    assert heard == sorted(heard)
    assert 0.4 < heard[1] <= heard[-1] <= MOST
    assert memory.wolf(*ON_ROAD) == 0.0, "elsewhere it is believed"
    for _ in range(5):
        memory.confirmed(*OFF_ROAD)
    assert memory.wolf(*OFF_ROAD) < heard[-1], "some were right"


def test_where_much_traffic_passes_without_a_cry_one_cry_counts_less() -> None:
    quiet, busy = SceneMemory(), learned(VEHICLES_PER_HOUR)
    for memory in (quiet, busy):
        memory.cried(*ON_ROAD)
        memory.cried(*ON_ROAD)
    assert busy.wolf(*ON_ROAD) < 0.7 * quiet.wolf(*ON_ROAD)


def test_leaves_that_flicker_without_bodies_are_discounted_and_traffic_is_not() -> None:
    memory = SceneMemory()
    leaves, road = (slice(20, 60), slice(500, 560)), (slice(70, 100), slice(0, 640))
    for second in range(200):
        foreground = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
        bodies = foreground.copy()
        foreground[leaves] = 255 * (second % 2)
        foreground[road] = bodies[road] = 255
        memory.look(foreground, bodies)
    assert memory.wolf(530 / WIDTH_PX, 40 / HEIGHT_PX) > 0.3
    assert memory.wolf(*ON_ROAD) == 0.0
    assert memory.busy(*ON_ROAD) == pytest.approx(1.0)
    assert memory.busy(*OFF_ROAD) == 0.0


def test_flow_share_is_against_the_busiest_place() -> None:
    memory = learned(40)
    drive_over(memory, 10, y_px=200.0, first=900)
    assert memory.flow_share(*ON_ROAD) == pytest.approx(1.0)
    assert memory.flow_share(ON_ROAD[0], 225 / HEIGHT_PX) == pytest.approx(0.25)
    assert memory.flow_share(*OFF_ROAD) == 0.0
    assert SceneMemory().flow_share(*ON_ROAD) == 0.0


def test_it_survives_as_bytes() -> None:
    memory = learned(30)
    for _ in range(3):
        memory.waited(PLACE, 40.0)
        memory.cried(*OFF_ROAD)
    views = KnownViews(memory)
    views.settle(street(1), changed=False)
    data = memory.to_bytes()
    again = SceneMemory.from_bytes(data)
    assert again.is_roadway(*ON_ROAD)
    assert again.is_waiting_place(PLACE)
    assert again.waits(*ON_ROAD) == pytest.approx(40.0, rel=0.01)
    assert again.wolf(*OFF_ROAD) == pytest.approx(memory.wolf(*OFF_ROAD), rel=0.01)
    assert again.usual_direction(*ON_ROAD) == memory.usual_direction(*ON_ROAD)
    assert again.to_bytes() == data
    assert KnownViews(again).settle(street(1), changed=False) is again


def test_it_is_bounded_whatever_is_learned() -> None:
    memory, random = SceneMemory(), np.random.default_rng(4)
    now_ms = T0
    for hour in range(40):
        memory.tick(now_ms := T0 + hour * HOUR_MS)
        for track in range(VEHICLES_PER_HOUR):
            x, y, dx, dy = random.random(4)
            memory.drive(1000 * hour + track, (x, y, 0.1, 0.1), (dx - 0.5, dy - 0.5), 0.07)
            memory.waited((y, x, 0.1, 0.1), 100 * dx)
        memory.keep_only(set())
        mask = (random.random((27, 48)) > 0.5).astype(np.uint8) * 255
        memory.look(mask, 255 - mask)
    assert now_ms > T0
    assert len(memory.to_bytes()) < MAX_BYTES


def damaged(data: bytes) -> bytes:
    return data[:60] + bytes([data[60] ^ 1]) + data[61:]


def oversized(data: bytes) -> bytes:
    body = zlib.compress(bytes(10_000_000))
    return data[:5] + zlib.crc32(body).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    "spoil",
    [
        damaged, oversized,
        lambda data: data[:-1], lambda data: b"", lambda data: b"{}" * 30,
        lambda data: data[:4] + b"\x63" + data[5:],
        lambda data: data + bytes(MAX_BYTES),
    ],
)  # fmt: skip
def test_damaged_or_foreign_bytes_are_refused(spoil: object) -> None:
    assert callable(spoil)
    with pytest.raises(SceneMemoryError):
        SceneMemory.from_bytes(spoil(learned(3).to_bytes()))


def test_numbers_that_are_none_are_refused() -> None:
    memory = learned(3)
    memory._looks = float("nan")
    with pytest.raises(SceneMemoryError):
        SceneMemory.from_bytes(memory.to_bytes())


def test_what_is_seen_again_after_a_restart_teaches_nothing() -> None:
    memory = learned(3)
    assert memory.tick(T0 + 60_000)
    again = SceneMemory.from_bytes(memory.to_bytes())
    assert not again.tick(T0 + 45_000)
    assert again.tick(T0 + 60_150)
    back = SceneMemory.from_bytes(memory.to_bytes())
    assert back.tick(T0 - 5 * HOUR_MS), "the clock was set back"


def street(seed: int, gain: float = 1.0, noise: float = 0.0) -> npt.NDArray[np.uint8]:
    random = np.random.default_rng(seed)
    blocks = random.integers(40, 200, (12, 20)).astype(np.float32)
    luma = np.kron(blocks, np.ones((15, 16), np.float32)) * gain
    luma += np.random.default_rng(99).normal(0.0, noise, luma.shape)
    picture: npt.NDArray[np.uint8] = np.clip(luma, 0, 255).astype(np.uint8)
    return picture


def test_a_view_is_known_again_in_other_light_and_another_is_not_taken_for_it() -> None:
    memory = learned(20)
    views = KnownViews(memory)
    assert views.settle(street(1), changed=False) is memory, "the first view is its own"
    assert views.settle(street(1, gain=0.4, noise=6.0), changed=True) is memory, "night falls"
    other = views.settle(street(2), changed=True)
    assert other is not memory
    assert not other.is_roadway(*ON_ROAD)
    assert views.settle(street(1), changed=True) is memory, "turned back"
    assert views.memory is memory


def in_traffic(share: float) -> npt.NDArray[np.uint8]:
    """The first street, with vehicles over a share of it."""
    luma, vehicles = street(1).copy(), street(7)
    rows = round(share * luma.shape[0])
    luma[:rows] = vehicles[:rows]
    return luma


def test_at_a_start_traffic_does_not_make_it_another_view() -> None:
    memory = learned(20)
    KnownViews(memory).settle(street(1), changed=False)
    again = KnownViews(memory)
    assert again.settle(in_traffic(0.75), changed=False) is memory
    turned = KnownViews(memory)
    assert turned.settle(street(2), changed=False) is not memory, "while it was off"


def test_taken_for_another_view_by_mistake_it_is_known_again_when_looked_over() -> None:
    memory = learned(20)
    views = KnownViews(memory)
    views.settle(street(1), changed=False)
    assert views.settle(in_traffic(0.8), changed=True) is not memory
    assert views.kept is memory, "a short visit does not replace what is kept"
    assert views.refresh(street(1)) is memory


def test_another_view_that_was_not_noticed_is_when_looked_over() -> None:
    memory = learned(20)
    views = KnownViews(memory)
    views.settle(street(1), changed=False)
    assert views.refresh(street(1, gain=0.5)) is memory
    assert views.refresh(street(2)) is not memory


def test_views_are_forgotten_beyond_a_few() -> None:
    memory = learned(20)
    views = KnownViews(memory)
    views.settle(street(1), changed=False)
    for seed in range(10, 16):
        views.settle(street(seed), changed=True)
    assert views.settle(street(1), changed=True) is not memory
