"""How well a model remembers footage: the figures in a card and a README.

Footage -> encoder.onnx -> float16 latents, as a film stores them -> decoder.onnx -> compared with the footage frame
by frame (`quality`), at the model's own size, bars included. A figure for a shot or the whole is the mean over its
frames. The contact sheet shows footage over memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.table import Table

from installation.errors import FootageError, UnavailableError
from installation.latents.footage import Damage, Fit, Footage, Framing
from installation.studio.cuts import CutDetector
from installation.studio.encode import Progress, Say, no_progress, unheard
from installation.studio.pair import DecoderNet, EncoderNet, Pictures, batches, open_decoder, open_encoder
from installation.studio.quality import PSNR_CAP_DB, psnr, ssim

SCHEMA = "afterimage-evaluation-1"
SHEET_PAIRS = 12  # footage and memory, in
SHEET_COLUMNS = 4
LATENT_BITS = 16  # float16
_GAP = 4  # pixels between pairs on the sheet


@dataclass(frozen=True, slots=True)
class ShotScore:
    """Means over the frames of one shot: `frames` of them from `first` on."""

    first: int
    frames: int
    psnr_db: float
    ssim: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured. psnr_db, ssim: means over all frames; worst_frame: the one with the lowest PSNR."""

    footage: str
    title: str
    model: str
    space: str
    provider: str
    framing: str
    colour: str
    fps: Fraction
    frames: int
    latent_size: int
    psnr_db: float
    ssim: float
    worst_frame: int
    worst_psnr_db: float
    shots: tuple[ShotScore, ...]
    damage: Damage

    @property
    def bits_per_frame(self) -> int:
        """Of the latent stream, without the decoder."""
        return self.latent_size * LATENT_BITS

    @property
    def kbit_per_s(self) -> float:
        """Of the latent stream at the film's rate."""
        return float(self.bits_per_frame * self.fps) / 1000

    def to_json(self) -> str:
        """All figures and how they were made, for machines."""
        facts = asdict(self) | {
            "schema": SCHEMA,
            "fps": str(self.fps),
            "bits_per_frame": self.bits_per_frame,
            "kbit_per_s": self.kbit_per_s,
            "method": {
                "psnr": f"RGB, mean of per-frame values, at most {PSNR_CAP_DB:g} dB",
                "ssim": "BT.709 luma, Gaussian 11x11 sigma 1.5, mean of per-frame values",
            },
        }
        return json.dumps(facts, indent=2, sort_keys=True) + "\n"

    def table(self) -> Table:
        """The same for people: one line a shot, one for the whole."""
        table = Table(title=f"{self.title} as {self.model} remembers it", caption=self._caption())
        table.add_column("shot", justify="right")
        for heading in ("frames", "from", "PSNR dB", "SSIM"):
            table.add_column(heading, justify="right")
        for number, shot in enumerate(self.shots, 1):
            start = f"{float(shot.first / self.fps):.2f} s"
            table.add_row(*_row(str(number), shot.frames, start, shot.psnr_db, shot.ssim))
        table.add_section()
        table.add_row(*_row("all", self.frames, "", self.psnr_db, self.ssim), style="bold")
        return table

    def _caption(self) -> str:
        return (
            f"{self.framing} on the {self.provider}\n"
            f"worst frame {self.worst_frame}: {self.worst_psnr_db:.2f} dB\n"
            f"{self.bits_per_frame} bits a frame, {self.kbit_per_s:.1f} kbit/s"
        )


def evaluate(
    footage: Path,
    model: Path,
    *,
    start: Fraction | None = None,
    stop: Fraction | None = None,
    fit: Fit = Fit.CONTAIN,
    provider: str = "auto",
    sheet: Path | None = None,
    progress: Progress = no_progress,
    say: Say = unheard,
) -> Evaluation:
    """Measure a model on footage; write a contact sheet (PNG) where `sheet` says.

    start, stop: seconds. Raises FootageError, UnavailableError (the sheet cannot be written).
    """
    encoder, decoder = open_encoder(model, provider), open_decoder(model, provider)
    with Footage.open(footage, Framing(*encoder.model.size, fit), start, stop) as source:
        for note in source.info.notes:
            say(f"{footage.name}: {note}")
        scores = _score(source, encoder, decoder, progress)
    if source.damage:
        say(f"{footage.name}: {source.damage}")
    if sheet is not None:
        write_sheet(sheet, scores.pairs)
    return _evaluation(source, encoder, scores)


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    psnr_db: NDArray[np.float64]  # (N,)
    ssim: NDArray[np.float64]  # (N,)
    cuts: NDArray[np.int32]
    pairs: tuple[tuple[Pictures, Pictures], ...]


