"""The figures of a model on footage: a record, as a table for people, as JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from installation.latents.footage import Damage
from installation.studio.judging.motion import LEAST_FRAMES, STILL, Distinctness
from installation.studio.judging.quality import PSNR_CAP_DB
from installation.studio.judging.vmaf import METHOD as VMAF_METHOD
from installation.studio.judging.vmaf import VmafScore

SCHEMA = "afterimage-evaluation-2"
LATENT_BITS = 16  # float16

METHODS = {
    "psnr": f"RGB, mean of per-frame values, at most {PSNR_CAP_DB:g} dB",
    "ssim": "BT.709 luma, Gaussian 11x11 sigma 1.5, mean of per-frame values",
    "flicker": "energy of the memory's frame differences by the footage's, without cuts",
    "distinctness": "variance of the memory's frames by that of the footage's inside still stretches: at least "
    f"{LEAST_FRAMES} frames within {STILL:g} RMS of the first; agreement is the correlation of both",
    "vmaf": VMAF_METHOD,
}


@dataclass(frozen=True, slots=True)
class ShotScore:
    """Means over the frames of one shot, `frames` of them from `first` on, and its frame with the lowest PSNR."""

    first: int
    frames: int
    psnr_db: float
    ssim: float
    worst_frame: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured. psnr_db, ssim: means over all frames; worst_frame: the one with the lowest PSNR. flicker is
    None where the footage does not move, vmaf where it was not asked for. decoder_bytes: size of the decoder's file.
    """

    footage: str
    title: str
    model: str
    space: str
    decoder: str
    decoder_bytes: int
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
    flicker: float | None
    still: Distinctness
    vmaf: VmafScore | None
    shots: tuple[ShotScore, ...]
    damage: Damage

    @property
    def bits_per_frame(self) -> int:
        """Of the latent stream, without the decoder."""
        return self.latent_size * LATENT_BITS

    @property
    def bits_per_frame_with_decoder(self) -> float:
        """The same with the decoder, spread over the frames measured."""
        return self.bits_per_frame + 8 * self.decoder_bytes / self.frames

    @property
    def kbit_per_s(self) -> float:
        """Of the latent stream at the film's rate."""
        return float(self.bits_per_frame * self.fps) / 1000

    def hardest(self, count: int) -> tuple[ShotScore, ...]:
        """The shots with the lowest PSNR, the lowest first."""
        return tuple(sorted(self.shots, key=lambda shot: shot.psnr_db)[:count])

    def to_json(self) -> str:
        """All figures and how they were made, for machines."""
        facts = asdict(self) | {
            "schema": SCHEMA,
            "fps": str(self.fps),
            "bits_per_frame": self.bits_per_frame,
            "bits_per_frame_with_decoder": self.bits_per_frame_with_decoder,
            "kbit_per_s": self.kbit_per_s,
            "method": METHODS,
        }
        return json.dumps(facts, indent=2, sort_keys=True) + "\n"

    def figures(self) -> dict[str, str]:
        """The whole film's figures with their units, as people read them."""
        still, vmaf = self.still, self.vmaf
        told = {
            "PSNR": f"{self.psnr_db:.2f} dB",
            "SSIM": f"{self.ssim:.3f}",
            "VMAF": "" if vmaf is None else f"{vmaf.mean:.1f} (least {vmaf.least:.1f})",
            "flicker": _ratio(self.flicker),
            "distinctness": _ratio(still.distinctness),
            "agreement": _ratio(still.agreement),
            "still frames": str(still.still_frames),
            "bits a frame": f"{self.bits_per_frame} ({self.kbit_per_s:.1f} kbit/s); "
            f"{self.bits_per_frame_with_decoder:.0f} with the decoder",
        }
        return {name: value for name, value in told.items() if value}

    def table(self) -> Table:
        """The same for people: one line a shot, one for the whole."""
        table = Table(title=f"{self.title} as {self.model} remembers it", caption=self._caption())
        for heading in ("shot", "frames", "from", "PSNR dB", "SSIM"):
            table.add_column(heading, justify="right")
        for number, shot in enumerate(self.shots, 1):
            start = f"{float(shot.first / self.fps):.2f} s"
            table.add_row(*_row(str(number), shot.frames, start, shot.psnr_db, shot.ssim))
        table.add_section()
        table.add_row(*_row("all", self.frames, "", self.psnr_db, self.ssim), style="bold")
        return table

    def _caption(self) -> str:
        others = {name: value for name, value in self.figures().items() if name not in ("PSNR", "SSIM")}
        return "\n".join(
            [
                f"{self.framing}, {self.decoder} on the {self.provider}",
                f"worst frame {self.worst_frame}: {self.worst_psnr_db:.2f} dB",
                *(f"{name} {value}" for name, value in others.items()),
            ]
        )


def shot_scores(
    psnr_db: NDArray[np.float64], ssims: NDArray[np.float64], cuts: NDArray[np.int32]
) -> Iterator[ShotScore]:
    """Per-frame values (N,) and a cut table -> one score a shot."""
    for first, stop in zip(cuts, [*cuts[1:], len(psnr_db)], strict=True):
        inside = psnr_db[first:stop]
        worst = int(first) + int(inside.argmin())
        yield ShotScore(int(first), int(stop - first), float(inside.mean()), float(ssims[first:stop].mean()), worst)


def _ratio(value: float | None) -> str:
    return "not defined: nothing to compare with" if value is None else f"{value:.2f}"


def _row(name: str, frames: int, start: str, psnr_db: float, ssim: float) -> tuple[str, str, str, str, str]:
    return name, str(frames), start, f"{psnr_db:.2f}", f"{ssim:.3f}"
