"""The wheel is whole: installed alone in a clean environment it finds its shaders, models and shows, and plays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(command: Sequence[str | Path], folder: Path) -> str:
    """What a command printed on stdout, run in `folder` with nothing of this checkout in its environment."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COV_"))}
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == 0, f"{command} ended with {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    run([sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, ROOT], folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path) -> Path:
    """The bin folder of a clean environment with the wheel in it; its dependencies are borrowed from this one."""
    home = wheel.parent / "environment"
    run([sys.executable, "-m", "venv", "--without-pip", home], wheel.parent)
    python = home / "bin" / "python"
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    run([sys.executable, "-m", "pip", "--python", python, "install", *options, wheel], wheel.parent)
    (site,) = home.glob("lib/*/site-packages")
    # A path in a .pth file is searched, but .pth files found there are not read: this checkout stays out.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin"


def test_it_carries_what_is_not_code_and_no_training(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    data = [name for name in names if name.startswith("installation/data/")]
    assert {name.split("/")[2] for name in data} == {"shaders", "models", "show_configs"}
    assert "installation/data/show_configs/demo.toml" in data
    assert any(name.endswith("/decoder.onnx") for name in data)
    assert "installation/control/page/assets/index.html" in names
    assert not any("/train/" in name for name in names)
    assert not any(name.startswith(("tests/", "scripts/")) for name in names)


def test_it_is_found_in_its_own_environment(programs: Path, tmp_path: Path) -> None:
    program = """
import installation.resources as found
print(found.__file__, *map(found.resource_dir, found.RESOURCES), sep="\\n")
"""
    places = run([programs / "python", "-c", program], tmp_path).splitlines()
    assert len(places) == 4
    assert all(Path(place).is_relative_to(programs.parent) for place in places)


def test_it_plays_the_demo_from_anywhere(programs: Path, tmp_path: Path) -> None:
    run(
        [programs / "afterimage", "play", "--headless", "--size", "320x180", "--seconds", "1", "--stats", "stats.json"],
        tmp_path,
    )
    assert json.loads((tmp_path / "stats.json").read_text())["presented"] > 0


def test_it_would_start_with_the_machine(programs: Path, tmp_path: Path) -> None:
    printed = run([programs / "afterimage", "autostart", "print"], tmp_path)
    assert "/opt/afterimage/work/show_configs/demo.toml" in printed
    assert "/opt/afterimage/work/models/" not in printed  # copied files are counted, not listed
