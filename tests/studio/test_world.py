"""Several processes train as one would: two of them, for real, under torchrun."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from installation.studio.training import checkpoint as checkpoints
from installation.studio.world import ALONE, World, joined
from tests.studio.making import bar_film
from tests.studio.training.together import TRAIN_STEPS, lessons

ROOT = Path(__file__).resolve().parents[2]
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def together(*arguments: str) -> subprocess.Popen[str]:
    command = [*TORCHRUN, "-m", "tests.studio.training.together", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def test_two_processes_find_what_one_finds(tmp_path: Path) -> None:
    out = tmp_path / "two.json"
    with together("compare", str(out)) as two:
        _, errors = two.communicate(timeout=120)
    assert two.returncode == 0, errors
    found = json.loads(out.read_text())
    for name, wanted in lessons(ALONE).items():
        for step, (got, alone) in enumerate(zip(found[name], wanted, strict=True)):
            assert got.keys() == alone.keys()
            for figure in got.keys() - {"spread"}:  # a variance inside of each process's part
                assert got[figure] == pytest.approx(alone[figure], rel=2e-3, abs=1e-5), (name, step, figure)


def test_one_that_is_killed_is_missed_and_the_training_goes_on_later(tmp_path: Path) -> None:
    film, folder = bar_film(tmp_path / "a.mkv"), tmp_path / "train"
    victim = 0
    with together("learn", str(film), str(folder)) as two:
        assert two.stdout is not None
        assert two.stderr is not None
        for line in two.stdout:
            # Both write to one pipe: a line may begin with what is left of a progress bar.
            if match := re.search(r"here 1 (\d+)$", line):
                victim = int(match[1])
            if (match := re.search(r"saved (\d+)$", line)) and int(match[1]) >= 7:
                assert victim > 0, "the second process did not say who it is"
                os.kill(victim, signal.SIGKILL)
                break
        errors = two.stderr.read()
    assert two.returncode != 0
    assert "afterimage: another process of this training has ended" in errors
    assert "Start all processes again to go on" in errors
    killed = checkpoints.load(folder)
    assert killed is not None
    assert 7 <= killed.step < TRAIN_STEPS
    with together("learn", str(film), str(folder)) as again:
        said, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert f"going on after {killed.step} steps" in said
    finished = checkpoints.load(folder)
    assert finished is not None
    assert finished.step == TRAIN_STEPS


def test_a_process_takes_its_part_of_a_batch() -> None:
    whole = torch.arange(6)
    assert torch.cat([World(rank, 3).part(whole) for rank in range(3)]).tolist() == whole.tolist()
    assert World(1, 3).part(whole).tolist() == [2, 3]


def test_alone_nothing_is_exchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    with joined() as world:
        assert (world.rank, world.size) == (0, 1)
        assert world.leads
        assert world.highest([1.0, 2.0]) == [1.0, 2.0]
        assert world.shared("word") == "word"
        assert world.in_turn(lambda: 3) == 3
