"""A stand-in for systemd: starts a command, speaks the notify protocol, enforces the watchdog, restarts for ever.

A real process with a real socket, for machines where no systemd runs. It does what the player's unit asks for:
Type=notify, WatchdogSec, SIGABRT then SIGKILL, Restart=always.
"""

from __future__ import annotations

import os
import select
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from types import TracebackType
from typing import Self

ABORT_S = 1.0  # between SIGABRT and SIGKILL


class Kind(Enum):
    STARTED = auto()
    READY = auto()
    BEAT = auto()
    STATUS = auto()
    TIMED_OUT = auto()
    EXITED = auto()


@dataclass(frozen=True)
class Event:
    kind: Kind
    pid: int
    at_ns: int  # time.monotonic_ns()
    text: str = ""


class Supervisor:
    def __init__(
        self,
        command: Sequence[str | Path],
        folder: Path,
        *,
        environment: Mapping[str, str],
        watchdog_s: float,
        start_s: float = 60.0,
    ) -> None:
        self._command = [str(part) for part in command]
        self._address = str(folder / "notify")
        self._output = folder / "output.txt"
        usec = str(int(watchdog_s * 1e6))
        self._environment = {**environment, "NOTIFY_SOCKET": self._address, "WATCHDOG_USEC": usec}
        self._watchdog_s, self._start_s = watchdog_s, start_s
        self._events: list[Event] = []
        self._changed = threading.Condition()
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="supervisor")

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self._address)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.write(self._stop_write, b"x")
        self._thread.join()
        self._socket.close()
        os.close(self._stop_read)
        os.close(self._stop_write)

    def wait(self, kind: Kind, count: int = 1, timeout_s: float = 60.0, text: str = "") -> Event:
        """The `count`-th event of a kind (whose text contains `text`), awaited."""

        def found() -> list[Event]:
            return [event for event in self._events if event.kind is kind and text in event.text]

        with self._changed:
            arrived = self._changed.wait_for(lambda: len(found()) >= count, timeout_s)
            assert arrived, f"no {kind.name} number {count} within {timeout_s} s; saw {self._events}\n{self.output()}"
            return found()[count - 1]

    def kinds(self) -> list[Kind]:
        with self._changed:
            return [event.kind for event in self._events]

    def output(self) -> str:
        return self._output.read_text(errors="replace") if self._output.exists() else ""

    def _say(self, kind: Kind, pid: int, text: str = "") -> None:
        with self._changed:
            self._events.append(Event(kind, pid, time.monotonic_ns(), text))
            self._changed.notify_all()

    def _run(self) -> None:
        with self._output.open("ab") as output:
            while self._run_once(output.fileno()):
                pass

    def _run_once(self, output: int) -> bool:
        """One life of the process; whether there is another."""
        while select.select([self._socket], [], [], 0)[0]:
            self._socket.recv(4096)  # what the one before still said
        process = subprocess.Popen(self._command, env=self._environment, stdout=output, stderr=output)
        pid_fd = os.pidfd_open(process.pid)
        self._say(Kind.STARTED, process.pid)
        try:
            return self._watch(process, pid_fd)
        finally:
            os.close(pid_fd)

    def _watch(self, process: subprocess.Popen[bytes], pid_fd: int) -> bool:
        deadline = time.monotonic() + self._start_s
        with selectors.DefaultSelector() as selector:
            for source in (self._socket, pid_fd, self._stop_read):
                selector.register(source, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select(max(0.0, deadline - time.monotonic()))}
                if self._stop_read in ready:
                    self._end(process, signal.SIGTERM)
                    return False
                if pid_fd in ready:
                    self._say(Kind.EXITED, process.pid, str(process.wait()))
                    return True
                if self._socket in ready:
                    if self._receive(process.pid):
                        deadline = time.monotonic() + self._watchdog_s
                elif time.monotonic() >= deadline:
                    self._say(Kind.TIMED_OUT, process.pid)
                    self._end(process, signal.SIGABRT)
                    self._say(Kind.EXITED, process.pid, str(process.returncode))
                    return True

    def _receive(self, pid: int) -> bool:
        """Takes one datagram; whether it says the process is alive."""
        lines = self._socket.recv(4096).decode().splitlines()
        for line in lines:
            if line == "READY=1":
                self._say(Kind.READY, pid)
            elif line == "WATCHDOG=1":
                self._say(Kind.BEAT, pid)
            elif line.startswith("STATUS="):
                self._say(Kind.STATUS, pid, line.removeprefix("STATUS="))
        return bool({"READY=1", "WATCHDOG=1"} & set(lines))

    @staticmethod
    def _end(process: subprocess.Popen[bytes], first: signal.Signals) -> None:
        process.send_signal(first)
        try:
            process.wait(ABORT_S if first is signal.SIGABRT else 20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
