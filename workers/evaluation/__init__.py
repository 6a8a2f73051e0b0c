"""Replaying labelled clips through the real watch code, and scoring what it finds."""
