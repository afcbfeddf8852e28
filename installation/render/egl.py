"""The headless presenter: draws like a window of a given size, on no display. For tests, benches and dry runs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from installation.render.gl import Graphics, Target, headless_graphics
from installation.render.presenter import Event, Waiter, finish_drawing
from installation.render.upload import nearest_texture


def offscreen_target(graphics: Graphics, size: tuple[int, int]) -> Target:
    """An 8-bit framebuffer of a size (width, height), black."""
    framebuffer = graphics.context.framebuffer([nearest_texture(graphics.context, size, "f1")])
    framebuffer.clear(0.0, 0.0, 0.0, 1.0)
    return Target(framebuffer, size)


class OffscreenPresenter:
    """What presenters without a display share: a context, and one target in memory. Nothing ever happens to them."""

    def __init__(self, size: tuple[int, int]) -> None:
        """`size` is (width, height). Raises UnavailableError where EGL is missing."""
        self._graphics = headless_graphics()
        self._target = offscreen_target(self._graphics, size)

    @property
    def graphics(self) -> Graphics:
        """The context to draw with."""
        return self._graphics

    @property
    def target(self) -> Target:
        """Where to draw; always the same."""
        return self._target

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of a picture in pixels."""
        return self._target.size

    @property
    def refresh_hz(self) -> Fraction | None:
        """Nothing is refreshed."""
        return None

    @property
    def attached(self) -> bool:
        """Always."""
        return True

    def poll(self, now_ns: int) -> Sequence[Event]:
        """Nothing ever happens."""
        return ()


class EglPresenter(OffscreenPresenter):
    """Pictures drawn into memory. Raises UnavailableError where EGL is missing."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(size)
        self._waiter = Waiter()

    def present(self) -> None:
        """Wait until the picture is drawn, so that work cannot pile up."""
        finish_drawing(self._graphics.calls)

    def wait(self, timeout_ns: int) -> None:
        """Return after `timeout_ns` or on `wake`."""
        self._waiter.wait(timeout_ns)

    def wake(self) -> None:
        """End a wait. From any thread."""
        self._waiter.wake()

    def close(self) -> None:
        """Give up the context."""
        self._graphics.release()
