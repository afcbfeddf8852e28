"""What every presenter is: a place for finished pictures. A window, nothing (EGL), or a file.

A presenter owns its OpenGL context. All of it is used on the thread that made it, except `wake`.

The player's turn: `poll` for events, draw into `target`, `present`, `wait` until the next instant is due. `target` may
be another one after each `poll`. While `attached` is False there is nowhere to draw: skip drawing and `present`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from installation.render.gl import Calls, Graphics, Target

_PATIENCE_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class CloseRequested:
    """Somebody closed the window."""


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A key went down. `name` is what it types, lower case (`a`, `1`), or a word (`space`, `escape`, `f1`, `left`)."""

    name: str


@dataclass(frozen=True, slots=True)
class MonitorChanged:
    """The monitor went away or came back; `message` says so to people."""

    attached: bool
    message: str


Event = CloseRequested | KeyPressed | MonitorChanged


class Presenter(Protocol):
    """Where pictures go."""

    @property
    def graphics(self) -> Graphics:
        """The context to draw with."""

    @property
    def target(self) -> Target:
        """Where to draw the next picture."""

    @property
    def size(self) -> tuple[int, int]:
        """The target's size in pixels (width, height)."""

    @property
    def refresh_hz(self) -> Fraction | None:
        """The display's nominal rate, or None if nothing is refreshed. Never proof that `present` waits for it."""

    @property
    def attached(self) -> bool:
        """Whether there is anything to present on."""

    def poll(self, now_ns: int) -> Sequence[Event]:
        """Events since the last poll; keeps the presenter in its place. `now_ns` is any steady time."""

    def present(self) -> None:
        """Show the target's picture; returns when it is on its way to the eye (or drawn, or written)."""

    def wait(self, timeout_ns: int) -> None:
        """Return after `timeout_ns`, or sooner: on an event or `wake`."""

    def wake(self) -> None:
        """End a `wait`, or the next one if none is running. From any thread."""

    def close(self) -> None:
        """Give everything back. A file is complete only after this."""


class Waiter:
    """`wait` and `wake` for presenters without an event queue of their own."""

    def __init__(self) -> None:
        self._woken = threading.Event()

    def wait(self, timeout_ns: int) -> None:
        """Return after `timeout_ns` or as soon as `wake` was called."""
        if timeout_ns > 0:
            self._woken.wait(timeout_ns / 1e9)
        self._woken.clear()

    def wake(self) -> None:
        """End a wait. From any thread."""
        self._woken.set()


def finish_drawing(calls: Calls) -> None:
    """Wait until the GPU has drawn everything, without Python's lock."""
    fence = calls.fence()
    while not calls.wait_fence(fence, _PATIENCE_NS):
        pass


class Readback:
    """Reads a target's pixels into the same memory again and again: for files, previews and tests."""

    def __init__(self, calls: Calls, size: tuple[int, int]) -> None:
        self._calls = calls
        self._size = size
        self._pixels = np.zeros((size[1], size[0], 3), np.uint8)

    def read(self, target: Target) -> NDArray[np.uint8]:
        """The target's picture, uint8 (H, W, 3), row 0 on top. A view: valid until the next `read`."""
        assert target.size == self._size, f"made for {self._size}, got {target.size}"
        self._calls.read_rgb(target.framebuffer.glo, self._size, self._pixels)
        return self._pixels[::-1]  # framebuffers count rows from the bottom
