"""Checkpoints that survive a pulled plug.

A checkpoint is written beside the old one, flushed to disk, and renamed over it: at any instant there is one complete
file. It carries everything that decides how training goes on: networks, averaged weights, optimisers, the step, and
the seconds trained so far.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from installation.errors import ModelError, UnavailableError
from installation.studio.preset import Choices, Preset
from installation.studio.presets import preset_named

FORMAT = 2
READABLE = (1, FORMAT)  # 1: before people could choose
NAME = "checkpoint.pt"


@dataclass(slots=True)
class Checkpoint:
    """A training at rest. `frames` is the identity of the frame store; `trainer` is what `Trainer.state` returns.

    elapsed_s, cpu_s: see `budget.Spent`. choices: what a person chose otherwise than the recipe, see `preset.Choices`.
    history: one row of figures per reported step. precision: the number format it is trained in. watch: the figures of
    `watch.Watch`. caution: factor of all learning rates. events: what happened on the way, in plain words.
    """

    preset: str
    frames: str
    step: int = 0
    elapsed_s: float = 0.0
    progress: float = 0.0
    trainer: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    choices: dict[str, Any] = field(default_factory=dict)
    cpu_s: float = 0.0
    precision: str = ""
    watch: dict[str, Any] = field(default_factory=dict)
    caution: float = 1.0
    events: list[str] = field(default_factory=list)

    def recipe(self) -> Preset:
        """How this training learns. Raises InputError if this version has no such recipe."""
        return preset_named(self.preset).chosen(Choices(**self.choices))


def save(checkpoint: Checkpoint, folder: Path) -> None:
    """Replace the checkpoint in `folder`. Raises UnavailableError (disk full, no permission) and keeps the old one."""
    target, part = folder / NAME, folder / f"{NAME}.part"
    content = {name: getattr(checkpoint, name) for name in Checkpoint.__slots__}
    try:
        with part.open("wb") as stream:
            torch.save({"format": FORMAT, **content}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
        _flush_folder(folder)
    except (OSError, RuntimeError) as error:  # torch wraps a full disk in RuntimeError
        part.unlink(missing_ok=True)
        raise UnavailableError(
            f"{target}: the checkpoint could not be written ({error}); the last good one is kept. "
            "Make room on the disk and run the same command again"
        ) from error


def load(folder: Path) -> Checkpoint | None:
    """The checkpoint in `folder`, or None if there is none. ModelError if it is damaged or of another version."""
    path = folder / NAME
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        version = content.pop("format")
        if version in READABLE:
            known = Checkpoint.__slots__
            return Checkpoint(**{name: value for name, value in content.items() if name in known})
    except Exception as error:  # torch.load raises whatever the damaged bytes lead to
        raise ModelError(f"{path}: the checkpoint cannot be read ({error}); delete it to start again") from error
    raise ModelError(
        f"{path}: checkpoint format {version}, this version reads {READABLE[0]} and {FORMAT}; delete it to start again"
    )


def _flush_folder(folder: Path) -> None:
    """Make a rename durable, where the system lets a folder be opened (not on Windows)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
