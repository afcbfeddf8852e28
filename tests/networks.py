"""Networks of a test's own: ports that protocols fix are free there, and there is another machine to talk to.

On Linux each thread can have its own network; what it starts, threads and programs, is in it too. Making one takes
root.
"""

from __future__ import annotations

import ctypes
import functools
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import pytest

PLAYER, FAR = "10.9.0.1", "10.9.0.2"  # the player and the other machine on the stage's network, 10.9.0.0/24
OFFICE = "10.8.0.1"  # the player's other interface, which leads nowhere
PATIENCE_S = 10.0
_CLONE_NEWNET = 0x4000_0000  # unshare(2)
_NEAR = (
    "link set lo up",
    "link add stage type veth peer name far",
    f"addr add {PLAYER}/24 brd + dev stage",
    "link set stage up",
    "link add office type veth peer name nowhere",
    f"addr add {OFFICE}/24 brd + dev office",
    "link set office up",
    "link set nowhere up",
)
_FAR = ("link set lo up", f"addr add {FAR}/24 brd + dev far", "link set far up")

P = ParamSpec("P")
T = TypeVar("T")


def in_own_network(test: Callable[P, None]) -> Callable[P, None]:
    """Run a test in a network of its own, that has the interfaces `stage` and `office`."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        raised: list[BaseException] = []

        def isolated() -> None:
            try:
                _enter()
                test(*args, **kwargs)
            except BaseException as error:
                raised.append(error)

        thread = threading.Thread(target=isolated)
        thread.start()
        thread.join()
        if raised:
            raise raised[0]

    return run


def _enter() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        pytest.skip(f"no network of its own for this test: {os.strerror(ctypes.get_errno())}; it takes root")
    for line in _NEAR:
        subprocess.run(["ip", *line.split()], check=True, timeout=PATIENCE_S)


class FarMachine:
    """Another machine, as far as the network knows: at the other end of the stage's cable."""

    def __init__(self, pid: int) -> None:
        self._network = f"/proc/{pid}/ns/net"
        self._enter = ("nsenter", f"--net={self._network}")

    def command(self, *words: str, user: str = "") -> list[str]:
        """A command line that runs there; as somebody else, if the program will not run as root."""
        return [*self._enter, *(("setpriv", f"--reuid={user}", "--clear-groups") if user else ()), *words]

    def run(self, *words: str) -> None:
        """Run a program there until it ends."""
        subprocess.run(self.command(*words), check=True, timeout=PATIENCE_S, capture_output=True)

    def also_has(self, address: str) -> None:
        """Give it one more address on the stage's network."""
        self.run("ip", "addr", "add", f"{address}/24", "dev", "far")

    def call(self, function: Callable[[], T]) -> T:
        """Call a function as if there: the sockets it makes stay there, whoever uses them later."""

        def there() -> T:
            with open(self._network) as network:  # noqa: PTH123 - a kernel file, for its descriptor
                if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            return function()

        with ThreadPoolExecutor(1) as visitor:  # its network is its own, and ends with it
            return visitor.submit(there).result()


@contextmanager
def far_machine() -> Iterator[FarMachine]:
    """The other machine, until the block ends. Only in a network of the test's own."""
    there = ["unshare", "--net", "sh", "-c", "echo there; exec sleep 600"]
    with subprocess.Popen(there, stdout=subprocess.PIPE, text=True) as keeper:
        try:
            assert keeper.stdout is not None and keeper.stdout.readline() == "there\n"
            machine = FarMachine(keeper.pid)
            subprocess.run(["ip", "link", "set", "far", "netns", str(keeper.pid)], check=True, timeout=PATIENCE_S)
            for line in _FAR:
                machine.run("ip", *line.split())
            yield machine
        finally:
            keeper.kill()


@contextmanager
def program(command: Sequence[str], **environment: str) -> Iterator[None]:
    """A program that runs until the block ends."""
    with subprocess.Popen(command, env=os.environ | environment) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
