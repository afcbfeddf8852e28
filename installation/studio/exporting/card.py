"""card.md: what a model is, for the person who finds it in ten years."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from installation.errors import ModelError
from installation.studio.exporting.about import About
from installation.studio.exporting.publish import VariantFile, variants_section
from installation.studio.preset import Preset

SCORES = "scores.json"


@dataclass(frozen=True, slots=True)
class Score:
    """How faithfully a film is remembered: mean PSNR in dB and SSIM over its frames, flicker and distinctness
    (`motion`; None where they are not defined).
    """

    film: str
    frames: int
    psnr_db: float
    ssim: float
    flicker: float | None = None
    distinctness: float | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """Everything a card says. `facts` is what the graphs carry as metadata; `sizes_mb` by file name; `variants` of the
    decoder.
    """

    about: About
    preset: Preset
    facts: Mapping[str, str]
    sizes_mb: Mapping[str, float]
    scores: Sequence[Score] = ()
    variants: Sequence[VariantFile] = ()

    def text(self) -> str:
        """The card as Markdown."""
        parts = [
            f"# {self.about.film}, as a network remembers it",
            self._table(),
            self._recipe(),
            self._files(),
            self._figures(),
            variants_section(self.variants),
            "## Known flaws\n\n" + (self.about.flaws or _USUAL_FLAWS),
            f"## Notes\n\n{self.about.notes}" if self.about.notes else "",
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _table(self) -> str:
        rows = {
            "footage": self.about.footage,
            "licence of the footage": self.about.licence,
            "space": f"`{self.facts['space']}`",
            "latent numbers per frame": self.facts["latent_size"],
            "picture": self.facts["resolution"],
            "recipe": self.facts["recipe"],
            "commit": f"`{self.facts['commit']}`",
        }
        return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])

    def _recipe(self) -> str:
        return f"## Recipe\n\n{self.preset.story()}"

    def _files(self) -> str:
        rows = "\n".join(f"| {name} | {size:.2f} MB |" for name, size in self.sizes_mb.items())
        head = "## Files\n\n| file | size |\n|---|---|"
        return f"{head}\n{rows}\n\ntorch and onnxruntime agree: {self.facts['parity']}."

    def _figures(self) -> str:
        if not self.scores:
            return ""
        rows = "\n".join(_line(score) for score in self.scores)
        head = "## Figures\n\n| film | frames | PSNR | SSIM | flicker | distinctness |\n|---|---|---|---|---|---|"
        return f"{head}\n{rows}\n\n{_MEANING}"


def _line(score: Score) -> str:
    moving = ("" if value is None else f"{value:.2f}" for value in (score.flicker, score.distinctness))
    return f"| {score.film} | {score.frames} | {score.psnr_db:.2f} dB | {score.ssim:.3f} | {' | '.join(moving)} |"


def read_scores(folder: Path, space: str) -> tuple[Score, ...]:
    """The figures last measured for these very weights; none if there are none."""
    try:
        found = json.loads((folder / SCORES).read_text(encoding="utf-8"))
        return tuple(Score(**row) for row in found["scores"]) if found["space"] == space else ()
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / SCORES}: cannot be read ({error}); delete it and measure again") from error


def write_scores(folder: Path, space: str, scores: Sequence[Score]) -> None:
    """Keep the figures beside the training, so that a repeated export keeps them in the card."""
    rows = [asdict(score) for score in scores]
    (folder / SCORES).write_text(json.dumps({"space": space, "scores": rows}, indent=2) + "\n", encoding="utf-8")


_MEANING = (
    "PSNR and SSIM: means over all frames, decoded from the latents as a stream stores them. Flicker: the energy of "
    "the differences from frame to frame, by the footage's. Distinctness: how far apart frames stay where the footage "
    "is nearly still; 0 is one image, 1 as far as in the footage."
)

_USUAL_FLAWS = (
    "Fine texture is smoothed; fast motion smears; frames that are nearly alike may melt into one. "
    "Footage it was not trained on comes out in this film's colours and shapes."
)
