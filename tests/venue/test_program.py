"""The program is taken along whole: a copy of it runs by itself, from the same files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from installation.errors import UnavailableError
from installation.venue import program
from installation.venue.placement import Copied, Root


def test_the_copy_runs_and_leaves_the_studio_behind(tmp_path: Path) -> None:
    entries = list(program.program_entries(Path(sys._base_executable).resolve()))
    root = Root(tmp_path)
    # Links in place of copies: 400 MB need not be written to prove that the list is complete.
    root.place(entry for entry in entries if not isinstance(entry, Copied))
    for entry in entries:
        if isinstance(entry, Copied):
            real = root.real(entry.path)
            real.parent.mkdir(parents=True, exist_ok=True)
            real.symlink_to(entry.source)
    assert root.real(program.PROGRAM).stat().st_mode & 0o111 == 0o111
    check = (
        "import installation, installation.resources, numpy, av, moderngl, glfw, onnxruntime, pydantic, rich, sys;"
        "import importlib.util; print(sys.prefix, installation.__file__, importlib.util.find_spec('torch'))"
    )
    python = root.real(program.HOME / "bin" / "python")
    result = subprocess.run(
        [python, "-c", check], capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
    )
    home = root.real(program.HOME)
    assert result.stdout.split()[0] == str(home), result.stderr
    assert result.stdout.split()[1].startswith(str(home))
    assert result.stdout.split()[2] == "None"


def test_dependencies_are_followed_and_extras_are_not() -> None:
    names = {distribution.metadata["Name"].lower() for distribution in program.needed_distributions("pydantic")}
    assert {"pydantic", "pydantic_core", "typing_extensions"} <= names | {name.replace("-", "_") for name in names}
    assert "email-validator" not in names


def test_a_program_that_is_not_installed_says_how_to_install_it() -> None:
    with pytest.raises(UnavailableError, match="no-such-thing is not installed"):
        program.needed_distributions("no-such-thing")


def test_a_python_in_a_private_home_is_not_readable_by_everyone(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    python = private / "python3"
    python.touch(mode=0o755)
    assert not program.everyone_can_run(python)
    assert program.everyone_can_run(Path("/bin/sh"))


def test_paths_are_those_of_the_machine() -> None:
    assert PurePosixPath("/opt/afterimage/venv/bin/afterimage") == program.PROGRAM
