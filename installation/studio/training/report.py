"""What a training shows people: a line of progress, sheets of pictures, a plot of losses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

matplotlib.use("Agg")
from matplotlib import pyplot as plt

_GAP = 4  # pixels between pictures of a sheet
_DARK = "#202020"  # the page's background


def sheet(footage: NDArray[np.uint8], memory: NDArray[np.uint8], columns: int = 4) -> NDArray[np.uint8]:
    """Footage over memory, `columns` pairs in a row: uint8 (B, H, W, 3) twice -> one picture (rows, width, 3)."""
    count, height, width, _ = footage.shape
    rows = -(-count // columns)
    canvas = np.full((rows * (2 * height + _GAP), columns * (width + _GAP), 3), 32, np.uint8)
    for index in range(count):
        top, left = index // columns * (2 * height + _GAP), index % columns * (width + _GAP)
        canvas[top : top + height, left : left + width] = footage[index]
        canvas[top + height : top + 2 * height, left : left + width] = memory[index]
    return canvas


def save_picture(picture: NDArray[np.uint8], path: Path) -> None:
    """Write uint8 (H, W, 3) as PNG, complete or not at all."""
    part = path.with_suffix(".part")
    Image.fromarray(picture).save(part, format="PNG", optimize=True)
    part.replace(path)


def plot_losses(history: Sequence[dict[str, float]], path: Path) -> None:
    """A PNG with one panel per figure over the minutes trained, as dark as the page it is on. Nothing is written for
    fewer than two rows.
    """
    if len(history) < 2:
        return
    with plt.style.context(("dark_background", {"figure.facecolor": _DARK, "axes.facecolor": _DARK})):
        _plot(history, path)


def _plot(history: Sequence[dict[str, float]], path: Path) -> None:
    named = dict.fromkeys(name for row in history for name in row)  # some figures are in some rows only
    names = [name for name in named if name not in ("step", "minutes")]
    figure, axes = plt.subplots(len(names), 1, figsize=(8, 1.8 * len(names)), sharex=True, squeeze=False)
    for axis, name in zip(axes[:, 0], names, strict=True):
        rows = [row for row in history if name in row]
        axis.plot([row["minutes"] for row in rows], [row[name] for row in rows], linewidth=0.8)
        axis.set_ylabel(name)
        axis.grid(alpha=0.3)
    axes[-1, 0].set_xlabel("minutes of training")
    figure.tight_layout()
    part = path.with_suffix(".part")
    figure.savefig(part, format="png", dpi=90)
    plt.close(figure)
    part.replace(path)


class TrainingProgress:
    """A live line: frames per second, time left, figures. Plain lines every so often where there is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>5.1f} %"),
            TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[figures]}"),
            console=console,
        )  # fmt: skip
        self._task = self._progress.add_task("training", total=1.0, figures="")
        self._next_line = 0.0

    def __enter__(self) -> TrainingProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def preparing(self, what: str, share: float) -> None:
        """Show what has to be done before training, and the share of it."""
        self._progress.update(self._task, description=what, completed=share)

    def update(self, share: float, figures: dict[str, float]) -> None:
        """Show the share done (0..1) and the latest figures."""
        text = "  ".join(f"{name} {value:.4g}" for name, value in figures.items() if name != "minutes")
        self._progress.update(self._task, completed=share, figures=text)
        if not self._console.is_terminal and share >= self._next_line:
            self._console.print(f"training {100 * share:.1f} %  {text}", soft_wrap=True)
            self._next_line = share + 0.01
