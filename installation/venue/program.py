"""The program itself, taken along: this very installation, copied to where every user can read it, without a network.

A virtual environment is three things: `pyvenv.cfg`, a link to a Python, and `site-packages` (PEP 405). They are placed
like any other file. Copied are Afterimage, in the layout of its wheel, and what it needs at run time: what the studio
needs stays behind. So what starts with the machine is what was tried before, to the byte.
"""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path, PurePosixPath

from installation.errors import UnavailableError
from installation.resources import RESOURCES, resource_dir
from installation.venue.placement import Copied, Entry, Linked, Written, tree

HOME = PurePosixPath("/opt/afterimage/venv")
PROGRAM = HOME / "bin" / "afterimage"
_NAME = "afterimage"
_PACKAGE = Path(__file__).resolve().parent.parent
_CUDA_EXTRAS = frozenset({"cuda", "cudnn"})  # of onnxruntime-gpu: the NVIDIA libraries, where they were installed
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
_SITE = HOME / "lib" / _VERSION / "site-packages"


def program_entries(base_python: Path) -> Iterator[Entry]:
    """Everything to place for the program to run on `base_python`. Raises UnavailableError if something is not here."""
    configuration = f"home = {base_python.parent}\ninclude-system-site-packages = false\n"
    launcher = f"#!{HOME}/bin/python\nimport sys\n\nfrom installation.cli import main\n\nsys.exit(main())\n"
    yield Written(HOME / "pyvenv.cfg", configuration.encode())
    yield Linked(HOME / "bin" / "python", str(base_python))
    yield Written(PROGRAM, launcher.encode(), mode=0o755)
    yield from tree(_PACKAGE, _SITE / "installation", frozenset({"data"}))
    for name in RESOURCES:
        yield from tree(resource_dir(name), _SITE / "installation" / "data" / name, frozenset({"train"}))
    for distribution in needed_distributions(_NAME):
        yield from _distribution_entries(distribution)


def needed_distributions(name: str) -> list[metadata.Distribution]:
    """The distribution `name` and those it needs to run, as installed here, sorted by name.

    A requirement that is not installed was for another platform. Extras are left out, CUDA's libraries excepted.
    """
    found: dict[str, metadata.Distribution] = {}
    waiting = [name]
    while waiting:
        wanted = _normal(waiting.pop())
        if wanted in found:
            continue
        try:
            found[wanted] = metadata.distribution(wanted)
        except metadata.PackageNotFoundError:
            continue
        waiting += _requirements(found[wanted].requires or ())
    if _normal(name) not in found:
        raise UnavailableError(f"{name} is not installed in this Python; run scripts/play once, or pip install it")
    return [found[key] for key in sorted(found)]


def readable_python() -> Path:
    """A Python of this version that every user may run: this one, or the system's. Raises UnavailableError."""
    executable = getattr(sys, "_base_executable", sys.executable)  # behind the virtual environment
    candidates = (Path(executable).resolve(), Path("/usr/bin") / _VERSION, Path("/usr/local/bin") / _VERSION)
    for candidate in candidates:
        if candidate.is_file() and everyone_can_run(candidate):
            return candidate
    raise UnavailableError(
        f"the player's own user cannot read {candidates[0]}, and there is no {_VERSION} in /usr/bin; "
        f"run: sudo apt-get install {_VERSION}, or make the environment with a Python outside of home folders"
    )


def everyone_can_run(program: Path) -> bool:
    """Whether any user may execute a file: every folder on the way may be entered."""
    real = program.resolve()
    return all(path.stat().st_mode & stat.S_IXOTH for path in (real, *real.parents))


def _requirements(requirements: Iterable[str]) -> Iterator[str]:
    for requirement in requirements:
        extras = set(_EXTRA.findall(requirement))
        match = _REQUIREMENT.match(requirement)
        if match and (not extras or extras & _CUDA_EXTRAS):
            yield match[1]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _distribution_entries(distribution: metadata.Distribution) -> Iterator[Entry]:
    """The files of a distribution that lie in site-packages; of our own only the metadata, the rest is placed above."""
    name = distribution.metadata["Name"]
    if distribution.files is None:
        raise UnavailableError(f"{name} does not say which files it has; install it with pip, not with the system")
    for file in distribution.files:
        parts = file.parts
        compiled = file.suffix == ".pyc" or "__pycache__" in parts
        ours = _normal(name) == _NAME and not parts[0].endswith(".dist-info")
        if compiled or ours or ".." in parts or file.is_absolute():
            continue
        source = Path(str(distribution.locate_file(file)))
        if source.is_file():
            yield Copied(_SITE.joinpath(*parts), source)
