"""A checkpoint is whole or the one before it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from installation.errors import ModelError, UnavailableError
from installation.studio.training import checkpoint as checkpoints
from installation.studio.training.checkpoint import Checkpoint


def resting(step: int) -> Checkpoint:
    return Checkpoint("mite", "0123", step, 12.5, 0.25, {"w": {"a": torch.arange(3)}}, [{"pixel": 0.5}])


def test_a_checkpoint_comes_back(tmp_path: Path) -> None:
    checkpoints.save(resting(7), tmp_path)
    found = checkpoints.load(tmp_path)
    assert found is not None
    assert (found.preset, found.frames, found.step, found.elapsed_s, found.progress) == ("mite", "0123", 7, 12.5, 0.25)
    assert found.trainer["w"]["a"].tolist() == [0, 1, 2]
    assert found.history == [{"pixel": 0.5}]
    assert checkpoints.load(tmp_path / "elsewhere") is None


def test_a_full_disk_keeps_the_last_good_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints.save(resting(1), tmp_path)

    def full(content: object, stream: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(UnavailableError, match=r"No space left.*last good one is kept"):
        checkpoints.save(resting(2), tmp_path)
    monkeypatch.undo()
    found = checkpoints.load(tmp_path)
    assert found is not None
    assert found.step == 1
    assert [path.name for path in tmp_path.iterdir()] == [checkpoints.NAME]


def test_a_half_written_file_beside_it_does_no_harm(tmp_path: Path) -> None:
    checkpoints.save(resting(1), tmp_path)
    (tmp_path / f"{checkpoints.NAME}.part").write_bytes(b"half")
    checkpoints.save(resting(2), tmp_path)
    found = checkpoints.load(tmp_path)
    assert found is not None
    assert found.step == 2


def test_damage_and_other_versions_are_named(tmp_path: Path) -> None:
    path = tmp_path / checkpoints.NAME
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(ModelError, match=r"checkpoint\.pt: the checkpoint cannot be read"):
        checkpoints.load(tmp_path)
    torch.save({"format": 99}, path)
    with pytest.raises(ModelError, match="format 99, this version reads 1 and 2"):
        checkpoints.load(tmp_path)
