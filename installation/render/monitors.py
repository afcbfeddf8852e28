"""Monitors: which one the show asked for, where it lies, and whether it is still there.

Windows are placed by us and re-placed for ever: GLFW's own full screen loses its window when a monitor goes away on
bare X, and callbacks may not fire. Monitors are known by the name of their connector, which survives both.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import glfw

from installation.errors import InputError


@dataclass(frozen=True, slots=True)
class Monitor:
    """A connected monitor: connector name, its rectangle on the desktop in pixels, its nominal rate."""

    name: str
    place: tuple[int, int]
    size: tuple[int, int]
    refresh_hz: Fraction | None


def connected_monitors() -> tuple[Monitor, ...]:
    """The monitors there are now; none is legal. After glfw.init, on the main thread."""
    found = []
    for handle in glfw.get_monitors() or ():
        mode = glfw.get_video_mode(handle)
        name = glfw.get_monitor_name(handle)
        if not mode or not name:  # it went away while we asked
            continue
        rate = Fraction(mode.refresh_rate) if mode.refresh_rate > 0 else None
        left, top = glfw.get_monitor_pos(handle)
        found.append(Monitor(os.fsdecode(name), (left, top), (mode.size.width, mode.size.height), rate))
    return tuple(found)


def choose_monitor(monitors: Sequence[Monitor], wanted: str) -> Monitor | None:
    """The monitor called `wanted`, or the one at that index, or for "first" the first. None if it is not there."""
    for monitor in monitors:
        if monitor.name == wanted:
            return monitor
    if wanted == "first":
        return monitors[0] if monitors else None
    if wanted.isdecimal() and int(wanted) < len(monitors):
        return monitors[int(wanted)]
    return None


def require_monitor(monitors: Sequence[Monitor], wanted: str) -> None:
    """Raise InputError, listing the names, if there are monitors but not that one. None at all is waited for."""
    if monitors and choose_monitor(monitors, wanted) is None:
        names = ", ".join(f"{monitor.name} ({monitor.size[0]}x{monitor.size[1]})" for monitor in monitors)
        raise InputError(f"monitor: got {wanted!r}; pick one of {names}, an index from 0, or first")
