"""Outputs: the projectors' parts of the canvas. One today, showing the whole canvas, unwarped.

With warps or several outputs, `Renderer.draw` will paint into a canvas once and then each output from it; an output
that shows all of the canvas unchanged keeps being painted directly.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Output:
    """One projector or screen: its name in the show and its size in pixels (width, height)."""

    name: str
    size: tuple[int, int]
