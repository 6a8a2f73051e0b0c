"""What the measurements mean: the evidence explainer, and verification of claims.

``explain`` tells why from the timeline alone; ``verify`` holds any answer's claims against it.
Neither does I/O. docs/evidence.md and docs/verification.md give the rules and formulas.
"""

from monitor.evidence.explain import explain
from monitor.evidence.verify import adjusted_confidence, verify

__all__ = ["adjusted_confidence", "explain", "verify"]
