"""The machine around us: its own programs, and where its files lie. What is outside of this process goes through here.

A test gives a `Machine` a folder and a runner that runs nothing.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from installation.errors import UnavailableError
from installation.venue.placement import Root

_TIMEOUT_S = 300


class Runner(Protocol):
    """Runs the system's own programs; a test runs none."""

    @property
    def privileged(self) -> bool:
        """Whether it may change the system."""

    def run(self, arguments: Sequence[str]) -> tuple[int, str]:
        """Exit status and everything printed."""


class SystemRunner:
    """The real one, without a shell."""

    @property
    def privileged(self) -> bool:
        """Whether we are root."""
        return os.geteuid() == 0

    def run(self, arguments: Sequence[str]) -> tuple[int, str]:
        """Exit status and everything printed. Raises UnavailableError if there is no such program."""
        try:
            result = subprocess.run(
                arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_TIMEOUT_S, check=False
            )
        except OSError as error:
            raise UnavailableError(
                f"cannot run {arguments[0]}: {error.strerror}; this needs Debian or Ubuntu"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise UnavailableError(f"{' '.join(arguments)} did not end within {_TIMEOUT_S} s") from error
        return result.returncode, result.stdout


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to install, and who runs the system's programs."""

    root: Root
    runner: Runner

    def must(self, *arguments: str) -> str:
        """Runs a program that has to succeed; what it printed. Raises UnavailableError with its last line."""
        code, printed = self.runner.run(arguments)
        if code != 0:
            last = printed.strip().splitlines()[-1:] or ["it said nothing"]
            raise UnavailableError(f"{' '.join(arguments)} failed with {code}: {last[0]}")
        return printed

    def has_name(self, table: str, name: str) -> bool:
        """Whether /etc/passwd or /etc/group has an entry of that name."""
        real = self.root.real(PurePosixPath(table))
        return real.is_file() and any(line.startswith(f"{name}:") for line in real.read_text("utf-8").splitlines())
