"""A walking person: limbs swung by the phase of the stride."""

from __future__ import annotations

import math

import numpy as np

from monitor.scene.camera import Array, PinholeCamera
from monitor.scene.drawing import Patch, Sprite
from monitor.scene.light import Light
from monitor.scene.pedestrians import Person, PersonState

_SKIN = (118, 144, 184)
_HAIR = (34, 40, 52)
_SHOES = (34, 34, 38)


def person_sprite(
    size: tuple[int, int], camera: PinholeCamera, light: Light, person: Person, state: PersonState
) -> Sprite | None:
    """One person, standing or walking; None where they are out of the picture."""
    height = person.height_m
    ahead = np.array([math.cos(state.heading), math.sin(state.heading), 0.0])
    left = np.array([-ahead[1], ahead[0], 0.0])
    foot = np.array([state.x, state.y, 0.0])
    swing = math.sin(state.phase) if state.speed > 0.05 else 0.12
    joints = _joints(height, foot, ahead, left, swing)
    points = np.array(list(joints.values()))
    depths = camera.depth(points)
    if depths.min() < 1.0:
        return None
    names = list(joints)
    pixels = dict(zip(names, camera.project(points) * size, strict=True))
    depth = float(depths.mean())
    metre = camera.focal * size[0] / depth
    spread = np.array(list(pixels.values()))
    patch = Patch(size, np.concatenate([spread - 0.16 * metre, spread + 0.16 * metre]))
    if patch.empty:
        return None
    _limbs(patch, pixels, metre, person, light, swing)
    return patch.sprite(depth)


def _joints(
    height: float, foot: Array, ahead: Array, left: Array, swing: float
) -> dict[str, Array]:
    up = np.array([0.0, 0.0, 1.0])
    hip = foot + up * height * 0.53
    neck = foot + up * height * 0.83 + ahead * 0.03
    joints = {
        "hip": hip,
        "waist": hip + up * height * 0.06,
        "neck": neck,
        "head": foot + up * height * 0.925 + ahead * 0.04,
    }
    for name, side, sign in (("l", 1.0, 1.0), ("r", -1.0, -1.0)):
        step = swing * sign
        hip_side = hip + left * side * 0.09
        knee = hip_side - up * height * 0.26 + ahead * (0.22 * step + 0.05)
        ankle = foot + left * side * 0.09 + ahead * 0.36 * step
        ankle = ankle + up * (0.06 + 0.07 * max(0.0, -step))
        shoulder = neck + left * side * 0.20 - up * 0.05
        elbow = shoulder - up * height * 0.17 - ahead * 0.14 * step + left * side * 0.04
        hand = elbow - up * height * 0.14 - ahead * (0.12 * step - 0.06)
        joints |= {
            f"hip_{name}": hip_side, f"knee_{name}": knee, f"ankle_{name}": ankle,
            f"toe_{name}": ankle + ahead * 0.14 - up * 0.03,
            f"shoulder_{name}": shoulder, f"elbow_{name}": elbow, f"hand_{name}": hand,
        }  # fmt: skip
    return joints


def _limbs(
    patch: Patch,
    at: dict[str, Array],
    metre: float,
    person: Person,
    light: Light,
    swing: float,
) -> None:
    def tone(colour: tuple[int, int, int], scale: float = 1.0) -> tuple[float, ...]:
        return tuple(min(255.0, c * scale * 1.05 * light.exposure) for c in colour)

    order = ("r", "l") if swing >= 0 else ("l", "r")
    for number, side in enumerate(order):
        shade = 0.8 if number == 0 else 1.0
        legs = tone(person.trousers, shade)
        patch.limb(at[f"hip_{side}"], at[f"knee_{side}"], 0.17 * metre, legs)
        patch.limb(at[f"knee_{side}"], at[f"ankle_{side}"], 0.13 * metre, legs)
        patch.limb(at[f"ankle_{side}"], at[f"toe_{side}"], 0.09 * metre, tone(_SHOES))
    far, near = order
    coat = tone(person.coat)
    for side, shade in ((far, 0.75),):
        sleeve = tone(person.coat, shade)
        patch.limb(at[f"shoulder_{side}"], at[f"elbow_{side}"], 0.11 * metre, sleeve)
        patch.limb(at[f"elbow_{side}"], at[f"hand_{side}"], 0.09 * metre, sleeve)
    torso = np.stack([at[k] for k in ("shoulder_l", "shoulder_r", "hip_r", "hip_l")])
    wider = torso.mean(axis=0) + (torso - torso.mean(axis=0)) * np.array([1.15, 1.02])
    patch.cover(patch.fixed(wider), coat)
    patch.limb(at["waist"], at["neck"], 0.27 * metre, coat)
    sleeve = tone(person.coat, 0.9)
    patch.limb(at[f"shoulder_{near}"], at[f"elbow_{near}"], 0.11 * metre, sleeve)
    patch.limb(at[f"elbow_{near}"], at[f"hand_{near}"], 0.09 * metre, sleeve)
    patch.limb(at[f"hand_{near}"], at[f"hand_{near}"] + 0.01, 0.08 * metre, tone(_SKIN))
    patch.limb(at["neck"], at["head"], 0.12 * metre, tone(_SKIN))
    patch.limb(at["head"], at["head"] + 0.01, 0.22 * metre, tone(_SKIN))
    crown = at["head"] - np.array([0.0, 0.05 * metre])
    patch.limb(crown, crown + 0.01, 0.20 * metre, tone(_HAIR))