def _score(source: Footage, encoder: EncoderNet, decoder: DecoderNet, progress: Progress) -> _Scores:
    """One pass over the footage."""
    wanted = set(sheet_frames(source.info.frames))
    detector = CutDetector()
    psnrs: list[float] = []
    ssims: list[float] = []
    pairs: list[tuple[Pictures, Pictures]] = []
    for batch in batches(source):  # (B, H, W, 3)
        memory = decoder.decode(encoder.encode(batch))  # (B, H, W, 3)
        for index, picture in enumerate(batch):
            detector.feed(picture)
            if len(psnrs) + index in wanted:
                pairs.append((picture, _as_bytes(memory[index])))
        real = batch.astype(np.float32) / np.float32(255)
        psnrs.extend(psnr(real, memory))
        ssims.extend(ssim(real, memory))
        progress(len(psnrs), max(len(psnrs), source.info.frames))
    if not psnrs:
        raise FootageError(f"{source.info.path}: not one frame of it could be decoded")
    return _Scores(np.array(psnrs), np.array(ssims), detector.cuts(), tuple(pairs))


def _evaluation(source: Footage, encoder: EncoderNet, scores: _Scores) -> Evaluation:
    info = source.info
    worst = int(scores.psnr_db.argmin())
    return Evaluation(
        footage=info.path.name,
        title=info.title,
        model=encoder.model.name,
        space=encoder.model.space,
        provider=str(encoder.session.provider),
        framing=str(source.framing),
        colour=info.colour,
        fps=info.fps,
        frames=len(scores.psnr_db),
        latent_size=encoder.model.latent_size,
        psnr_db=float(scores.psnr_db.mean()),
        ssim=float(scores.ssim.mean()),
        worst_frame=worst,
        worst_psnr_db=float(scores.psnr_db[worst]),
        shots=tuple(shot_scores(scores.psnr_db, scores.ssim, scores.cuts)),
        damage=source.damage,
    )


def shot_scores(
    psnr_db: NDArray[np.float64], ssims: NDArray[np.float64], cuts: NDArray[np.int32]
) -> Iterator[ShotScore]:
    """Per-frame values (N,) and a cut table -> one score a shot."""
    for first, stop in zip(cuts, [*cuts[1:], len(psnr_db)], strict=True):
        yield ShotScore(
            int(first), int(stop - first), float(psnr_db[first:stop].mean()), float(ssims[first:stop].mean())
        )


def sheet_frames(frames: int) -> list[int]:
    """Which frames go on the contact sheet: evenly spread, at most `SHEET_PAIRS`."""
    count = min(SHEET_PAIRS, frames)
    return [(2 * index + 1) * frames // (2 * count) for index in range(count)]


def write_sheet(path: Path, pairs: Sequence[tuple[Pictures, Pictures]]) -> None:
    """A PNG of pairs (footage, memory), each (H, W, 3), footage over memory, in rows of four."""
    height, width, _ = pairs[0][0].shape
    columns = min(SHEET_COLUMNS, len(pairs))
    rows = -(-len(pairs) // columns)
    sheet = np.zeros((rows * (2 * height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), np.uint8)
    for index, (real, memory) in enumerate(pairs):
        top, left = index // columns * (2 * height + _GAP), index % columns * (width + _GAP)
        sheet[top : top + 2 * height, left : left + width] = np.concatenate([real, memory])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(sheet).save(path, format="PNG")
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be written: {error.strerror or error}") from error


def _as_bytes(picture: NDArray[np.float32]) -> Pictures:
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _row(name: str, frames: int, start: str, psnr_db: float, ssim_: float) -> tuple[str, str, str, str, str]:
    return name, str(frames), start, f"{psnr_db:.2f}", f"{ssim_:.3f}"
