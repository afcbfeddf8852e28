"""The loop survives a pulled plug, a person's Ctrl-C and a broken batch."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from rich.console import Console

from installation.errors import AfterimageError, InputError, UnavailableError
from installation.studio.training import checkpoint as checkpoints
from installation.studio.training import loop
from installation.studio.training.budget import Steps
from installation.studio.training.loop import train
from installation.studio.training.trainer import BrokenError, Figures, Trainer
from tests.studio.making import bar_film, request

STEPS = 24
# Trains and saves after every step, saying so.
CHILD = f"""
import sys
from pathlib import Path
from rich.console import Console
from installation.studio.training import checkpoint, compute, loop
from installation.studio.training.budget import Steps
from tests.studio.making import request
loop.SAVE_EVERY_S, loop._SAVE_SHARE = 0.0, 1e9
compute.use_all_cores = lambda: compute.torch.set_num_threads(1)
save = checkpoint.save
def told(resting, folder):
    save(resting, folder)
    print("saved", resting.step, flush=True)
checkpoint.save = told
loop.train(request(Path(sys.argv[1]), Path(sys.argv[2]), lambda _: Steps({STEPS})), Console())
"""


def quiet() -> Console:
    return Console(file=io.StringIO(), width=300)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found = checkpoints.load(folder)
    assert found is not None
    assert found.step == STEPS
    average: dict[str, torch.Tensor] = found.trainer["average"]
    return average


def test_killed_and_started_again_it_ends_where_it_would_have(tmp_path: Path) -> None:
    film = bar_film(tmp_path / "a.mkv")
    command = [sys.executable, "-c", CHILD, str(film), str(tmp_path / "killed")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line == "saved 7\n":
                child.kill()
                break
    assert child.returncode == -9
    killed = checkpoints.load(tmp_path / "killed")
    assert killed is not None
    assert 7 <= killed.step < STEPS
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"going on after {killed.step} steps" in again.stdout
    train(request(film, tmp_path / "whole", lambda _: Steps(STEPS)), quiet())
    wanted = weights(tmp_path / "whole")
    for name, value in weights(tmp_path / "killed").items():
        assert torch.allclose(value, wanted[name], atol=1e-6), name


def test_a_finished_training_is_not_repeated_but_can_go_on(tmp_path: Path) -> None:
    film, console = bar_film(tmp_path / "a.mkv"), quiet()
    assert train(request(film, tmp_path / "train"), console).finished
    assert train(request(film, tmp_path / "train"), console).checkpoint.step == 10
    assert "already trained 10 steps" in text_of(console)
    assert train(request(film, tmp_path / "train", lambda _: Steps(12)), console).checkpoint.step == 12
    assert (tmp_path / "train" / "sheet.png").exists()


def meddling(step: int, meddle: Callable[[], None]) -> Callable[..., Figures]:
    """`Trainer.step`, but for what happens before step `step`."""
    real = Trainer.step

    def stepped(self: Trainer, frames: object, number: int, *rest: float) -> Figures:
        if number == step:
            meddle()
        return real(self, frames, number, *rest)  # type: ignore[arg-type]

    return stepped


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    film, console = bar_film(tmp_path / "a.mkv"), quiet()
    before = signal.getsignal(number)
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", meddling(5, lambda: signal.raise_signal(number)))
        outcome = train(request(film, tmp_path / "train"), console)
    assert signal.getsignal(number) is before
    assert not outcome.finished
    assert "stopped and saved after 6 steps" in text_of(console)
    assert train(request(film, tmp_path / "train"), console).checkpoint.step == 10
    assert "going on after 6 steps" in text_of(console)


def test_a_second_ctrl_c_stops_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Trainer, "step", meddling(5, twice))
    with pytest.raises(KeyboardInterrupt):
        train(request(bar_film(tmp_path / "a.mkv"), tmp_path / "train"), quiet())


def once(error: Exception) -> Callable[[], None]:
    left = [error]

    def raised() -> None:
        if left:
            raise left.pop()

    return raised


def test_broken_numbers_send_it_back_to_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film, console = bar_film(tmp_path / "a.mkv"), quiet()
    train(request(film, tmp_path / "train"), quiet())
    monkeypatch.setattr(Trainer, "step", meddling(12, once(BrokenError("a loss is not a finite number"))))
    outcome = train(request(film, tmp_path / "train", lambda _: Steps(20)), console)
    assert outcome.finished
    assert outcome.checkpoint.step == 20
    assert outcome.checkpoint.caution == 0.5
    event = "step 13: a loss is not a finite number; went back to step 10, rates times 0.5"
    assert event in text_of(console)
    found = checkpoints.load(tmp_path / "train")
    assert found is not None
    assert found.events == [event]
    assert event in (tmp_path / "train" / "training.html").read_text()


def test_a_collapse_before_the_first_checkpoint_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = ["", "", "all pictures became one"]
    monkeypatch.setattr(loop.Watch, "look", lambda self, figures: answers.pop(0) if answers else "")
    console = quiet()
    outcome = train(request(bar_film(tmp_path / "a.mkv"), tmp_path / "train"), console)
    assert "step 3: all pictures became one; went back to step 0, rates times 0.5" in text_of(console)
    assert outcome.checkpoint.step == 10


def test_what_breaks_again_and_again_is_given_up_and_the_checkpoint_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise BrokenError("a loss is not a finite number")

    film, console = bar_film(tmp_path / "a.mkv"), quiet()
    train(request(film, tmp_path / "train"), quiet())
    monkeypatch.setattr(Trainer, "step", meddling(12, broken))
    with pytest.raises(AfterimageError, match=r"breaks again and again, now at step 13.*--preset is steadier"):
        train(request(film, tmp_path / "train", lambda _: Steps(20)), console)
    assert text_of(console).count("went back to step 10") == 6
    found = checkpoints.load(tmp_path / "train")
    assert found is not None
    assert found.step == 10


def test_a_full_disk_leaves_a_training_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film, console = bar_film(tmp_path / "a.mkv"), quiet()
    train(request(film, tmp_path / "train"), quiet())

    def full(content: object, stream: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(UnavailableError, match="No space left"):
            train(request(film, tmp_path / "train", lambda _: Steps(20)), quiet())
    assert train(request(film, tmp_path / "train", lambda _: Steps(20)), console).checkpoint.step == 20
    assert "going on after 10 steps" in text_of(console)


def test_the_log_says_what_the_history_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_REPORT_EVERY_S", 0.0)
    outcome = train(request(bar_film(tmp_path / "a.mkv"), tmp_path / "train"), quiet())
    rows = [json.loads(line) for line in (tmp_path / "train" / "log.jsonl").read_text().splitlines()]
    assert len(rows) >= 3
    assert [row["step"] for row in rows] == [row["step"] for row in outcome.checkpoint.history]
    assert {"step", "minutes", "frames/s", "noise", "psnr", "spread", "pixel", "kl"} <= rows[0].keys()


def test_other_footage_needs_another_model(tmp_path: Path) -> None:
    train(request(bar_film(tmp_path / "a.mkv"), tmp_path / "train"), quiet())
    with pytest.raises(InputError, match="choose another -m"):
        train(request(bar_film(tmp_path / "b.mkv", 5), tmp_path / "train"), quiet())


def test_time_trained_is_counted_over_interruptions(tmp_path: Path) -> None:
    film = bar_film(tmp_path / "a.mkv")
    first = train(request(film, tmp_path / "train"), quiet()).checkpoint.elapsed_s
    second = train(request(film, tmp_path / "train", lambda _: Steps(14)), quiet()).checkpoint.elapsed_s
    assert 0.0 < first < second
    assert loop.SAVE_EVERY_S <= 30.0
