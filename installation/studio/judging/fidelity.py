"""The fidelity report: figures, curves and pictures of one evaluation, on one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from installation.errors import UnavailableError
from installation.studio.files import write_whole
from installation.studio.judging.evaluation import METHODS, Evaluation
from installation.studio.judging.sheets import Pictures, contact_sheet, data_url

HARDEST = 6  # shots shown
_STRETCHED = 4  # times that differences are magnified
_PLOT = (960, 220)  # width, height
_MARGIN = 32
_POINTS = 2000  # of the curve; of longer films the lowest of each group of frames is drawn


@dataclass(frozen=True, slots=True, eq=False)
class Exhibit:
    """A frame by its number: footage and memory, (H, W, 3)."""

    frame: int
    footage: Pictures
    memory: Pictures

    @property
    def difference(self) -> Pictures:
        """Where they differ, magnified, grey where they do not."""
        apart = (self.memory.astype(np.int16) - self.footage) * _STRETCHED
        levels: Pictures = np.clip(apart + 128, 0, 255).astype(np.uint8)
        return levels


def write_report(
    path: Path,
    evaluation: Evaluation,
    psnr_db: NDArray[np.float64],
    pairs: Sequence[tuple[Pictures, Pictures]],
    hardest: Sequence[Exhibit],
) -> None:
    """Write the page. psnr_db: of each frame (N,); pairs: for the contact sheet. Raises UnavailableError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be written: {error.strerror or error}") from error
    write_whole(path, report(evaluation, psnr_db, pairs, hardest).encode())


def report(
    evaluation: Evaluation,
    psnr_db: NDArray[np.float64],
    pairs: Sequence[tuple[Pictures, Pictures]],
    hardest: Sequence[Exhibit],
) -> str:
    """The page as HTML."""
    title = escape(f"{evaluation.title} as {evaluation.model} remembers it")
    parts = [
        f"<p>{escape(evaluation.footage)}, {escape(evaluation.framing)}; {escape(evaluation.decoder)} on the "
        f"{escape(evaluation.provider)}; space <code>{escape(evaluation.space)}</code>; {evaluation.frames} frames</p>",
        _definitions(evaluation.figures()),
        "<h2>Frame by frame</h2>",
        _curve(psnr_db, [shot.first for shot in evaluation.shots]),
        "<h2>The hardest shots</h2>",
        f"<p>The worst frame of each: footage, memory, and their difference {_STRETCHED} times magnified.</p>",
        *_hard(evaluation, hardest),
        "<h2>Footage above, memory below</h2>",
        f'<img alt="contact sheet" src="{data_url(contact_sheet(pairs))}">',
        "<h2>Shots</h2>",
        _shots(evaluation),
        "<h2>How it was measured</h2>",
        _definitions(METHODS),
    ]
    return _PAGE.format(title=title, body="\n".join(parts))


def _definitions(rows: dict[str, str]) -> str:
    lines = (f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows.items())
    return f"<table>{''.join(lines)}</table>"


def _shots(evaluation: Evaluation) -> str:
    head = "<tr><th>shot</th><th>from</th><th>frames</th><th>PSNR</th><th>SSIM</th></tr>"
    rows = (
        f"<tr><td>{number}</td><td>{_time(shot.first, evaluation)}</td><td>{shot.frames}</td>"
        f"<td>{shot.psnr_db:.2f} dB</td><td>{shot.ssim:.3f}</td></tr>"
        for number, shot in enumerate(evaluation.shots, 1)
    )
    return f"<table>{head}{''.join(rows)}</table>"


def _hard(evaluation: Evaluation, hardest: Sequence[Exhibit]) -> Iterator[str]:
    numbers = {shot.worst_frame: (number, shot) for number, shot in enumerate(evaluation.shots, 1)}
    for exhibit in hardest:
        number, shot = numbers[exhibit.frame]
        row = np.concatenate([exhibit.footage, exhibit.memory, exhibit.difference], axis=1)
        told = f"shot {number}: {shot.psnr_db:.2f} dB, SSIM {shot.ssim:.3f}; frame {exhibit.frame}, "
        told += _time(exhibit.frame, evaluation)
        yield f'<figure><img alt="{told}" src="{data_url(row)}"><figcaption>{told}</figcaption></figure>'


def _time(frame: int, evaluation: Evaluation) -> str:
    minutes, seconds = divmod(float(frame / evaluation.fps), 60)
    return f"{int(minutes)}:{seconds:05.2f}"


def _curve(psnr_db: NDArray[np.float64], firsts: Sequence[int]) -> str:
    """PSNR over the frames as SVG, shots apart."""
    width, height = _PLOT
    every = -(-len(psnr_db) // _POINTS)
    lows = [float(psnr_db[begin : begin + every].min()) for begin in range(0, len(psnr_db), every)]
    floor, ceiling = np.floor(min(lows) / 5) * 5, np.ceil((max(lows) + 1e-6) / 5) * 5

    def across(frame: float) -> float:
        return _MARGIN + (width - _MARGIN) * frame / max(1, len(psnr_db) - 1)

    def up(value: float) -> float:
        return float((height - _MARGIN) * (ceiling - value) / (ceiling - floor)) + 4

    points = " ".join(f"{across(index * every):.1f},{up(low):.1f}" for index, low in enumerate(lows))
    levels = np.arange(floor, ceiling + 1, 5)
    grid = "".join(
        f'<line x1="{_MARGIN}" x2="{width}" y1="{up(level):.1f}" y2="{up(level):.1f}" class="grid"/>'
        f'<text x="0" y="{up(level) + 4:.1f}">{level:g}</text>'
        for level in levels
    )
    cuts = "".join(
        f'<line x1="{across(first):.1f}" x2="{across(first):.1f}" y1="4" y2="{up(floor):.1f}" class="cut"/>'
        for first in firsts[1:]
    )
    words = f'<text x="{_MARGIN}" y="{height - 6}">PSNR in dB; dashed: cuts</text>'
    return f'<svg viewBox="0 0 {width} {height}">{grid}{cuts}<polyline points="{points}"/>{words}</svg>'


_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 66rem; margin: 2rem auto; background: #202020; color: #ddd }}
img, svg {{ max-width: 100%; width: 100% }} figure {{ margin: 1rem 0 }} figcaption {{ color: #aaa }}
table {{ border-collapse: collapse }} th, td {{ text-align: left; padding: 0 1rem 0 0; vertical-align: top }}
svg text {{ fill: #aaa; font-size: 12px }} polyline {{ fill: none; stroke: #e8b04a; stroke-width: 1.2 }}
.grid {{ stroke: #444 }} .cut {{ stroke: #888; stroke-dasharray: 3 4 }}
</style></head>
<body><h1>{title}</h1>
{body}
</body></html>
"""
