"""What the processes of `test_world` run, under torchrun: `python -m tests.studio.training.together WORK [ARG...]`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch
from rich.console import Console

from installation.errors import AfterimageError
from installation.studio.training import checkpoint, compute, loop
from installation.studio.training.budget import Steps
from installation.studio.training.trainer import Figures, Trainer
from installation.studio.world import World, joined
from tests.studio.making import SMALL, pictures, request

STEPS = 3  # then rounding, which differs, has grown too large to compare
TRAIN_STEPS = 80


def lessons(world: World) -> dict[str, list[Figures]]:
    """The figures of a few steps of every family."""
    frames = pictures(4)
    own = len(frames) // world.size
    mine = frames[world.rank * own : (world.rank + 1) * own]
    found = {}
    for preset in SMALL:
        trainer = Trainer(preset, world=world)
        found[preset.name] = [dict(trainer.step(mine, step, step / STEPS)) for step in range(STEPS)]
    return found


def compare(out: Path) -> None:
    """Several processes' figures, written by the first."""
    with joined() as world:
        found = lessons(world)
        if world.leads:
            out.write_text(json.dumps(found))


def learn(film: Path, folder: Path) -> None:
    """Train, saving after every step; say so, and who one is."""
    loop.SAVE_EVERY_S, loop._SAVE_SHARE = 0.0, 1e9
    save = checkpoint.save

    def told(resting: checkpoint.Checkpoint, where: Path) -> None:
        save(resting, where)
        print("saved", resting.step, flush=True)

    checkpoint.save = told
    with joined() as world:
        print("here", world.rank, os.getpid(), flush=True)
        console = Console() if world.leads else Console(quiet=True)
        loop.train(request(film, folder, lambda _: Steps(TRAIN_STEPS)), console, world)


if __name__ == "__main__":
    compute.use_all_cores = lambda: torch.set_num_threads(1)
    compute.use_all_cores()
    works = {"compare": compare, "learn": learn}
    try:
        works[sys.argv[1]](*(Path(arg) for arg in sys.argv[2:]))
    except AfterimageError as error:
        sys.exit(f"afterimage: {error}")
