"""A display to compare players on: the one there is, or a private Xvfb of full size."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from installation.errors import UnavailableError
from installation.wiring.bench.process import cpu_seconds

_START_S = 20.0
_OURS = frozenset({"WAYLAND_DISPLAY", "XAUTHORITY"})  # of another display than the private one


@dataclass(frozen=True, slots=True)
class Display:
    """`environment` is what a player there is started with; `server` the private server's process id, or None."""

    name: str
    environment: Mapping[str, str]
    server: int | None

    def server_cpu_s(self) -> float | None:
        """Processor seconds of the private server so far: with software rendering, pictures are copied there."""
        return None if self.server is None else cpu_seconds(self.server)


@contextmanager
def some_display(environment: Mapping[str, str], size: tuple[int, int]) -> Iterator[Display]:
    """The display the environment names, else a private Xvfb of `size` with software rendering.

    Raises UnavailableError if there is neither.
    """
    name = environment.get("DISPLAY")
    if name:
        yield Display(f"display {name}", environment, None)
        return
    with _xvfb(size) as (number, pid):
        private = {key: value for key, value in environment.items() if key not in _OURS}
        private |= {"DISPLAY": f":{number}", "LIBGL_ALWAYS_SOFTWARE": "1"}
        yield Display(f"a private Xvfb of {size[0]}x{size[1]}, software rendering", private, pid)


@contextmanager
def _xvfb(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """A private X server: its display number and its process id."""
    reading, writing = os.pipe()
    try:
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size[0]}x{size[1]}x24"]
        command += ["-nolisten", "tcp", "-noreset"]
        try:
            server = subprocess.Popen(
                command, pass_fds=(writing,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise UnavailableError(
                "bench: there is no display (DISPLAY is not set) and no Xvfb to make one; on Debian: apt install xvfb"
            ) from error
        finally:
            os.close(writing)
        try:
            yield _display_number(reading), server.pid
        finally:
            server.terminate()
            server.wait()
    finally:
        os.close(reading)


def _display_number(reading: int) -> int:
    """What Xvfb writes once it is ready."""
    ready, _, _ = select.select([reading], [], [], _START_S)
    said = os.read(reading, 16).strip() if ready else b""
    if not said.isdigit():
        raise UnavailableError("bench: Xvfb did not start; run `Xvfb -displayfd 1` to see why")
    return int(said)
