"""Remembering a show across a restart: timebases, masters, who is in control. Playing never needs it.

The file is written by a thread of its own, whole or not at all (temporary file, fsync, rename, fsync of the
folder): after a power cut there is the old one or the new one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from installation.show.state import ShowState


@dataclass(frozen=True, slots=True)
class Memory:
    """A state and the wall time (ns) at which it was saved: a clock that is earlier cannot be trusted."""

    title: str
    saved_wall_ns: int
    state: ShowState


_MEMORY = TypeAdapter(Memory)
REST_S = 0.5  # at most two saves a second; what a crash within it forgets is half a second of a fader


def save_memory(path: Path, memory: Memory) -> None:
    """Write `memory` to `path`. Raises OSError when the disk will not."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        file.write(_MEMORY.dump_json(memory))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load_memory(path: Path) -> Memory | None:
    """What was remembered; None where there is nothing, or nothing that can be read."""
    try:
        return _MEMORY.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


class MemoryKeeper:
    """Saves the newest memory from a thread of its own; a full disk is said once and playing goes on.

    After each save it rests: a fader that moves for months must not wear out a memory card.
    """

    def __init__(self, path: Path, complain: Callable[[str], None], rest_s: float = REST_S) -> None:
        self._path = path
        self._rest_s = rest_s
        self._complain = complain
        self._newest: Memory | None = None
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="memory")
        self._thread.start()

    def keep(self, memory: Memory) -> None:
        """Remember this. Never waits for the disk."""
        with self._changed:
            self._newest = memory
            self._changed.notify()

    def close(self) -> None:
        """Save what is left and stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        complained = False
        while (memory := self._next()) is not None:
            try:
                save_memory(self._path, memory)
            except OSError as error:
                if not complained:
                    self._complain(f"{self._path}: the state cannot be saved: {error.strerror}; playing goes on")
                complained = True
            with self._changed:
                self._changed.wait_for(lambda: self._closing, self._rest_s)

    def _next(self) -> Memory | None:
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._closing)
            memory, self._newest = self._newest, None
            return memory
