"""The window presenter: an undecorated window that covers a monitor and finds it again, or an ordinary one.

Two kinds share everything but their place: `fullscreen_window` and `resizable_window` make them.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import glfw

from installation.errors import UnavailableError
from installation.render.gl import Graphics, Target, window_graphics
from installation.render.monitors import Monitor, choose_monitor, connected_monitors, require_monitor
from installation.render.presenter import CloseRequested, Event, KeyPressed, MonitorChanged
from installation.render.screensaver import ScreenSaver

_REPLACE_NS = 1_000_000_000
_TITLE = "Afterimage"
_WORDS = MappingProxyType(
    {
        glfw.KEY_SPACE: "space",
        glfw.KEY_ESCAPE: "escape",
        glfw.KEY_ENTER: "enter",
        glfw.KEY_KP_ENTER: "enter",
        glfw.KEY_TAB: "tab",
        glfw.KEY_BACKSPACE: "backspace",
        glfw.KEY_INSERT: "insert",
        glfw.KEY_DELETE: "delete",
        glfw.KEY_LEFT: "left",
        glfw.KEY_RIGHT: "right",
        glfw.KEY_UP: "up",
        glfw.KEY_DOWN: "down",
        glfw.KEY_PAGE_UP: "page_up",
        glfw.KEY_PAGE_DOWN: "page_down",
        glfw.KEY_HOME: "home",
        glfw.KEY_END: "end",
        **{glfw.KEY_F1 + number: f"f{number + 1}" for number in range(24)},
    }
)


def key_name(key: int, scancode: int) -> str | None:
    """What a GLFW key types on this keyboard, lower case, or its word. None for keys without a name."""
    if key in _WORDS:
        return _WORDS[key]
    typed = glfw.get_key_name(key, scancode)
    return typed.lower() if typed else None


class WindowPresenter:
    """A window. `wanted` is the monitor to cover, or None for an ordinary window of `size`.

    Raises UnavailableError without a display, InputError for a monitor that is not among those connected.
    """

    def __init__(self, wanted: str | None, size: tuple[int, int]) -> None:
        self._wanted = wanted
        self._events: list[Event] = []
        self._monitor: Monitor | None = None
        self._checked_ns: int | None = None
        _start_glfw()
        try:
            if wanted is not None:
                monitors = connected_monitors()
                require_monitor(monitors, wanted)
                self._monitor = choose_monitor(monitors, wanted)
                size = self._monitor.size if self._monitor else size
            self._window = _make_window(size, decorated=wanted is None)
            glfw.make_context_current(self._window)
            self._graphics = window_graphics(_gl_address, _let_go)
            glfw.swap_interval(1)
            self._listen()
            self._follow_framebuffer()
            if wanted is not None:
                glfw.set_input_mode(self._window, glfw.CURSOR, glfw.CURSOR_HIDDEN)
            self._settle()
        except BaseException:
            glfw.terminate()
            raise
        self._screen_saver = ScreenSaver()
        self._screen_saver.off()

    @property
    def graphics(self) -> Graphics:
        """The context to draw with."""
        return self._graphics

    @property
    def target(self) -> Target:
        """The window's back buffer; changes with its size."""
        return self._target

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the back buffer in pixels."""
        return self._target.size

    @property
    def refresh_hz(self) -> Fraction | None:
        """The nominal rate of the monitor covered, or of the first for an ordinary window."""
        monitor = self._monitor or choose_monitor(connected_monitors(), "first")
        return monitor.refresh_hz if monitor else None

    @property
    def attached(self) -> bool:
        """False while the monitor to cover is away."""
        return self._wanted is None or self._monitor is not None

    def poll(self, now_ns: int) -> Sequence[Event]:
        """Keys, close requests and monitor changes since the last poll. Puts the window back once a second."""
        glfw.poll_events()
        if glfw.window_should_close(self._window):
            glfw.set_window_should_close(self._window, False)
            self._events.append(CloseRequested())
        if self._checked_ns is None or now_ns - self._checked_ns >= _REPLACE_NS:
            self._checked_ns = now_ns
            self._reconcile()
        self._follow_framebuffer()
        events, self._events = self._events, []
        return events

    def present(self) -> None:
        """Swap buffers, without Python's lock; waits for the display if the driver does."""
        glfw.swap_buffers(self._window)

    def wait(self, timeout_ns: int) -> None:
        """Return after `timeout_ns`, or sooner on an event or `wake`."""
        if timeout_ns > 0:
            glfw.wait_events_timeout(timeout_ns / 1e9)

    def wake(self) -> None:
        """End a wait. From any thread."""
        glfw.post_empty_event()

    def close(self) -> None:
        """Close the window; the screen saver is as it was before."""
        self._screen_saver.restore()
        self._graphics.release()
        glfw.destroy_window(self._window)
        glfw.terminate()

    def _listen(self) -> None:
        glfw.set_key_callback(self._window, self._on_key)
        glfw.set_monitor_callback(self._on_monitor)

    def _on_key(self, window: object, key: int, scancode: int, action: int, modifiers: int) -> None:
        name = key_name(key, scancode) if action == glfw.PRESS else None
        if name is not None:
            self._events.append(KeyPressed(name))

    def _on_monitor(self, monitor: object, change: int) -> None:
        self._checked_ns = None  # the next poll looks; nothing is moved inside GLFW's own callback

    def _reconcile(self) -> None:
        """See whether the monitor is still there and where; say what changed; put the window there."""
        if self._wanted is None:
            return
        was_attached = self.attached
        self._monitor = choose_monitor(connected_monitors(), self._wanted)
        if was_attached != self.attached:
            self._events.append(MonitorChanged(self.attached, self._monitor_message()))
        self._settle()

    def _monitor_message(self) -> str:
        if self._monitor is None:
            return f"monitor {self._wanted} is gone; waiting for it"
        width, height = self._monitor.size
        return f"monitor {self._monitor.name} is back, {width}x{height}"

    def _settle(self) -> None:
        """Show the window where it belongs; hide it while that is nowhere."""
        if not self.attached:
            glfw.hide_window(self._window)
            return
        if self._monitor is not None and glfw.get_platform() != glfw.PLATFORM_WAYLAND:
            if tuple(glfw.get_window_pos(self._window)) != self._monitor.place:
                glfw.set_window_pos(self._window, *self._monitor.place)
            if tuple(glfw.get_window_size(self._window)) != self._monitor.size:
                glfw.set_window_size(self._window, *self._monitor.size)
        if not glfw.get_window_attrib(self._window, glfw.VISIBLE):
            glfw.show_window(self._window)
            if self._monitor is not None and glfw.get_platform() != glfw.PLATFORM_WAYLAND:
                glfw.set_window_pos(self._window, *self._monitor.place)  # window managers place what is newly shown
        self._cover_on_wayland()

    def _cover_on_wayland(self) -> None:
        """Wayland has no window positions: only the compositor can put a window on a monitor, as full screen."""
        if self._monitor is None or glfw.get_platform() != glfw.PLATFORM_WAYLAND:
            return
        for handle in glfw.get_monitors():
            name = os.fsdecode(glfw.get_monitor_name(handle))
            if name == self._monitor.name and glfw.get_window_monitor(self._window) != handle:
                glfw.set_window_monitor(self._window, handle, 0, 0, *self._monitor.size, glfw.DONT_CARE)

    def _follow_framebuffer(self) -> None:
        width, height = glfw.get_framebuffer_size(self._window)
        self._target = Target(self._graphics.context.screen, (max(1, width), max(1, height)))


