from __future__ import annotations

from dataclasses import replace

from dashboards.feed import AlertFeed
from tests.alerts import PEAK_MS, explained, provisional


def test_a_higher_revision_takes_the_place_of_a_lower_one() -> None:
    feed = AlertFeed()
    assert feed.offer(provisional())
    assert feed.offer(explained())
    assert [alert.stage for alert in feed.recent(10)] == ["explained"]


def test_a_lower_revision_and_a_repeat_are_no_news() -> None:
    feed = AlertFeed()
    heard: list[int] = []
    feed.offer(explained())
    feed.listen(lambda alert: heard.append(alert.revision))
    assert not feed.offer(provisional())
    assert not feed.offer(explained())
    assert heard == []
    assert feed.recent(10) == [explained()]


def test_latest_peak_first_whatever_the_order_they_came_in() -> None:
    feed = AlertFeed()
    alerts = [provisional(f"cam{n}", peak_ms=PEAK_MS + 1000 * n) for n in range(3)]
    assert feed.offer_all([alerts[1], alerts[2], alerts[0]]) == 3
    assert feed.recent(2) == [alerts[2], alerts[1]]


def test_the_oldest_is_forgotten_when_it_is_full() -> None:
    feed = AlertFeed(capacity=2)
    alerts = [provisional(f"cam{n}", peak_ms=PEAK_MS + 1000 * n) for n in range(3)]
    feed.offer_all(alerts)
    assert feed.get(alerts[0].id) is None
    assert len(feed.recent(10)) == 2
    assert not feed.offer(alerts[0])


def test_a_listener_hears_until_it_ends_and_may_end_twice() -> None:
    feed = AlertFeed()
    heard: list[str] = []
    end = feed.listen(lambda alert: heard.append(alert.id))
    first = provisional()
    feed.offer(first)
    end()
    end()
    feed.offer(replace(first, revision=2))
    assert heard == [first.id]
