"""OpenGL contexts, and the few calls that moderngl would make while holding Python's lock.

On a software renderer a dispatch or a wait takes milliseconds; through ctypes other threads run meanwhile (the decode
worker above all). Objects are allocated once and written into: nothing here or above allocates per frame.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from installation.errors import UnavailableError

_SYNC_GPU_COMMANDS_COMPLETE = 0x9117
_SYNC_FLUSH_COMMANDS_BIT = 0x1
_TIMEOUT_EXPIRED = 0x911B
_COLOR_BUFFER_BIT = 0x4000
_NEAREST = 0x2600
_READ_FRAMEBUFFER = 0x8CA8
_DRAW_FRAMEBUFFER = 0x8CA9
_ALL_BARRIER_BITS = 0xFFFFFFFF
_RGB, _RGBA, _UNSIGNED_BYTE = 0x1907, 0x1908, 0x1401
_PIXEL_PACK_BUFFER = 0x88EB
_PACK_ALIGNMENT = 0x0D05

_I, _U, _P = ctypes.c_int, ctypes.c_uint, ctypes.c_void_p


class Calls:
    """GL functions called with Python's lock released. `loader` turns a function's name into its address."""

    def __init__(self, loader: Callable[[str], int]) -> None:
        def function(name: str, result: type | None, *arguments: type) -> Callable[..., int]:
            address = loader(name)
            if not address:
                raise UnavailableError(f"the OpenGL driver has no {name}; OpenGL 3.3 or newer is needed")
            return ctypes.CFUNCTYPE(result, *arguments)(address)

        self._fence_sync = function("glFenceSync", _P, _U, _U)
        self._client_wait_sync = function("glClientWaitSync", _U, _P, _U, ctypes.c_uint64)
        self._delete_sync = function("glDeleteSync", None, _P)
        self._use_program = function("glUseProgram", None, _U)
        self._bind_framebuffer = function("glBindFramebuffer", None, _U, _U)
        self._blit_framebuffer = function("glBlitFramebuffer", None, *(_I,) * 8, _U, _U)
        self._read_pixels = function("glReadPixels", None, _I, _I, _I, _I, _U, _U, _P)
        self._bind_buffer = function("glBindBuffer", None, _U, _U)
        self._pixel_store = function("glPixelStorei", None, _U, _I)
        self._function = function
        self._dispatch_compute: Callable[..., int] | None = None
        self._memory_barrier: Callable[..., int] | None = None

    def load_compute(self) -> None:
        """Make `dispatch` usable. Raises UnavailableError on drivers older than OpenGL 4.3."""
        self._dispatch_compute = self._function("glDispatchCompute", None, _U, _U, _U)
        self._memory_barrier = self._function("glMemoryBarrier", None, _U)

    def use_program(self, program: int) -> None:
        """Make a program (its GL name) current for `dispatch`."""
        self._use_program(program)

    def dispatch(self, across: int, down: int) -> None:
        """Run the current compute program on (across, down, 1) work groups."""
        assert self._dispatch_compute is not None, "load_compute first"
        self._dispatch_compute(across, down, 1)

    def barrier(self) -> None:
        """What compute shaders have stored is seen by everything after."""
        assert self._memory_barrier is not None, "load_compute first"
        self._memory_barrier(_ALL_BARRIER_BITS)

    def blit(self, source: int, target: int, size: tuple[int, int]) -> None:
        """Copy the lower left `size` pixels between framebuffers (their GL names) and leave `target` bound."""
        self._bind_framebuffer(_READ_FRAMEBUFFER, source)
        self._bind_framebuffer(_DRAW_FRAMEBUFFER, target)
        self._blit_framebuffer(0, 0, *size, 0, 0, *size, _COLOR_BUFFER_BIT, _NEAREST)

    def read_rgb(self, framebuffer: int, size: tuple[int, int], into: NDArray[np.uint8]) -> None:
        """Read `size` (width, height) pixels of a framebuffer, bottom row first, into an array (height, width, 3)."""
        assert into.shape == (size[1], size[0], 3), f"{size} pixels do not fit {into.shape}"
        assert into.flags.c_contiguous, "pixels are read as tight rows"
        self._bind_framebuffer(_READ_FRAMEBUFFER, framebuffer)
        self._pixel_store(_PACK_ALIGNMENT, 1)
        self._read_pixels(0, 0, *size, _RGB, _UNSIGNED_BYTE, into.ctypes.data)

    def read_rgba(self, framebuffer: int, size: tuple[int, int], buffer: int) -> None:
        """Have `size` (width, height) pixels of a framebuffer read, bottom row first, four bytes each, into a buffer
        (its GL name). A GPU does it in its own time: the buffer is complete once a fence after this is reached.
        """
        self._bind_framebuffer(_READ_FRAMEBUFFER, framebuffer)
        self._bind_buffer(_PIXEL_PACK_BUFFER, buffer)
        self._read_pixels(0, 0, *size, _RGBA, _UNSIGNED_BYTE, None)
        self._bind_buffer(_PIXEL_PACK_BUFFER, 0)

    def fence(self) -> int:
        """A fence after everything asked for so far. `wait_fence` ends it."""
        return self._fence_sync(_SYNC_GPU_COMMANDS_COMPLETE, 0)

    def wait_fence(self, fence: int, timeout_ns: int) -> bool:
        """Wait until the fence is reached, at most `timeout_ns`; True if it was. Reached fences are deleted."""
        status = self._client_wait_sync(fence, _SYNC_FLUSH_COMMANDS_BIT, timeout_ns)
        if status == _TIMEOUT_EXPIRED:
            return False
        self._delete_sync(fence)
        return True


@dataclass(frozen=True, slots=True)
class Graphics:
    """One OpenGL context and its lock-free calls; everything that draws gets one. Use on the thread that made it."""

    context: moderngl.Context
    calls: Calls
    let_go: Callable[[], object]  # leaves the thread without a current context

    @property
    def driver(self) -> str:
        """The renderer's own name, such as `llvmpipe (LLVM 15.0.6, 256 bits)`."""
        return str(self.context.info["GL_RENDERER"])

    def release(self) -> None:
        """Give up the context and all that lives in it."""
        self.context.gc()
        self.context.release()
        self.let_go()


