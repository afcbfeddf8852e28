"""Latents to frames: the look-ahead worker and its preallocated slots."""
