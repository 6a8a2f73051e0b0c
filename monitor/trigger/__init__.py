"""Deciding from frames, as they come, that something happens on a camera."""
