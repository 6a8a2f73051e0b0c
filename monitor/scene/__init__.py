"""A rendered intersection with exact ground truth: the demo's camera.

``build`` simulates a scenario (physics and truth, no pictures), ``Renderer`` draws its frames,
``render_to`` writes an H.264 file with its truth beside it. docs/scene.md explains the models.
"""

from __future__ import annotations

from monitor.scene.encode import Rendered, render_to
from monitor.scene.light import Light
from monitor.scene.renderer import Renderer
from monitor.scene.scenarios import SCENARIOS
from monitor.scene.simulation import Simulation, build
from monitor.scene.truth import truth_of

__all__ = [
    "SCENARIOS",
    "Light",
    "Rendered",
    "Renderer",
    "Simulation",
    "build",
    "render_to",
    "truth_of",
]
