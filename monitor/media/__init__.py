"""Encoded video in and out of memory: decoding, remuxing, still pictures."""
