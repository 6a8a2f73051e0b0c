"""What the measurements mean: the evidence explainer, and verification of claims."""
