"""Windows on real X servers, seen with screenshots: full screen, resized, on the second monitor, unplugged."""

from __future__ import annotations

import ctypes
import subprocess
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ImageGrab

from installation.errors import InputError, UnavailableError
from installation.render.compose import Renderer, WeightedFrame
from installation.render.monitors import Monitor, choose_monitor, require_monitor
from installation.render.presenter import CloseRequested, Event, KeyPressed, MonitorChanged
from installation.render.screensaver import ScreenSaver
from installation.render.window import WindowPresenter, fullscreen_window, resizable_window
from installation.show.frameplan import Look
from tests.render.conftest import require_program, start_server, stop_server

SECOND = 1_000_000_000


class Player:
    """Draws a colour into a presenter, as a player would, and collects events."""

    def __init__(self, presenter: WindowPresenter, colour: tuple[float, float, float]) -> None:
        self.presenter = presenter
        self.events: list[Event] = []
        self._renderer = Renderer(presenter.graphics)
        frame = np.ones((9, 16, 4), np.float16)
        frame[..., :3] = colour
        self._picture = WeightedFrame(frame, "colour", 1.0)
        self._now_ns = 0

    def tick(self) -> None:
        self._now_ns += SECOND
        self.events += self.presenter.poll(self._now_ns)
        if self.presenter.attached:
            self._renderer.draw([self._picture], Look(fit="stretch"), 0, self.presenter.target)
            self.presenter.present()

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Play until it is so, at most 10 s."""
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, f"never happened: {what}; events {self.events}"
            self.tick()
            self.presenter.wait(5_000_000)


def screenshot(display: str) -> NDArray[np.int16]:
    return np.asarray(ImageGrab.grab(xdisplay=display).convert("RGB")).astype(np.int16)


def shows(picture: NDArray[np.int16], colour: tuple[int, int, int]) -> bool:
    return bool((np.abs(picture - np.array(colour)) <= 1).all())


def green_pixels(display: str) -> int:
    return int((np.abs(screenshot(display) - [0, 255, 0]) <= 1).all(axis=2).sum())


@pytest.fixture
def closing() -> Iterator[list[WindowPresenter]]:
    """Windows put here are closed at the end."""
    windows: list[WindowPresenter] = []
    yield windows
    for window in windows:
        window.close()


def test_full_screen_covers_the_monitor(xvfb: str, closing: list[WindowPresenter]) -> None:
    window = fullscreen_window("first")
    closing.append(window)
    player = Player(window, (1.0, 0.5, 0.0))
    player.until(lambda: shows(screenshot(xvfb), (255, 127, 0)), "the whole screen is orange")
    assert window.size == (320, 180)
    assert window.attached


def test_screen_saver_is_off_while_playing(xvfb: str, closing: list[WindowPresenter]) -> None:
    xset = require_program("xset", "x11-xserver-utils")

    def timeout() -> str:
        shown = subprocess.run([xset, "q", "-display", xvfb], capture_output=True, text=True, check=True).stdout
        return shown.split("timeout:")[1].split()[0]

    subprocess.run([xset, "-display", xvfb, "s", "321"], check=True)
    window = fullscreen_window("first")
    assert timeout() == "0"
    window.close()
    assert timeout() == "321"


def test_no_server_no_screen_saver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    saver = ScreenSaver()
    assert not saver.active
    saver.off()
    saver.restore()


def test_resizable_window_follows_its_size(xvfb: str, closing: list[WindowPresenter]) -> None:
    window = resizable_window((160, 90))
    closing.append(window)
    player = Player(window, (0.0, 1.0, 0.0))
    player.until(lambda: green_pixels(xvfb) == 160 * 90, "a green window")
    resize(xvfb, 200, 100)
    player.until(lambda: window.size == (200, 100), "it is larger")
    player.until(lambda: green_pixels(xvfb) == 200 * 100, "and green all over")


def test_keys_and_close_requests_arrive(xvfb: str, closing: list[WindowPresenter]) -> None:
    window = fullscreen_window("first")
    closing.append(window)
    player = Player(window, (0.0, 0.0, 1.0))
    player.until(lambda: shows(screenshot(xvfb), (0, 0, 255)), "the window is there")
    for name, keysym in (("space", 0x20), ("q", 0x71), ("1", 0x31), ("escape", 0xFF1B), ("left", 0xFF51)):
        press(xvfb, keysym)
        player.until(lambda name=name: KeyPressed(name) in player.events, name)  # type: ignore[misc]
    ask_to_close(xvfb)
    player.until(lambda: CloseRequested() in player.events, "asked to close")


def test_waiting_ends_on_wake(xvfb: str, closing: list[WindowPresenter]) -> None:
    window = resizable_window((64, 36))
    closing.append(window)
    window.poll(0)
    window.wake()
    started = time.monotonic()
    window.wait(30 * SECOND)
    assert time.monotonic() - started < 10


def test_without_a_display_the_error_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(UnavailableError, match=r"no display.*:987.*--headless"):
        fullscreen_window("first")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    with pytest.raises(UnavailableError, match="set XDG_SESSION_TYPE=wayland"):
        fullscreen_window("first")


def test_unknown_monitor_lists_the_names(xvfb: str) -> None:
    with pytest.raises(InputError, match=r"'HDMI-7'.*screen \(320x180\)"):
        fullscreen_window("HDMI-7")


def test_monitors_are_chosen_by_name_index_or_first() -> None:
    left = Monitor("HDMI-1", (0, 0), (1920, 1080), Fraction(60))
    right = Monitor("DP-2", (1920, 0), (1280, 720), None)
    assert choose_monitor([left, right], "DP-2") is right
    assert choose_monitor([left, right], "first") is left
    assert choose_monitor([left, right], "1") is right
    assert choose_monitor([left, right], "2") is None
    assert choose_monitor([], "first") is None
    require_monitor([], "HDMI-1")  # off at boot: waited for


def xrandr(display: str, *arguments: str) -> str:
    command = [require_program("xrandr", "x11-xserver-utils"), "-display", display, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout


@pytest.fixture
def two_monitors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """DUMMY0 640x480 at the left, DUMMY1 640x360 at the right; its DISPLAY, also set in the environment."""
    server = require_program("Xorg", "xserver-xorg-core xserver-xorg-video-dummy")
    config = Path(__file__).with_name("xorg-dummy.conf")
    command = [server, "-config", str(config), "-logfile", str(tmp_path / "Xorg.log"), "-noreset", "-nolisten", "tcp"]
    process, display = start_server([*command, "-sharevts", "-novtswitch"], tmp_path / "xorg.out")
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    xrandr(display, "--output", "DUMMY0", "--mode", "640x480", "--pos", "0x0")
    xrandr(display, "--newmode", "RIGHT", "17.75", *["640", "688", "720", "800", "360", "363", "368", "374"])
    xrandr(display, "--addmode", "DUMMY1", "RIGHT")
    xrandr(display, "--output", "DUMMY1", "--mode", "RIGHT", "--pos", "640x0")
    assert "DUMMY1" in xrandr(display, "--listmonitors")
    yield display
    stop_server(process)


def test_second_monitor_unplugged_and_back(two_monitors: str, closing: list[WindowPresenter]) -> None:
    window = fullscreen_window("DUMMY1")
    closing.append(window)
    player = Player(window, (1.0, 0.0, 0.0))
    right = (slice(0, 360), slice(640, 1280))

    player.until(lambda: shows(screenshot(two_monitors)[right], (255, 0, 0)), "the right monitor is red")
    assert not screenshot(two_monitors)[:480, :640].any()
    assert window.size == (640, 360)

    xrandr(two_monitors, "--output", "DUMMY1", "--off")
    player.until(lambda: not window.attached, "the loss is noticed")
    assert isinstance(player.events[-1], MonitorChanged)
    assert "DUMMY1 is gone" in player.events[-1].message
    assert not screenshot(two_monitors)[:480, :640].any()

    xrandr(two_monitors, "--output", "DUMMY1", "--mode", "RIGHT", "--pos", "640x100")
    player.until(lambda: window.attached, "the return is noticed")
    lower = (slice(100, 460), slice(640, 1280))
    player.until(lambda: shows(screenshot(two_monitors)[lower], (255, 0, 0)), "red again, where it is now")
    assert "DUMMY1 is back" in [event.message for event in player.events if isinstance(event, MonitorChanged)][-1]


def test_all_monitors_off_at_the_start_is_waited_out(two_monitors: str, closing: list[WindowPresenter]) -> None:
    xrandr(two_monitors, "--output", "DUMMY0", "--off", "--output", "DUMMY1", "--off")
    window = fullscreen_window("DUMMY1")
    closing.append(window)
    player = Player(window, (1.0, 1.0, 1.0))
    player.tick()
    assert not window.attached
    xrandr(two_monitors, "--output", "DUMMY1", "--mode", "RIGHT", "--pos", "0x0")
    player.until(lambda: window.attached and window.size == (640, 360), "the monitor came on")
    player.until(lambda: shows(screenshot(two_monitors)[:360, :640], (255, 255, 255)), "and is white")


class XClient:
    """Enough of Xlib and XTEST to type on a display and to speak to its windows, as a person would."""

    def __init__(self, display: str) -> None:
        self._x = ctypes.CDLL("libX11.so.6")
        self._x.XOpenDisplay.restype = ctypes.c_void_p
        self._x.XDefaultRootWindow.restype = ctypes.c_ulong
        self._x.XInternAtom.restype = ctypes.c_ulong
        self.handle = ctypes.c_void_p(self._x.XOpenDisplay(display.encode()))
        assert self.handle.value

    def atom(self, name: str) -> int:
        return int(self._x.XInternAtom(self.handle, name.encode(), 0))

    def window(self) -> int:
        """The newest visible window on top of the root."""
        root, parent, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
        children = ctypes.POINTER(ctypes.c_ulong)()
        top = ctypes.c_ulong(self._x.XDefaultRootWindow(self.handle))
        found = ctypes.byref(root), ctypes.byref(parent), ctypes.byref(children), ctypes.byref(count)
        self._x.XQueryTree(self.handle, top, *found)
        assert count.value
        return int(children[count.value - 1])

    def done(self) -> None:
        self._x.XSync(self.handle, 0)
        self._x.XCloseDisplay(self.handle)


def press(display: str, keysym: int) -> None:
    client = XClient(display)
    try:
        test = ctypes.CDLL("libXtst.so.6")
    except OSError:
        pytest.fail("libXtst.so.6 is missing; on Debian: apt install libxtst6")
    client._x.XSetInputFocus(client.handle, ctypes.c_ulong(client.window()), 1, ctypes.c_ulong(0))
    code = client._x.XKeysymToKeycode(client.handle, ctypes.c_ulong(keysym)) & 0xFF
    for down in (1, 0):
        test.XTestFakeKeyEvent(client.handle, code, down, ctypes.c_ulong(0))
    client.done()


def resize(display: str, width: int, height: int) -> None:
    client = XClient(display)
    client._x.XResizeWindow(client.handle, ctypes.c_ulong(client.window()), width, height)
    client.done()


class ClientMessage(ctypes.Structure):
    """XClientMessageEvent, padded to an XEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("padding", ctypes.c_long * 12),
    )


def ask_to_close(display: str) -> None:
    """What a window manager sends for the close button."""
    client = XClient(display)
    window = client.window()
    event = ClientMessage(type=33, window=window, message_type=client.atom("WM_PROTOCOLS"), format=32)
    event.data[0] = client.atom("WM_DELETE_WINDOW")
    client._x.XSendEvent(client.handle, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(event))
    client.done()
