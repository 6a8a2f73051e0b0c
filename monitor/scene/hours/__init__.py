"""Hours of traffic with known truth: what a long false-alarm measurement watches.

``town`` moves everybody, ``picture`` draws them, ``segments`` writes the files; docs/scene.md
explains. Apart from the short scenarios: nothing here changes how those look or behave.
"""
