"""How well a model remembers footage: the figures in a card and a README.

Footage -> encoder.onnx -> float16 latents, as a film stores them -> decoder -> compared with the footage frame by frame
(`quality`, `motion`, `vmaf`), at the model's own size, bars included. A figure for a shot or the whole is the mean over
its frames. The contact sheet shows footage over memory; the report (`fidelity`) everything, the hardest shots too.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from installation.errors import FootageError
from installation.latents.footage import Fit, Footage, Framing
from installation.studio.encode import Progress, Say, no_progress, unheard
from installation.studio.frames.cuts import CutDetector
from installation.studio.judging.evaluation import Evaluation, shot_scores
from installation.studio.judging.fidelity import HARDEST, Exhibit, write_report
from installation.studio.judging.motion import Changes, distinctness, flicker
from installation.studio.judging.quality import psnr, ssim
from installation.studio.judging.sheets import as_bytes, contact_sheet, write_picture
from installation.studio.judging.vmaf import Vmaf, VmafScore
from installation.studio.pair import DecoderNet, EncoderNet, Pictures, batches, open_decoder, open_encoder

SHEET_PAIRS = 12  # footage and memory

__all__ = ["Evaluation", "Wanted", "evaluate", "sheet_frames"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to make besides the figures that are always made: a contact sheet (PNG, JPEG), a report (HTML), VMAF."""

    sheet: Path | None = None
    report: Path | None = None
    vmaf: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Footage between two times in seconds, fitted so."""

    path: Path
    framing: Framing
    start: Fraction | None
    stop: Fraction | None

    def open(self) -> Footage:
        """From its beginning. Raises FootageError."""
        return Footage.open(self.path, self.framing, self.start, self.stop)


def evaluate(
    footage: Path,
    model: Path,
    *,
    start: Fraction | None = None,
    stop: Fraction | None = None,
    fit: Fit = Fit.CONTAIN,
    provider: str = "auto",
    precision: str = "fp32",
    wanted: Wanted = Wanted(),
    progress: Progress = no_progress,
    say: Say = unheard,
) -> Evaluation:
    """Measure a model's decoder of that precision on footage.

    start, stop: seconds. Raises FootageError, ModelError, UnavailableError (a file cannot be written, no VMAF).
    """
    encoder, decoder = open_encoder(model, provider), open_decoder(model, provider, precision=precision)
    source = Source(footage, Framing(*encoder.model.size, fit), start, stop)
    with source.open() as pictures:
        for note in pictures.info.notes:
            say(f"{footage.name}: {note}")
        passed = _pass(pictures, encoder, decoder, wanted.vmaf, progress)
        result = _evaluation(pictures, encoder, decoder, passed)
    if pictures.damage:
        say(f"{footage.name}: {pictures.damage}")
    if wanted.sheet is not None:
        write_picture(wanted.sheet, contact_sheet(passed.pairs))
    if wanted.report is not None:
        hardest = _exhibits(source, encoder, decoder, [shot.worst_frame for shot in result.hardest(HARDEST)])
        write_report(wanted.report, result, passed.psnr_db, passed.pairs, hardest)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class _Passed:
    """Of one pass over the footage: figures of each frame (N,), and pairs (footage, memory) for the sheet."""

    psnr_db: NDArray[np.float64]
    ssim: NDArray[np.float64]
    cuts: NDArray[np.int32]
    changes: Changes
    vmaf: VmafScore | None
    pairs: tuple[tuple[Pictures, Pictures], ...]


def _pass(source: Footage, encoder: EncoderNet, decoder: DecoderNet, with_vmaf: bool, progress: Progress) -> _Passed:
    wanted = set(sheet_frames(source.info.frames))
    detector, changes = CutDetector(), Changes()
    psnrs: list[float] = []
    ssims: list[float] = []
    pairs: list[tuple[Pictures, Pictures]] = []
    with ExitStack() as stack:
        vmaf = _vmaf(source, encoder, stack) if with_vmaf else None
        for batch in batches(source):  # (B, H, W, 3)
            memory = decoder.decode(encoder.encode(batch))  # (B, H, W, 3)
            real, made = batch.astype(np.float32) / np.float32(255), as_bytes(memory)
            for index, picture in enumerate(batch):
                detector.feed(picture)
                changes.feed(real[index], memory[index])
                if len(psnrs) + index in wanted:
                    pairs.append((picture, made[index]))
            psnrs.extend(psnr(real, memory))
            ssims.extend(ssim(real, memory))
            if vmaf is not None:
                vmaf.feed(batch, made)
            progress(len(psnrs), max(len(psnrs), source.info.frames))
        if not psnrs:
            raise FootageError(f"{source.info.path}: not one frame of it could be decoded")
        changes.finish()
        score = None if vmaf is None else vmaf.score()
    return _Passed(np.array(psnrs), np.array(ssims), detector.cuts(), changes, score, tuple(pairs))


def _vmaf(source: Footage, encoder: EncoderNet, stack: ExitStack) -> Vmaf:
    folder = Path(stack.enter_context(TemporaryDirectory()))
    return stack.enter_context(Vmaf(encoder.model.size, source.info.fps, folder))


def _evaluation(source: Footage, encoder: EncoderNet, decoder: DecoderNet, passed: _Passed) -> Evaluation:
    info, changes = source.info, passed.changes
    worst = int(passed.psnr_db.argmin())
    return Evaluation(
        footage=info.path.name,
        title=info.title,
        model=encoder.model.name,
        space=encoder.model.space,
        decoder=decoder.session.path.name,
        decoder_bytes=decoder.session.path.stat().st_size,
        provider=str(decoder.session.provider),
        framing=str(source.framing),
        colour=info.colour,
        fps=info.fps,
        frames=len(passed.psnr_db),
        latent_size=encoder.model.latent_size,
        psnr_db=float(passed.psnr_db.mean()),
        ssim=float(passed.ssim.mean()),
        worst_frame=worst,
        worst_psnr_db=float(passed.psnr_db[worst]),
        flicker=flicker(changes.footage, changes.memory, passed.cuts.tolist()),
        still=distinctness(changes.stretches),
        vmaf=passed.vmaf,
        shots=tuple(shot_scores(passed.psnr_db, passed.ssim, passed.cuts)),
        damage=source.damage,
    )


def _exhibits(source: Source, encoder: EncoderNet, decoder: DecoderNet, frames: Sequence[int]) -> tuple[Exhibit, ...]:
    """Some frames and their memories, read again, in the order asked for."""
    found = {}
    with source.open() as pictures:
        for number, picture in enumerate(pictures):
            if number in frames:
                memory = decoder.decode(encoder.encode(picture[None]))[0]
                found[number] = Exhibit(number, picture, as_bytes(memory))
            if len(found) == len(set(frames)):
                break
    return tuple(found[number] for number in frames)


def sheet_frames(frames: int) -> list[int]:
    """Which frames go on the contact sheet: evenly spread, at most `SHEET_PAIRS`."""
    count = min(SHEET_PAIRS, frames)
    return [(2 * index + 1) * frames // (2 * count) for index in range(count)]
