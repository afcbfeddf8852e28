"""The experiments of Broad and Grierson's paper, on any film and any models, one picture each.

`epochs` (figures 1 and 2): the same frames after every epoch of a training. `collapse` (figure 3): a stretch of footage
that is nearly still, and whether memories keep its frames apart. `black` (figure 4): what becomes of a black frame.
`other` (figure 5): a film the models have never seen. Models are put side by side, by their exported graphs; only
`epochs` looks at what a training left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from installation.errors import FootageError, InputError, ModelError
from installation.latents.footage import Footage, Framing
from installation.studio.judging.motion import Changes, Distinctness, Stretch, distinctness
from installation.studio.judging.quality import psnr
from installation.studio.judging.sheets import as_bytes, labelled_rows
from installation.studio.pair import DecoderNet, EncoderNet, batches, open_decoder, open_encoder

COLUMNS = 5  # frames in a row of a figure
MOST_EPOCHS = 10  # rows of the figure of epochs
DARK_LEVELS = (0, 8, 16, 32, 64)  # of 255: flat frames shown beside the black one
_BRIGHTER = 8  # times, so that a haze in the black shows in print
_STRETCHED = 4  # times that differences inside a still stretch are magnified
_SHEET_ROWS, _SHEET_COLUMNS, _SHEET_GAP = 2, 4, 4  # as a training lays out its sheets

Pictures = NDArray[np.uint8]
Row = tuple[str, Sequence[Pictures]]


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A picture (H, W, 3), what it shows, in words, and its numbers by name."""

    picture: Pictures
    caption: str
    numbers: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Memory:
    """One model, opened to remember pictures of its own size."""

    name: str
    encoder: EncoderNet
    decoder: DecoderNet

    @classmethod
    def open(cls, folder: Path) -> Memory:
        """Raises ModelError."""
        encoder = open_encoder(folder)
        return cls(encoder.model.name, encoder, open_decoder(folder))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of its pictures."""
        return self.encoder.model.size

    def of(self, pictures: Pictures) -> NDArray[np.float32]:
        """uint8 (B, H, W, 3) -> what is remembered of them, (B, H, W, 3) in [0, 1]."""
        return self.decoder.decode(self.encoder.encode(pictures))


def epochs(model: Path) -> Figure:
    """Frames of every sheet in `model/train/sheets`, one epoch a row, footage on top.

    Raises ModelError if the training left no sheets.
    """
    sheets = sorted((model / "train" / "sheets").glob("epoch-*.png"))
    if not sheets:
        raise ModelError(
            f"{model}: there are no sheets of epochs in train/sheets; `afterimage train` leaves them there"
        )
    chosen = [sheets[place] for place in np.unique(np.linspace(0, len(sheets) - 1, MOST_EPOCHS).astype(int))]
    rows: list[Row] = []
    numbers: dict[str, Mapping[str, float | None]] = {}
    for path in chosen:
        footage, memory = pairs_of(np.asarray(Image.open(path).convert("RGB"), np.uint8))
        if not rows:
            rows.append(("footage", footage))
        close = psnr(_unit(np.stack(footage)), _unit(np.stack(memory)))
        name = f"epoch {int(re.sub(r'[^0-9]', '', path.stem))}"
        rows.append((f"{name}\n{close.mean():.1f} dB", memory))
        numbers[name] = {"psnr_db": float(close.mean())}
    return Figure(
        labelled_rows(rows), f"{model.name}: footage, and what is remembered of it after so many epochs", numbers
    )


def pairs_of(sheet: Pictures) -> tuple[list[Pictures], list[Pictures]]:
    """A training's sheet -> footage and memory of `COLUMNS` of its pairs, each (h, w, 3)."""
    width = sheet.shape[1] // _SHEET_COLUMNS - _SHEET_GAP
    height = (sheet.shape[0] // _SHEET_ROWS - _SHEET_GAP) // 2
    footage, memory = [], []
    for index in np.linspace(0, _SHEET_ROWS * _SHEET_COLUMNS - 1, COLUMNS).astype(int).tolist():
        row, column = divmod(index, _SHEET_COLUMNS)
        top, left = row * (2 * height + _SHEET_GAP), column * (width + _SHEET_GAP)
        footage.append(sheet[top : top + height, left : left + width])
        memory.append(sheet[top + height : top + 2 * height, left : left + width])
    return footage, memory


def collapse(footage: Path, models: Sequence[Path]) -> Figure:
    """The still stretch of footage with most in it to keep apart, as each model remembers it; below each row, what
    makes its frames different from each other, magnified.

    Raises FootageError if no stretch of the footage is nearly still, ModelError.
    """
    memories = _opened(models)
    found = {memory.name: _changes(footage, memory).stretches for memory in memories}
    stretches = found[memories[0].name]
    if not stretches:
        raise FootageError(f"{footage}: nothing in it is nearly still; name footage with a static shot")
    stretch = max(stretches, key=lambda each: each.footage)
    places = np.linspace(stretch.first, stretch.first + stretch.frames - 1, COLUMNS).astype(int).tolist()
    rows: list[Row] = []
    numbers: dict[str, Mapping[str, float | None]] = {}
    for memory in memories:
        pictures = _frames(footage, memory.size, places)
        if not rows:
            rows += _apart("footage", list(pictures))
        whole, here = distinctness(found[memory.name]), _like(found[memory.name], stretch)
        told = f"{memory.name}\ndistinctness\n{_ratio(here.distinctness)} here\n{_ratio(whole.distinctness)} in all"
        rows += _apart(told, _fitted(as_bytes(memory.of(pictures)), memories[0].size))
        numbers[memory.name] = {
            "distinctness": whole.distinctness,
            "agreement": whole.agreement,
            "distinctness_here": here.distinctness,
            "agreement_here": here.agreement,
        }
    caption = f"frames {places[0]} to {places[-1]} of {footage.name}, which are nearly still, and what keeps them apart"
    return Figure(labelled_rows(rows), f"{caption} ({_STRETCHED} times magnified)", numbers)


def black(models: Sequence[Path]) -> Figure:
    """A black frame and dark grey ones, as each model remembers them, and the same so much brighter."""
    memories = _opened(models)
    width, height = memories[0].size
    rows: list[Row] = [("shown", [np.full((height, width, 3), level, np.uint8) for level in DARK_LEVELS])]
    numbers: dict[str, Mapping[str, float | None]] = {}
    for memory in memories:
        wide, high = memory.size
        shown = np.stack([np.full((high, wide, 3), level, np.uint8) for level in DARK_LEVELS])
        made = memory.of(shown)
        levels = made[0].mean(axis=(0, 1)) * 255
        told = "black becomes\n" + "\n".join(f"{name} {level:.1f}" for name, level in zip("RGB", levels, strict=True))
        rows.append((f"{memory.name}\n{told}", _fitted(as_bytes(made), memories[0].size)))
        rows.append((f"{_BRIGHTER} times\nbrighter", _fitted(as_bytes(made * _BRIGHTER), memories[0].size)))
        numbers[memory.name] = dict(zip(("red", "green", "blue"), map(float, levels), strict=True))
    return Figure(labelled_rows(rows), f"flat frames of level {', '.join(map(str, DARK_LEVELS))} of 255", numbers)


def other(footage: Path, models: Sequence[Path]) -> Figure:
    """Frames evenly spread over footage, and what each model remembers of them. Raises FootageError, ModelError."""
    memories = _opened(models)
    count = _count(footage)
    places = [(2 * index + 1) * count // (2 * COLUMNS) for index in range(COLUMNS)]
    rows: list[Row] = []
    numbers: dict[str, Mapping[str, float | None]] = {}
    for memory in memories:
        pictures = _frames(footage, memory.size, places)
        if not rows:
            rows.append(("footage", list(pictures)))
        made = memory.of(pictures)
        close = float(psnr(_unit(pictures), made).mean())
        rows.append((f"{memory.name}\n{close:.1f} dB", _fitted(as_bytes(made), memories[0].size)))
        numbers[memory.name] = {"psnr_db": close}
    names = ", ".join(memory.name for memory in memories)
    return Figure(labelled_rows(rows), f"{footage.name}, seen through {names}", numbers)


def _opened(models: Sequence[Path]) -> list[Memory]:
    """Models by their folders. Raises InputError if two could not be told apart in a figure, ModelError."""
    memories = [Memory.open(model) for model in models]
    names = [memory.name for memory in memories]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--model: two of the models are named {name!r}; rename a folder to tell them apart")
    return memories


def _changes(footage: Path, memory: Memory) -> Changes:
    """One pass over footage through a model."""
    changes = Changes()
    with Footage.open(footage, Framing(*memory.size)) as source:
        for batch in batches(source):
            for real, made in zip(_unit(batch), memory.of(batch), strict=True):
                changes.feed(real, made)
    changes.finish()
    return changes


def _like(stretches: Sequence[Stretch], wanted: Stretch) -> Distinctness:
    """Of those stretches that lie in the wanted one: at another size they may begin and end a little elsewhere."""
    inside = [
        each for each in stretches if wanted.first <= each.first + each.frames // 2 < wanted.first + wanted.frames
    ]
    return distinctness(inside)


def _apart(told: str, pictures: Sequence[Pictures]) -> list[Row]:
    """Pictures in a row, and below it how each differs from the mean of the row."""
    mean = np.mean(np.stack(pictures), axis=0)
    differences = [np.clip((picture - mean) * _STRETCHED + 128, 0, 255).astype(np.uint8) for picture in pictures]
    return [(told, list(pictures)), ("apart", differences)]


def _frames(footage: Path, size: tuple[int, int], places: Sequence[int]) -> Pictures:
    """Frames by their numbers, (B, H, W, 3)."""
    wanted = set(places)
    with Footage.open(footage, Framing(*size)) as source:
        found = dict(_picked(source, wanted))
    if len(found) < len(wanted):
        raise FootageError(f"{footage}: it ends before frame {max(wanted)}")
    return np.stack([found[place] for place in places])


def _picked(source: Footage, wanted: set[int]) -> Iterator[tuple[int, Pictures]]:
    last = max(wanted)
    for number, picture in enumerate(source):
        if number in wanted:
            yield number, picture
        if number == last:
            return


def _count(footage: Path) -> int:
    """How many frames footage has."""
    with Footage.open(footage, Framing(16, 16)) as source:
        return source.info.frames


def _fitted(pictures: Sequence[Pictures] | Pictures, size: tuple[int, int]) -> list[Pictures]:
    """Pictures at the size of the first model's, so that they stand in one figure."""
    return [
        picture
        if (picture.shape[1], picture.shape[0]) == size
        else np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC), np.uint8)
        for picture in pictures
    ]


def _unit(pictures: Pictures) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = pictures.astype(np.float32) / np.float32(255)
    return unit


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
