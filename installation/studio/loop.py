"""The training loop: footage and a preset in, a checkpoint out.

The loop is a pure sequence of (seed, step) with a checkpoint every half minute or so; killed at any instant, the same
command goes on from the last one. Everything that only training needs lies in `<model>/train/`; the model folder
itself is what plays.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from installation.studio import compute  # isort: skip  # before torch is loaded, see there

import numpy as np
from rich.console import Console

from installation.errors import AfterimageError, InputError
from installation.studio import checkpoint as checkpoints
from installation.studio.budget import Budget, Minutes, Steps
from installation.studio.checkpoint import Checkpoint
from installation.studio.dataset import FrameStore, Selection, open_store
from installation.studio.preset import Choices, Preset
from installation.studio.report import TrainingProgress, plot_losses, save_picture, sheet
from installation.studio.sampling import Sampler
from installation.studio.trainer import BrokenError, Figures, Trainer

DEFAULT_MINUTES = 90.0
SAVE_EVERY_S = 25.0  # seconds of training that a pulled plug may cost
_SAVE_SHARE = 0.03  # of the time at most goes into writing checkpoints
_SHEET_FRAMES = 8
_SHEET_EVERY_S = 240.0


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """One training. `folder` is `<model>/train`. `choices` is what a person chose otherwise than the recipe;
    `preset` has it already.
    """

    selections: tuple[Selection, ...]
    folder: Path
    preset: Preset
    choices: Choices
    budget: Callable[[int], Budget]


@dataclass(frozen=True, slots=True)
class TrainOutcome:
    """How a training ended. `finished` is False if a person stopped it."""

    checkpoint: Checkpoint
    finished: bool


def train(request: TrainRequest, console: Console) -> TrainOutcome:
    """Train until the budget is used up or Ctrl-C; the checkpoint on disk is always the returned one.

    Raises InputError if the folder holds a training of other footage or another preset, UnavailableError if the disk
    is full, AfterimageError if the numbers break.
    """
    compute.use_all_cores()
    precision = compute.fastest_precision()
    console.print(f"training in {precision.reason}")
    with TrainingProgress(console) as progress:
        store = open_store(request.selections, request.folder, lambda what, share: progress.update(share, {}))
    budget = request.budget(len(store))
    resting = _resume(request, store, console)
    trainer = Trainer(request.preset, precision)
    if resting.trainer:
        trainer.restore(resting.trainer)
    if budget.share(resting.step, resting.elapsed_s) >= 1.0:
        console.print(f"{request.folder.parent}: already trained {_trained(resting)}; ask for more to go on")
        return TrainOutcome(resting, True)
    run = _Run(request, store, trainer, resting, budget)
    with TrainingProgress(console) as progress:
        try:
            run.until_done(progress)
        except KeyboardInterrupt:
            run.rest()
            console.print(f"stopped and saved after {_trained(run.resting)}. The same command goes on from here.")
            return TrainOutcome(run.resting, False)
    return TrainOutcome(run.resting, True)


class _Run:
    """The loop. `resting` mirrors what is on disk after each `rest`."""

    def __init__(
        self, request: TrainRequest, store: FrameStore, trainer: Trainer, resting: Checkpoint, budget: Budget
    ) -> None:
        self.resting = resting
        self._request = request
        self._store = store
        self._sampler = Sampler(store, request.preset.sampling, request.preset.batch, request.preset.seed)
        self._trainer = trainer
        self._budget = budget
        self._started = time.monotonic() - resting.elapsed_s
        self._step = resting.step
        self._next_sheet = resting.elapsed_s
        self._save_s = 0.0

    def until_done(self, progress: TrainingProgress) -> None:
        """Step until the budget is used up; the last checkpoint is the complete one."""
        saved = reported = time.monotonic()
        reported_step = self._step
        while (share := self._budget.share(self._step, self._elapsed())) < 1.0:
            figures = self._one_step(share)
            now = time.monotonic()
            if now - reported > 2.0:
                speed = (self._step - reported_step) * self._request.preset.batch / (now - reported)
                progress.update(share, self._note(figures, speed))
                reported, reported_step = now, self._step
            if now - saved > max(SAVE_EVERY_S, self._save_s / _SAVE_SHARE):
                self.rest()
                saved = time.monotonic()
        progress.update(1.0, {})
        self._next_sheet = 0.0
        self.rest()

    def rest(self) -> None:
        """Write the checkpoint; now and then a sheet and the plot."""
        begun = time.monotonic()
        self.resting.step = self._step
        self.resting.elapsed_s = self._elapsed()
        self.resting.progress = self._budget.share(self._step, self.resting.elapsed_s)
        self.resting.trainer = self._trainer.state()
        self._look()
        checkpoints.save(self.resting, self._request.folder)
        self._save_s = time.monotonic() - begun

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _one_step(self, share: float) -> Figures:
        picked = self._sampler.indices(self._step)
        try:
            figures = self._trainer.step(self._store.take(picked), self._step, share)
        except BrokenError as error:
            raise AfterimageError(
                f"training broke at {error}; the last good checkpoint is kept. Run the same command to try again"
            ) from error
        self._step += 1
        return figures

    def _note(self, figures: Figures, speed: float) -> dict[str, float]:
        """One row of the history, and of the progress line."""
        row = {
            "step": float(self._step),
            "minutes": self._elapsed() / 60.0,
            "frames/s": speed,
            **figures,
        }
        history = self.resting.history
        if not history or row["minutes"] - history[-1]["minutes"] > history[-1]["minutes"] / 200.0:
            history.append(row)
        return row

    def _look(self) -> None:
        """Every few minutes: footage over memory from the averaged weights, their PSNR, and the loss plot."""
        if self._elapsed() < self._next_sheet:
            return
        self._next_sheet = self._elapsed() + _SHEET_EVERY_S
        places = np.linspace(0, len(self._store) - 1, _SHEET_FRAMES + 2).astype(np.int64)[1:-1]
        footage = self._store.take(places)
        memory = self._trainer.remember(footage)
        folder = self._request.folder
        save_picture(sheet(footage, memory), folder / "sheet.png")
        plot_losses(self.resting.history, folder / "losses.png")
        if self.resting.history:
            self.resting.history[-1]["sheet psnr"] = psnr(footage, memory)


def psnr(footage: np.ndarray, memory: np.ndarray) -> float:
    """Mean over frames of the peak signal-to-noise ratio in dB, capped at 60: uint8 (B, H, W, 3) twice."""
    error = np.square(footage.astype(np.float32) - memory.astype(np.float32)).mean((1, 2, 3)) / 255.0**2
    return float(np.mean(-10.0 * np.log10(np.maximum(error, 1e-6))))


def _resume(request: TrainRequest, store: FrameStore, console: Console) -> Checkpoint:
    """The checkpoint to go on from, or a fresh one."""
    found = checkpoints.load(request.folder)
    if found is None:
        return Checkpoint(request.preset.name, store.identity, choices=request.choices.stored())
    if (found.preset, Choices(**found.choices), found.frames) != (request.preset.name, request.choices, store.identity):
        raise InputError(
            f"{request.folder}: holds a training with preset {found.preset!r}{Choices(**found.choices)}, or of other "
            "footage, framing or times; choose another -m, or delete that folder to start again"
        )
    console.print(f"going on after {_trained(found)}")
    return found


def _trained(checkpoint: Checkpoint) -> str:
    minutes, seconds = divmod(round(checkpoint.elapsed_s), 60)
    return f"{checkpoint.step} steps, {minutes} min {seconds:02d} s"


def budget_of(preset: Preset, epochs: int | None, minutes: float | None) -> Callable[[int], Budget]:
    """Frames -> budget, from the command line's two ways to say it. Raises InputError if both are given."""
    if epochs is not None and minutes is not None:
        raise InputError("--epochs and --minutes are both given; pick one")
    if epochs is not None:
        return lambda frames: Steps.of_epochs(epochs, frames, preset.batch)
    wanted = Minutes(DEFAULT_MINUTES if minutes is None else minutes)
    return lambda _: wanted
