"""What a training leaves for people in `train/`: `log.jsonl`, sheets, curves, the hardest shots, `training.html`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from installation.studio.frames.dataset import FrameStore
from installation.studio.training.checkpoint import Checkpoint
from installation.studio.training.report import plot_losses, save_picture, sheet
from installation.studio.training.trainer import Trainer, decibels

LOG, PAGE, CURVES = "log.jsonl", "training.html", "losses.png"
SHEETS = "sheets"
_SHEET_FRAMES = 8
_SHOTS_TRIED = 48
_HARDEST = 8
_BATCH = 8  # frames remembered at a time

Pictures = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class HardShot:
    """A shot's middle frame, its PSNR in dB, footage and memory (H, W, 3)."""

    name: str
    psnr_db: float
    footage: Pictures
    memory: Pictures


class Journal:
    """Writes it. `folder` is `<model>/train`."""

    def __init__(self, folder: Path, store: FrameStore) -> None:
        self._folder = folder
        self._store = store
        self._places = np.linspace(0, len(store) - 1, _SHEET_FRAMES + 2).astype(np.int64)[1:-1]

    def begin(self, history: Sequence[Mapping[str, float]], epoch: int) -> None:
        """Bring log and sheets to a checkpoint's state: what was learned after it is forgotten."""
        for path in self._sheets():
            if _epoch_of(path) > epoch:
                path.unlink()
        text = "".join(json.dumps(row) + "\n" for row in history)
        (self._folder / LOG).write_text(text, encoding="utf-8")

    def row(self, row: Mapping[str, float]) -> None:
        """One more line of the log."""
        with (self._folder / LOG).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")

    def look(self, trainer: Trainer) -> tuple[Pictures, float]:
        """The sheet, always of the same frames, footage over memory, and the mean PSNR in dB of its frames."""
        footage = self._store.take(self._places)
        memory = trainer.remember(footage)
        return sheet(footage, memory), psnr(footage, memory)

    def wants(self, epoch: int) -> bool:
        """Whether this epoch deserves a sheet of its own."""
        kept = self._sheets()
        return not kept or _epoch_of(kept[-1]) < due_epoch(epoch)

    def keep(self, picture: Pictures, epoch: int, resting: Checkpoint, trainer: Trainer) -> None:
        """The sheet, the curves, the page."""
        save_picture(picture, self._folder / "sheet.png")
        if self.wants(epoch):
            (self._folder / SHEETS).mkdir(exist_ok=True)
            save_picture(picture, self._folder / SHEETS / f"epoch-{epoch:06}.png")
        plot_losses(resting.history, self._folder / CURVES)
        hardest = hardest_shots(self._store, trainer)
        save_picture(_hard_sheet(hardest), self._folder / "hardest.png")
        text = page(resting, self._sheets(), hardest)
        part = self._folder / f"{PAGE}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(self._folder / PAGE)

    def _sheets(self) -> list[Path]:
        return sorted((self._folder / SHEETS).glob("epoch-*.png"))


def _epoch_of(sheet_file: Path) -> int:
    return int(sheet_file.stem.rpartition("-")[2])


def due_epoch(epoch: int) -> int:
    """The newest epoch at or before `epoch` that gets a sheet of its own: 0, 1, 2, 3, 4, 6, 8, 12, 16, 24 ... so that
    their number stays small however long a training lasts.
    """
    due = 0
    step = 1
    while due + step <= epoch:
        due += step
        if due >= 4 * step and due % (4 * step) == 0:
            step *= 2
    return due


def psnr(footage: Pictures, memory: Pictures) -> float:
    """Mean over frames of the peak signal-to-noise ratio in dB, capped at 60: uint8 (B, H, W, 3) twice."""
    return float(np.mean(_psnr_of_each(footage, memory)))


def _psnr_of_each(footage: Pictures, memory: Pictures) -> list[float]:
    error = np.square(footage.astype(np.float32) - memory.astype(np.float32)).mean((1, 2, 3), dtype=np.float64)
    return [decibels(each / 255.0**2) for each in error]


def hardest_shots(store: FrameStore, trainer: Trainer) -> list[HardShot]:
    """The shots whose middle frame is remembered worst, the worst first; of long films only some shots are tried."""
    middles = [first + length // 2 for first, length in store.shots()]
    tried = np.array(middles[:: -(-len(middles) // _SHOTS_TRIED)], np.int64)
    found = []
    for begin in range(0, len(tried), _BATCH):
        indices = tried[begin : begin + _BATCH]
        footage = store.take(indices)
        memory = trainer.remember(footage)
        rows = zip(indices.tolist(), _psnr_of_each(footage, memory), footage, memory, strict=True)
        found += [HardShot(store.name_of(index), db, real, made) for index, db, real, made in rows]
    return sorted(found, key=lambda shot: shot.psnr_db)[:_HARDEST]


def _hard_sheet(hardest: Sequence[HardShot]) -> Pictures:
    return sheet(np.stack([shot.footage for shot in hardest]), np.stack([shot.memory for shot in hardest]))


def page(resting: Checkpoint, sheets: Sequence[Path], hardest: Sequence[HardShot]) -> str:
    """`training.html`: everything on one page, pictures beside it."""
    minutes, cpu_minutes = resting.elapsed_s / 60.0, resting.cpu_s / 60.0
    told = [
        f"<p>{escape(resting.recipe().story())}</p>",
        f"<p>{resting.step} steps in {minutes:.1f} minutes ({cpu_minutes:.1f} of processor time for each thread), in "
        f"{escape(resting.precision)}; {resting.progress:.0%} of the training.</p>",
        *(f"<p><b>{escape(event)}</b></p>" for event in resting.events),
        f'<h2>Curves</h2><img src="{CURVES}" alt="losses over minutes">' if len(resting.history) > 1 else "",
        "<h2>Hardest shots</h2><p>"
        + ", ".join(f"{escape(shot.name)} {shot.psnr_db:.1f} dB" for shot in hardest)
        + '</p><img src="hardest.png" alt="footage over memory">',
        "<h2>Epochs, footage over memory</h2>",
        *(_figure(path) for path in reversed(sheets)),
    ]
    title = f"{escape(resting.preset)}: training"
    return _PAGE.format(title=title, body="\n".join(told))


def _figure(path: Path) -> str:
    return f'<figure><figcaption>epoch {_epoch_of(path)}</figcaption><img src="{SHEETS}/{path.name}" alt=""></figure>'


_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font: 16px/1.5 sans-serif; max-width: 72rem; margin: 2rem auto; background: #202020; color: #ddd }}
img {{ max-width: 100% }} figure {{ margin: 1rem 0 }}</style></head>
<body><h1>{title}</h1>
{body}
</body></html>
"""
