"""What the bench ran on: the machine, the libraries, the commit. Figures mean nothing without them."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from installation.nets.processor import processor_name, usable_cores

# Distributions whose versions move the figures; the first found of a group counts.
LIBRARIES = (("onnxruntime-gpu", "onnxruntime"), ("numpy",), ("moderngl",), ("glfw",), ("av",), ("torch",))
_GIT_PATIENCE_S = 10


@dataclass(frozen=True, slots=True)
class Machine:
    """`cores` are those this process may use; `load` is the mean number of running processes over the last minute,
    before the bench began; both None where the system does not tell. `renderer` is OpenGL's own name of itself.
    """

    cpu: str
    cores: int
    memory_gb: float | None
    load: float | None
    renderer: str
    system: str
    python: str
    libraries: Mapping[str, str]


def this_machine(renderer: str, load: float | None) -> Machine:
    """The facts of this machine; `renderer` and `load` are measured elsewhere."""
    return Machine(
        cpu=processor_name(),
        cores=usable_cores(),
        memory_gb=memory_gb(_text("/proc/meminfo")),
        load=load,
        renderer=renderer,
        system=_system(),
        python=platform.python_version(),
        libraries=_libraries(),
    )


def memory_gb(meminfo: str) -> float | None:
    """`MemTotal` of /proc/meminfo, given there in KiB, in GB (10^9 bytes)."""
    for line in meminfo.splitlines():
        name, _, value = line.partition(":")
        if name == "MemTotal":
            return round(int(value.split()[0]) * 1024 / 1e9, 1)
    return None


def load_average() -> float | None:
    """Processes that ran or wanted to, over the last minute; None where the system does not count them."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def commit_of(folder: Path) -> str | None:
    """The commit checked out in `folder`, with `+changes` where tracked files differ; None if it is no checkout."""
    if not (folder / ".git").exists():
        return None
    head = _git(folder, "rev-parse", "HEAD")
    if head is None:
        return None
    return head + ("+changes" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, or None where there is no git or it refuses."""
    try:
        asked = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=_GIT_PATIENCE_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout.strip()


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform()
    return f"{name}, {platform.system()} {platform.release()}"


def _libraries() -> dict[str, str]:
    found = {}
    for names in LIBRARIES:
        for name in names:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
            break
    return found


def _text(path: str) -> str:
    """A kernel file's text; empty where there is none."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
