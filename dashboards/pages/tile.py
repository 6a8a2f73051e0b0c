"""A camera on the wall: its live picture, and what is known of it."""

from __future__ import annotations

from typing import Final

from dashboards.cameras import CameraNow
from dashboards.pages.html import box, icon, set_attribute, set_text, text
from dashboards.pages.live_view import LiveView
from dashboards.strings import Words
from monitor.domain import CameraStatus, Severity, ViewCondition

_WAITING: Final = frozenset({CameraStatus.CONNECTING.value, "unknown"})


class CameraTile:
    """Built once per page; ``show`` makes it true again, sending only what changed."""

    def __init__(self, camera: CameraNow, words: Words) -> None:
        self._words = words
        with box("article", "cw-tile", data_camera=camera.camera, aria_label=camera.name) as tile:
            self._tile = tile
            with box(classes="cw-tile__picture"):
                self._live = LiveView(camera.camera, camera.name, words, active=camera.is_live)
                with box(classes="cw-tile__top"):
                    self._view = text("", "cw-badge cw-badge--warn cw-tile__view")
                    self._alert = text("", "cw-badge cw-tile__alert")
                with box(classes="cw-tile__reason") as self._reason_box:
                    icon("videocam_off")
                    self._reason_title = text("", "cw-tile__reason-title")
                    self._reason = text("", "cw-tile__reason-text", "p")
                with box(
                    "button",
                    "cw-tile__full",
                    type="button",
                    title=words("tile.fullscreen"),
                    aria_label=f"{words('tile.fullscreen')}: {camera.name}",
                ) as full:
                    icon("fullscreen")
                full.on("click", js_handler=_TOGGLE_FULLSCREEN)
            with box(classes="cw-tile__foot"):
                box("span", "cw-badge__dot")
                text(camera.name, "cw-tile__name", "h3")
                self._status = text("", "cw-tile__status")
                self._figures = text("", "cw-tile__figures")
        self.show(camera, None)

    def show(self, now: CameraNow, alert: Severity | None) -> None:
        """``alert`` is the severity of an incident of the last minutes."""
        words = self._words
        status = now.status if now.is_live or now.status != "online" else "stalled"
        set_attribute(self._tile, "data-status", status)
        tone = "live" if now.is_live else "wait" if status in _WAITING else "bad"
        set_attribute(self._tile, "data-tone", tone)
        set_attribute(self._tile, "data-severity", alert.value if alert else "")
        set_text(self._status, words(f"status.{status}"))
        view = now.view if now.is_live else None
        unusual = view if view is not ViewCondition.NORMAL else None
        set_text(self._view, words(f"view.{unusual.value}") if unusual else "")
        set_text(self._alert, words(f"severity.{alert.value}") if alert else "")
        set_text(self._reason_title, words(f"status.{status}"))
        set_text(self._reason, self._detail(now))
        set_text(self._figures, " · ".join(self._measures(now)))
        self._live.set_active(now.is_live)

    def _detail(self, now: CameraNow) -> str:
        if now.state is None:
            return self._words("tile.unknown")
        return now.state.detail

    def _measures(self, now: CameraNow) -> list[str]:
        words, state = self._words, now.state
        if state is None:
            return []
        found = []
        if now.is_live and state.width and state.height:
            found.append(f"{state.width}×{state.height}")
        if now.is_live and state.fps:
            found.append(words("tile.fps", fps=round(state.fps)))
        if now.is_live and state.bitrate_bps:
            found.append(words("tile.mbps", mbps=f"{state.bitrate_bps / 1e6:.1f}"))
        if now.age_s is not None:
            age = f"< {words.age(1)}" if now.age_s < 1 else words.age(now.age_s)
            found.append(words("tile.age", age=age))
        if state.reconnects:
            found.append(words("tile.reconnects", count=state.reconnects))
        day = now.last_day
        if day.opened:
            found.append(
                words(
                    "tile.candidates",
                    opened=day.opened, confirmed=day.confirmed, dismissed=day.dismissed,
                )
            )  # fmt: skip
        return found


_TOGGLE_FULLSCREEN: Final = """(event) => {
    const picture = event.currentTarget.closest('.cw-tile__picture');
    if (document.fullscreenElement) document.exitFullscreen();
    else picture.requestFullscreen();
}"""
