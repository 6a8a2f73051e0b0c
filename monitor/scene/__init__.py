"""A rendered intersection with exact ground truth: the demo's camera."""
