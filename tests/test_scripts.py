"""scripts/play on a machine made of stubs: what is installed, when, and what is started in the end."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Every stub writes its name and arguments to the log; what it prints beyond that stands in for the real program.
STUB = '#!/bin/sh\nprintf "%s %s\\n" "$(basename "$0")" "$*" >> "$LOG"\n'
ALL_INSTALLED = STUB + 'shift 2; for package; do echo "$package installed"; done\n'
ONE_MISSING = STUB + 'shift 2; for package; do [ "$package" = libegl1 ] || echo "$package installed"; done; exit 1\n'
FAILING = STUB + "exit 1\n"


@dataclass
class Checkout:
    """A checkout with a made environment, and a PATH of stubs before the system's."""

    folder: Path

    def stub(self, place: str, text: str = STUB) -> None:
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def play(self, *arguments: str, **environment: str) -> tuple[list[str], str]:
        """The programs called, in order, and what was said."""
        log = self.folder / "log"
        log.write_text("")
        path = f"{self.folder / 'stubs'}:{os.environ['PATH']}"
        command = [self.folder / "scripts" / "play", *arguments]
        result = subprocess.run(
            command,
            env={"PATH": path, "LOG": str(log), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return log.read_text().splitlines(), result.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    shutil.copytree(ROOT / "scripts", tmp_path / "a checkout" / "scripts")
    made = Checkout(tmp_path / "a checkout")
    (made.folder / "pyproject.toml").write_text("[project]\n")
    for name in ("python", "pip", "afterimage"):
        made.stub(f".venv/bin/{name}")
    made.stub("stubs/dpkg-query", ALL_INSTALLED)
    made.stub("stubs/apt-get")
    return made


def programs(calls: list[str]) -> list[str]:
    return [call.split()[0] for call in calls]


def test_the_second_start_only_starts(checkout: Checkout) -> None:
    calls, said = checkout.play("--headless")
    assert programs(calls) == ["dpkg-query", "python", "afterimage"]
    assert "--editable" in calls[1]
    assert "installing the Python packages" in said
    calls, said = checkout.play("--headless")
    assert programs(calls) == ["dpkg-query", "afterimage"]
    assert said == ""


def test_a_new_pyproject_is_installed_again(checkout: Checkout) -> None:
    checkout.play("--headless")
    (checkout.folder / "pyproject.toml").write_text("[project]\n# more\n")
    assert "python" in programs(checkout.play("--headless")[0])


def test_an_installation_that_failed_is_tried_again(checkout: Checkout) -> None:
    checkout.stub(".venv/bin/python", FAILING)
    with pytest.raises(AssertionError):
        checkout.play("--headless")
    checkout.stub(".venv/bin/python")
    assert "python" in programs(checkout.play("--headless")[0])


def test_without_a_display_it_plays_headless_and_says_so(checkout: Checkout) -> None:
    calls, said = checkout.play("my show.toml", "--seconds", "5")
    assert calls[-1] == "afterimage play my show.toml --seconds 5 --headless"
    assert "playing headless" in said


@pytest.mark.parametrize("arguments", [("--headless",), ("--windowed",)])
def test_a_choice_of_display_is_respected(checkout: Checkout, arguments: tuple[str, ...]) -> None:
    assert checkout.play(*arguments)[0][-1] == f"afterimage play {arguments[0]}"


@pytest.mark.parametrize("name", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_with_a_display_it_plays_full_screen(checkout: Checkout, name: str) -> None:
    assert checkout.play(**{name: ":0"})[0][-1] == "afterimage play"


def test_only_missing_packages_are_installed(checkout: Checkout) -> None:
    checkout.stub("stubs/dpkg-query", ONE_MISSING)
    checkout.stub("stubs/sudo", STUB + '[ "$1" = -n ] || exec "$@"\n')  # whoever runs this test
    calls, said = checkout.play("--headless")
    installs = [call for call in calls if call.startswith("apt-get") and " install " in call]
    assert len(installs) == 1
    assert installs[0].endswith("--no-install-recommends libegl1")
    assert "installing system packages: libegl1" in said


def test_packages_that_cannot_be_installed_are_named_and_it_goes_on(checkout: Checkout) -> None:
    checkout.stub("stubs/dpkg-query", ONE_MISSING)
    checkout.stub("stubs/apt-get", FAILING)
    checkout.stub("stubs/sudo", FAILING)
    calls, said = checkout.play("--headless")
    assert calls[-1] == "afterimage play --headless"
    assert "sudo apt-get install libegl1" in said


def test_an_nvidia_gpu_brings_its_libraries(checkout: Checkout) -> None:
    checkout.stub("stubs/nvidia-smi")
    calls, _ = checkout.play("--headless")
    assert any("--editable" in call and call.endswith("[cuda]") for call in calls)
