"""Frames to light: upscaling, composing, outputs, presenters."""
