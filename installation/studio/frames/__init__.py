"""Footage as frames: stored, surveyed, cut into shots, drawn for a batch."""
