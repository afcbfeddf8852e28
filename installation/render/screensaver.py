"""Keeps an X server from blanking the picture: screen saver and power saving off while playing, put back after.

Uses the core protocol and the DPMS extension through the client libraries every X program needs. Not reached from
here: Wayland compositors and the idle daemons of desktop sessions; the installed units run on a bare X server.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from dataclasses import dataclass

_DEFAULT = 2  # "as the server likes" for blanking and exposures (X.h: DefaultBlanking, DefaultExposures)
_SCREEN_SAVER_RESET = 0


@dataclass(frozen=True, slots=True)
class _Saved:
    """What the server was set to: screen saver numbers as XSetScreenSaver takes them, and whether DPMS was on."""

    screen_saver: tuple[int, int, int, int]
    dpms: bool


class ScreenSaver:
    """The X server's screen saver and DPMS. Harmless where there is no X server: `active` is then False."""

    def __init__(self) -> None:
        self._x11 = _library("X11")
        self._xext = _library("Xext")
        self._display: int | None = None
        self._saved: _Saved | None = None
        if self._x11 is not None:
            self._x11.XOpenDisplay.restype = ctypes.c_void_p
            self._x11.XOpenDisplay.argtypes = [ctypes.c_char_p]
            self._display = self._x11.XOpenDisplay(None)

    @property
    def active(self) -> bool:
        """Whether there is a server to ask."""
        return self._display is not None

    def off(self) -> None:
        """No blanking from now on, and the screen lights up if it was blanked."""
        if self._display is None or self._x11 is None:
            return
        self._saved = _Saved(self._read_screen_saver(), self._set_dpms(False))
        self._x11.XSetScreenSaver(ctypes.c_void_p(self._display), 0, 0, _DEFAULT, _DEFAULT)
        self._x11.XForceScreenSaver(ctypes.c_void_p(self._display), _SCREEN_SAVER_RESET)
        self._flush()

    def restore(self) -> None:
        """Put back what was there before `off`, and let go of the server."""
        if self._display is None or self._x11 is None:
            return
        if self._saved is not None:
            self._x11.XSetScreenSaver(ctypes.c_void_p(self._display), *self._saved.screen_saver)
            if self._saved.dpms:
                self._set_dpms(True)
            self._flush()
        self._x11.XCloseDisplay(ctypes.c_void_p(self._display))
        self._display = None

    def _read_screen_saver(self) -> tuple[int, int, int, int]:
        assert self._x11 is not None
        numbers = [ctypes.c_int() for _ in range(4)]
        self._x11.XGetScreenSaver(ctypes.c_void_p(self._display), *(ctypes.byref(number) for number in numbers))
        return numbers[0].value, numbers[1].value, numbers[2].value, numbers[3].value

    def _set_dpms(self, enabled: bool) -> bool:
        """Switch DPMS if the server has it; whether it was on."""
        if self._xext is None:
            return False
        display = ctypes.c_void_p(self._display)
        event, error, level, was_on = ctypes.c_int(), ctypes.c_int(), ctypes.c_uint16(), ctypes.c_ubyte()
        if not self._xext.DPMSQueryExtension(display, ctypes.byref(event), ctypes.byref(error)):
            return False
        if not self._xext.DPMSCapable(display):
            return False
        self._xext.DPMSInfo(display, ctypes.byref(level), ctypes.byref(was_on))
        (self._xext.DPMSEnable if enabled else self._xext.DPMSDisable)(display)
        return bool(was_on.value)

    def _flush(self) -> None:
        assert self._x11 is not None
        self._x11.XSync(ctypes.c_void_p(self._display), 0)


def _library(name: str) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(ctypes.util.find_library(name) or f"lib{name}.so.6")
    except OSError:
        return None