def fullscreen_window(monitor: str) -> WindowPresenter:
    """A window that covers the monitor of that connector name, index, or "first"; waits while it is away."""
    return WindowPresenter(monitor, (1280, 720))


def resizable_window(size: tuple[int, int]) -> WindowPresenter:
    """An ordinary window, at first of that size (width, height)."""
    return WindowPresenter(None, size)


def _start_glfw() -> None:
    glfw.ERROR_REPORTING = "ignore"  # our own messages name the cause
    if glfw.init():
        return
    _, description = glfw.get_error()
    reason = os.fsdecode(description) if description else "no X server or Wayland compositor"
    display = os.environ.get("DISPLAY", "not set")
    advice = "start an X server, or play with --headless"
    if "WAYLAND_DISPLAY" in os.environ and os.environ.get("XDG_SESSION_TYPE") != "wayland":
        advice = "set XDG_SESSION_TYPE=wayland for the compositor that WAYLAND_DISPLAY names, or play with --headless"
    raise UnavailableError(f"no display: {reason} (DISPLAY is {display}); {advice}")


def _make_window(size: tuple[int, int], decorated: bool) -> Any:
    glfw.default_window_hints()
    hints = {
        glfw.CONTEXT_VERSION_MAJOR: 4,
        glfw.CONTEXT_VERSION_MINOR: 3,
        glfw.OPENGL_PROFILE: glfw.OPENGL_CORE_PROFILE,
        glfw.VISIBLE: False,
        glfw.DECORATED: decorated,
        glfw.RESIZABLE: decorated,
        glfw.FLOATING: not decorated,
        glfw.FOCUS_ON_SHOW: decorated,
        glfw.AUTO_ICONIFY: False,
        glfw.SAMPLES: 0,
    }
    for hint, value in hints.items():
        glfw.window_hint(hint, value)
    window = glfw.create_window(*size, _TITLE, None, None)
    if not window:  # 4.3 has compute shaders; the renderer can do without
        glfw.window_hint(glfw.CONTEXT_VERSION_MINOR, 3)
        glfw.window_hint(glfw.CONTEXT_VERSION_MAJOR, 3)
        glfw.window_hint(glfw.OPENGL_FORWARD_COMPAT, True)  # macOS knows no other
        window = glfw.create_window(*size, _TITLE, None, None)
    if not window:
        _, description = glfw.get_error()
        reason = os.fsdecode(description) if description else "no reason given"
        raise UnavailableError(
            f"no OpenGL 3.3 window: {reason}; on Debian: apt install libgl1 libgl1-mesa-dri, or the GPU's driver"
        )
    return window


def _let_go() -> None:
    no_window: Any = None
    glfw.make_context_current(no_window)


def _gl_address(name: str) -> int:
    return ctypes.cast(glfw.get_proc_address(name), ctypes.c_void_p).value or 0