@dataclass(frozen=True, slots=True)
class Target:
    """Somewhere to draw: a framebuffer and its size in pixels (width, height)."""

    framebuffer: moderngl.Framebuffer
    size: tuple[int, int]


def headless_graphics() -> Graphics:
    """A context without any window or display, through EGL. Raises UnavailableError naming the missing package."""
    try:
        egl = ctypes.CDLL(ctypes.util.find_library("EGL") or "libEGL.so.1")
        # The names of the run-time files: those without a number are only in development packages.
        libraries: dict[str, Any] = {"backend": "egl", "libgl": "libGL.so.1", "libegl": "libEGL.so.1"}
        context = moderngl.create_standalone_context(**libraries)
    except Exception as error:  # glcontext raises plain Exception
        raise UnavailableError(
            f"no OpenGL without a display: {error}; on Debian: apt install libegl1 libgl1 libgl1-mesa-dri"
        ) from error
    egl.eglGetProcAddress.restype = _P
    egl.eglGetProcAddress.argtypes = [ctypes.c_char_p]
    # Destroyed contexts stay current until the thread lets go; a window could not be drawn into after that.
    return _graphics(context, lambda name: egl.eglGetProcAddress(name.encode()) or 0, egl.eglReleaseThread)


class _Loader:
    """What `moderngl.create_context(context=...)` asks for when it should not look for a context itself."""

    def __init__(self, load: Callable[[str], int]) -> None:
        self.load_opengl_function = load

    def __enter__(self) -> _Loader:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def release(self) -> None:
        """The window owns the context."""


def window_graphics(loader: Callable[[str], int], let_go: Callable[[], object]) -> Graphics:
    """The context of the current window, X11 or Wayland alike. Needs OpenGL 3.3.

    `loader` finds GL functions; `let_go` makes no window current.
    """
    found: Any = _Loader(loader)
    try:
        context = moderngl.create_context(require=330, context=found)
    except Exception as error:
        raise UnavailableError(f"the window has no usable OpenGL: {error}; OpenGL 3.3 or newer is needed") from error
    return _graphics(context, loader, let_go)


def _graphics(context: moderngl.Context, loader: Callable[[str], int], let_go: Callable[[], object]) -> Graphics:
    context.gc_mode = "context_gc"  # the default leaks what is dropped; "auto" frees from any thread
    return Graphics(context, Calls(loader), let_go)
