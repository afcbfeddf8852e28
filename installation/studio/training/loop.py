"""The training loop: footage and a preset in, a checkpoint out.

The loop is a pure sequence of (seed, step) with a checkpoint every half minute or so; killed at any instant, the same
command goes on from the last one. When numbers break or pictures collapse, it goes back there by itself, with gentler
steps. Everything that only training needs lies in `<model>/train/`; the model folder itself is what plays.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from installation.studio.training import compute  # isort: skip  # before torch is loaded, see there

from rich.console import Console

from installation.errors import AfterimageError, InputError
from installation.studio.frames.dataset import FrameStore, Selection, open_store
from installation.studio.frames.sampling import Sampler
from installation.studio.preset import Choices, Preset
from installation.studio.training import checkpoint as checkpoints
from installation.studio.training.budget import Budget, CpuMinutes, Meter, Minutes, Spent, Steps
from installation.studio.training.checkpoint import Checkpoint
from installation.studio.training.interruption import Interruption, interruptible
from installation.studio.training.journal import Journal
from installation.studio.training.report import TrainingProgress
from installation.studio.training.trainer import BrokenError, Figures, Trainer
from installation.studio.training.watch import Watch
from installation.studio.world import ALONE, PeerLostError, World

DEFAULT_MINUTES = 90.0
SAVE_EVERY_S = 25.0  # seconds of training that a pulled plug may cost
_SAVE_SHARE = 0.03  # of the time at most goes into writing checkpoints
_REPORT_EVERY_S = 2.0
_LOOK_EVERY_S = 240.0  # and at the end
_SETTLING_BATCHES = 32  # of footage, for the statistics that batch norm plays with
_LEAST_CAUTION = 1 / 64  # below, going back once more would not help
_RECOVERY_STEPS = 1000  # after so many good steps, caution halves


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


def train(request: TrainRequest, console: Console, world: World = ALONE) -> TrainOutcome:
    """Train until the budget is used up or somebody asks to stop; the checkpoint on disk is always the returned one.

    Raises InputError if the folder holds a training of other footage or another preset, UnavailableError if the disk
    is full, AfterimageError if the numbers break again and
    again or another process of the training ends.
    """
    compute.use_all_cores()
    with TrainingProgress(console) as progress:
        store = world.in_turn(lambda: open_store(request.selections, request.folder, progress.preparing))
    budget = request.budget(len(store))
    resting = world.shared(_resume(request, store, console) if world.leads else Checkpoint("", ""))
    precision = world.shared(
        compute.precision_for(resting.precision, request.preset.wide) if world.leads else compute.FULL
    )
    resting.precision = precision.name
    console.print(f"training in {precision.reason}")
    if budget.share(_spent(resting)) >= 1.0:
        console.print(f"{request.folder.parent}: already trained {_trained(resting)}; ask for more to go on")
        return TrainOutcome(resting, True)
    with TrainingProgress(console) as progress, interruptible() as interruption:
        run = _Run(request, store, resting, precision, world, console)
        try:
            finished = run.until_done(budget, progress, interruption)
        except PeerLostError as error:
            raise AfterimageError(f"{error}; the checkpoint is kept. Start all processes again to go on") from error
    if not finished:
        console.print(f"stopped and saved after {_trained(run.resting)}. The same command goes on from here.")
    return TrainOutcome(run.resting, finished)


class _Run:
    """The loop. `resting` mirrors what is on disk after each `_rest`."""

    def __init__(
        self,
        request: TrainRequest,
        store: FrameStore,
        resting: Checkpoint,
        precision: compute.Precision,
        world: World,
        console: Console,
    ) -> None:
        self.resting = resting
        self._request = request
        self._store = store
        self._precision = precision
        self._world = world
        self._console = console
        preset = request.preset
        self._sampler = Sampler(store, preset.sampling, preset.batch, preset.seed)
        self._journal = Journal(request.folder, store)
        self._meter = Meter(_spent(resting))
        self._saved_at = time.monotonic()
        self._save_s = 0.0
        self._look_at_s = resting.elapsed_s
        self._stand_at(resting)
        if world.leads:
            self._journal.begin(resting.history, self._epoch)

    def _stand_at(self, resting: Checkpoint) -> None:
        """Networks, step and watch as a checkpoint has them; the beginning if it has none."""
        self.resting = resting
        self._trainer = Trainer(self._request.preset, self._precision, self._world)
        if resting.trainer:
            self._trainer.restore(resting.trainer)
        resting.trainer = {}  # the same tensors again are written at the next rest
        self._step = resting.step
        self._watch = Watch(**resting.watch)

    def until_done(self, budget: Budget, progress: TrainingProgress, interruption: Interruption) -> bool:
        """Step until the budget is used up (True) or somebody asks to stop. The last checkpoint is the complete one."""
        reported, reported_step = time.monotonic(), self._step
        while True:
            spent = self._meter.read(self._step)
            share, save, stop = self._world.highest(
                [budget.share(spent), self._save_due(), interruption.asked]
                if self._world.leads
                else [0.0, 0.0, interruption.asked]
            )
            if share >= 1.0:
                break
            if (save or stop) and self._watch.well:
                self._rest(spent, share)
            if stop:
                return False
            figures = self._one_step(share)
            now = time.monotonic()
            if figures is not None and now - reported > _REPORT_EVERY_S:
                speed = max(0, self._step - reported_step) * self._request.preset.batch / (now - reported)
                progress.update(share, self._note(figures, spent, speed))
                reported, reported_step = now, self._step
        progress.update(1.0, {})
        self._settle()
        self._look_at_s = 0.0
        self._rest(self._meter.read(self._step), 1.0)
        return True

    def _one_step(self, share: float) -> Figures | None:
        """None if the step went wrong and the training went back."""
        picked = self._sampler.indices(self._step)
        own = len(picked) // self._world.size
        mine = picked[self._world.rank * own : (self._world.rank + 1) * own]
        try:
            figures = self._trainer.step(self._store.take(mine), self._step, share, self.resting.caution)
            wrong = self._watch.look(figures)
        except BrokenError as error:
            figures, wrong = {}, str(error)
        if wrong:
            self._go_back(wrong)
            return None
        self._step += 1
        if self.resting.caution < 1.0 and self._step % _RECOVERY_STEPS == 0:
            self.resting.caution = min(1.0, 2.0 * self.resting.caution)
        return figures

    def _go_back(self, wrong: str) -> None:
        """To the last good checkpoint, with half the learning rates. Raises AfterimageError if that was tried often."""
        request, caution, broke_at = self._request, 0.5 * self.resting.caution, self._step
        if caution < _LEAST_CAUTION:
            raise AfterimageError(
                f"{request.folder.parent}: training breaks again and again, now at step {broke_at + 1}: {wrong}. "
                "The last good checkpoint is kept; another --preset is steadier"
            )
        found = checkpoints.load(request.folder) if self._world.leads else None
        fresh = Checkpoint(request.preset.name, self._store.identity, choices=request.choices.stored())
        found = self._world.shared(found or fresh)
        event = f"step {broke_at + 1}: {wrong}; went back to step {found.step}, rates times {caution:g}"
        found.caution, found.precision = caution, self._precision.name
        found.events = [*self.resting.events, event][-20:]
        self._stand_at(found)
        if self._world.leads:
            self._journal.begin(found.history, self._epoch)
        self._console.print(f"[bold]{event}[/bold]")

    @property
    def _epoch(self) -> int:
        """How often every frame was seen, on average."""
        return self._step * self._request.preset.batch // len(self._store)

    def _save_due(self) -> bool:
        return time.monotonic() - self._saved_at > max(SAVE_EVERY_S, self._save_s / _SAVE_SHARE)

    def _rest(self, spent: Spent, share: float) -> None:
        """Write the checkpoint; now and then look at pictures."""
        self._saved_at = begun = time.monotonic()
        if not self._world.leads:
            return
        resting = self.resting
        resting.step, resting.elapsed_s, resting.cpu_s, resting.progress = (
            self._step, spent.elapsed_s, spent.cpu_s, share,
        )  # fmt: skip
        resting.watch = asdict(self._watch)
        resting.trainer = self._trainer.state()
        look = spent.elapsed_s >= self._look_at_s or self._journal.wants(self._epoch)
        picture, psnr_db = self._journal.look(self._trainer) if look else (None, 0.0)
        if look and resting.history:
            resting.history[-1]["sheet psnr"] = psnr_db
        checkpoints.save(resting, self._request.folder)
        if picture is not None:
            self._look_at_s = spent.elapsed_s + _LOOK_EVERY_S
            self._journal.keep(picture, self._epoch, resting, self._trainer)
        self._saved_at = time.monotonic()
        self._save_s = self._saved_at - begun

    def _settle(self) -> None:
        """What batch norm plays with, from footage as it is played."""
        steps = range(self._step, self._step + _SETTLING_BATCHES)
        self._trainer.settle(self._store.take(self._sampler.indices(step)) for step in steps)

    def _note(self, figures: Figures, spent: Spent, speed: float) -> dict[str, float]:
        """One row of the history and the log, and of the progress line."""
        row = {"step": float(self._step), "minutes": spent.elapsed_s / 60.0, "frames/s": speed, **figures}
        history = self.resting.history
        if not history or row["minutes"] - history[-1]["minutes"] > history[-1]["minutes"] / 200.0:
            history.append(row)
            if self._world.leads:
                self._journal.row(row)
        return row


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


def _spent(checkpoint: Checkpoint) -> Spent:
    return Spent(checkpoint.step, checkpoint.elapsed_s, checkpoint.cpu_s)


def _trained(checkpoint: Checkpoint) -> str:
    minutes, seconds = divmod(round(checkpoint.elapsed_s), 60)
    return f"{checkpoint.step} steps, {minutes} min {seconds:02d} s"


def budget_of(
    preset: Preset, epochs: int | None, minutes: float | None, cpu_minutes: float | None
) -> Callable[[int], Budget]:
    """Frames -> budget, from the command line's ways to say it. Raises InputError if more than one is given."""
    given = {"--epochs": epochs, "--minutes": minutes, "--cpu-minutes": cpu_minutes}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise InputError(f"{' and '.join(named)} are given; pick one")
    if epochs is not None:
        return lambda frames: Steps.of_epochs(epochs, frames, preset.batch)
    wanted: Budget = Minutes(DEFAULT_MINUTES if minutes is None else minutes)
    if cpu_minutes is not None:
        wanted = CpuMinutes(cpu_minutes)
    return lambda _: wanted
