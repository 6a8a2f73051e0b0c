"""Leaving cues out: what ``--without`` names, and a second look that does without them too.

A cue is a kind of evidence. It is taken away before anything is judged, so that it neither
triggers nor backs another; the second look itself can be left out as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final

from monitor.config.models import Camera
from monitor.domain import EvidenceKind, Trigger
from monitor.media.decode import Planes
from monitor.trigger.forensic.verdict import Verdict
from monitor.trigger.normal import SceneMemory
from workers.watching.look_back import Examine, cannot_tell

SECOND_LOOK: Final = "second_look"
_OTHER_NAMES: Final[dict[str, EvidenceKind]] = {"lamps": EvidenceKind.BRAKE_LIGHT_ONSET}


def kinds_of(names: Iterable[str]) -> frozenset[EvidenceKind]:
    """The kinds of evidence that cues stand for; ``ValueError`` names the words that are none."""
    known = {kind.value: kind for kind in EvidenceKind} | _OTHER_NAMES
    given = [name for name in names if name != SECOND_LOOK]
    unknown = sorted({name for name in given if name not in known})
    if unknown:
        raise ValueError(
            f"{', '.join(unknown)}: no such cue; there are {', '.join([*known, SECOND_LOOK])}"
        )
    return frozenset(known[name] for name in given)


@dataclass(frozen=True, slots=True)
class Without:
    """A second look that tells nothing of some kinds; with ``blind`` it cannot tell at all.

    Its verdict still stands on all that it measures itself: what the cues of watching are worth
    alone is seen with the second look left out.
    """

    examine: Examine
    kinds: Collection[EvidenceKind]
    blind: bool = False

    def __call__(
        self,
        pictures: Iterable[tuple[int, Planes]],
        trigger: Trigger,
        camera: Camera,
        memory: SceneMemory | None = None,
    ) -> Verdict:
        """As ``monitor.trigger.forensic.examine``."""
        if self.blind:
            return cannot_tell(trigger, "second looks are left out")
        found = self.examine(pictures, trigger, camera, memory)
        return replace(
            found, evidence=tuple(one for one in found.evidence if one.kind not in self.kinds)
        )
