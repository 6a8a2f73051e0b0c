"""What the second look measures where the truth says that there was a contact.

So that measuring and explaining are seen apart from finding: the contact's time and place are
given, as a faultless trigger would give them; the rest is measured.
"""

from __future__ import annotations

import cv2

from monitor.config.models import Camera
from monitor.domain import Actor, Evidence, EvidenceKind
from monitor.trigger.forensic.approach import approach
from monitor.trigger.forensic.impulse import moments
from monitor.trigger.forensic.timeline import timeline, with_contact
from monitor.trigger.forensic.trajectories import trace
from monitor.trigger.forensic.window import Unusable, gather, steadied
from workers.evaluation.catalogue import Entry, Label
from workers.evaluation.lead_in import START_MS, units_of
from workers.watching.look_back import AFTER_MS, BEFORE_MS, pictures


def look(entry: Entry, label: Label) -> tuple[Evidence, ...]:
    """The evidence of the window around a labelled contact, the contact itself from the label."""
    cv2.setNumThreads(1)
    at_ms = START_MS + round(1000 * label.start_s)
    contact = Evidence(
        f"contact-truth-{at_ms}", EvidenceKind.CONTACT, at_ms, Actor.VEHICLE, 1.0,
        time_uncertainty_s=0.05, box=label.box,
    )  # fmt: skip
    units, params = units_of(entry.path)
    near = pictures(
        [(params, units)], at_ms - BEFORE_MS, at_ms + AFTER_MS, lambda: True
    )  # fmt: skip
    try:
        window = steadied(gather(near, at_ms))
    except Unusable:
        return (contact,)
    about_s = (at_ms - window.origin_ms) / 1000
    camera = Camera.model_validate({"id": "truth", "url": "rtsp://127.0.0.1/truth"})
    seen = moments(window, trace(window), window.empty(about_s))
    told = timeline(window, camera, None, None)
    return (
        *with_contact(told.evidence, contact), *approach(window, seen, told, contact)
    )  # fmt: skip
