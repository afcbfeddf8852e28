"""Other processes under the bench's eyes: what they used of processor and memory, and what they said."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from installation.clock import SystemClock
from installation.errors import UnavailableError

_LOOK_EVERY_S = 0.1
_LAST_LINES = 8


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor seconds of a process and of the children it has waited for; its own highest resident memory in MB
    (10^6 bytes; None where /proc is not); seconds from its start to its end.
    """

    user_s: float
    system_s: float
    peak_rss_mb: float | None
    wall_s: float

    @property
    def cpu_s(self) -> float:
        """User and system together."""
        return self.user_s + self.system_s


def run_measured(
    command: Sequence[str], *, environment: Mapping[str, str], limit_s: float, folder: Path | None = None
) -> tuple[Spent, str]:
    """Run a command in `folder` to its end; what it spent, and all it printed.

    Raises UnavailableError, with its last lines, if it cannot be started, fails, or is not done after `limit_s`.
    """
    with TemporaryFile("w+", encoding="utf-8", errors="replace") as printed:
        clock = SystemClock()
        begun_ns = clock.now_ns()
        try:
            process = subprocess.Popen(
                command, env=dict(environment), cwd=folder, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed
            )
        except OSError as error:
            raise UnavailableError(f"bench: {command[0]} cannot be started: {error.strerror}") from error
        try:
            user_s, system_s, peak_rss_mb = _watch(process, clock, begun_ns + int(limit_s * 1e9))
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        spent = Spent(user_s, system_s, peak_rss_mb, round((clock.now_ns() - begun_ns) / 1e9, 3))
        said = _text(printed)
    if process.returncode != 0:
        raise UnavailableError(
            f"bench: `{' '.join(command)}` ended with code {process.returncode}: {_end_of(said) or 'it said nothing'}"
        )
    return spent, said


def _watch(process: subprocess.Popen[bytes], clock: SystemClock, until_ns: int) -> tuple[float, float, float | None]:
    """Wait for a process: user and system seconds, highest memory in MB.

    The highest memory is read from /proc while it runs: what wait4 tells counts the parent's memory at the fork.
    """
    if sys.platform == "win32":
        raise UnavailableError("bench: measuring a running player needs Linux or macOS")
    peak_rss_mb: float | None = None
    while clock.now_ns() < until_ns:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return round(usage.ru_utime, 3), round(usage.ru_stime, 3), peak_rss_mb
        peak_rss_mb = _high_water_mb(process.pid) or peak_rss_mb
        time.sleep(_LOOK_EVERY_S)
    raise UnavailableError(f"bench: `{process.args!r}` was not done in time and was stopped")


def _high_water_mb(pid: int) -> float | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return high_water_mb(status)


def high_water_mb(status: str) -> float | None:
    """`VmHWM` of a /proc/PID/status, given there in KiB, in MB; None while a process has no memory of its own."""
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return round(int(value.split()[0]) * 1024 / 1e6, 1)
    return None


def cpu_seconds(pid: int) -> float:
    """Processor seconds, user and system, that a running process has used so far. Source: proc(5), stat 14 and 15."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _text(printed: IO[str]) -> str:
    printed.seek(0)
    return printed.read()


def _end_of(said: str) -> str:
    return "\n".join(said.strip().splitlines()[-_LAST_LINES:])
