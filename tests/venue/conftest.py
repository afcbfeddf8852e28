"""A machine to install on that is only a folder, and a show to install."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pytest

from installation.venue.placement import Root
from installation.venue.system import Machine

SHOW = """
version = 1
title = "100 % \\\\ Rabbits"
model = "../models/bunny"
"""


@dataclass
class RecordingRunner:
    """Runs nothing; keeps what was asked, and behaves like systemd and shadow as far as installing can see."""

    folder: Path
    privileged: bool = True
    calls: list[tuple[str, ...]] = field(default_factory=list)
    enabled: set[str] = field(default_factory=set)
    answers: dict[tuple[str, ...], tuple[int, str]] = field(default_factory=dict)

    def run(self, arguments: Sequence[str]) -> tuple[int, str]:
        self.calls.append(tuple(arguments))
        passwd = self.folder / "etc/passwd"
        match arguments:
            case ["systemctl", "is-enabled", unit]:
                return (0, "enabled") if unit in self.enabled else (1, "disabled")
            case ["systemctl", "enable", *units]:
                self.enabled.update(units)
            case ["systemctl", "disable", "--now", *units]:
                self.enabled.difference_update(units)
            case ["useradd", *_, name]:
                passwd.write_text(passwd.read_text() + f"{name}:x:999:999::/:/usr/sbin/nologin\n")
            case ["userdel", name]:
                kept = [
                    line for line in passwd.read_text().splitlines(keepends=True) if not line.startswith(f"{name}:")
                ]
                passwd.write_text("".join(kept))
        return self.answers.get(tuple(arguments), (0, ""))


@dataclass(frozen=True)
class Bench:
    """A machine below a folder."""

    folder: Path
    runner: RecordingRunner
    machine: Machine

    def real(self, path: PurePosixPath | str) -> Path:
        return self.machine.root.real(PurePosixPath(path))

    def files(self) -> set[str]:
        return {"/" + str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if not path.is_dir()}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    folder = tmp_path / "machine"
    for name, content in {"etc/passwd": "root:x:0:0::/:/bin/sh\n", "etc/group": "video:x:44:\nrender:x:105:\n"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    (folder / "usr/lib/xorg").mkdir(parents=True)
    (folder / "usr/lib/xorg/Xorg").touch()
    runner = RecordingRunner(folder)
    return Bench(folder, runner, Machine(Root(folder), runner))


@pytest.fixture
def show(tmp_path: Path) -> Path:
    """A show with its model beside it, as in a checkout. The model is never opened here."""
    home = tmp_path / "home"
    model = home / "models" / "bunny"
    for name in ("decoder.onnx", "films/bunny.safetensors", "train/checkpoint.pt"):
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_bytes(name.encode())
    (home / "show_configs").mkdir()
    path = home / "show_configs" / "demo.toml"
    path.write_text(SHOW)
    return path
