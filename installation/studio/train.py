"""Footage in, a model and a show out: what `afterimage train` does from end to end.

Train (`loop`), export, turn every piece of footage into a film (`encode`), measure it (`evaluate`), write the card with
the figures and a show that plays. What follows the training can be repeated: the same command on a finished training
makes it all anew.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from installation.studio.training import compute  # isort: skip  # before torch is loaded, see there

from rich.console import Console

from installation.errors import AfterimageError, InputError, UnavailableError
from installation.latents.footage import Fit, Footage, Framing
from installation.studio.encode import encode_film, film_id_of
from installation.studio.exporting.about import About, read_about, write_about
from installation.studio.exporting.card import Score, write_scores
from installation.studio.exporting.export import export
from installation.studio.files import write_whole
from installation.studio.frames.dataset import Selection
from installation.studio.judging.evaluate import Evaluation, Wanted, evaluate
from installation.studio.preset import Choices
from installation.studio.presets import preset_named
from installation.studio.training.loop import TrainRequest, budget_of, train
from installation.studio.world import joined

__all__ = ["compute", "run_training"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked for: footage between two times in seconds, fitted so, into that model folder."""

    footage: tuple[Path, ...]
    folder: Path
    fit: Fit
    start: Fraction | None
    stop: Fraction | None


def run_training(
    footage: Sequence[Path],
    model: Path,
    *,
    preset: str,
    choices: Choices,
    epochs: int | None,
    minutes: float | None,
    cpu_minutes: float | None,
    start: Fraction | None,
    stop: Fraction | None,
    fit: Fit,
    console: Console,
) -> None:
    """Train, export, encode and measure every piece of footage, write a show. Under torchrun, the first process does
    all but the training.

    Footage may be a file or a folder of images. Raises InputError and its kin for wrong arguments, footage or folders,
    UnavailableError if the disk is full, AfterimageError if training breaks or is stopped by a person.
    """
    recipe = preset_named(preset).chosen(choices)
    if not footage:
        raise InputError("no footage is given; name one or more video files")
    wish = Wish(tuple(footage), model, fit, start, stop)
    film_ids = films_of(wish.footage)
    framing = Framing(recipe.networks.width, recipe.networks.height, fit)
    selections = tuple(
        Selection(path, framing, start, stop, film_id) for path, film_id in zip(footage, film_ids, strict=True)
    )
    request = TrainRequest(
        selections, wish.folder / "train", recipe, choices, budget_of(recipe, epochs, minutes, cpu_minutes)
    )
    try:
        with joined() as world:
            heard = console if world.leads else Console(quiet=True)
            outcome = train(request, heard, world)
        if not outcome.finished:
            raise AfterimageError(f"{wish.folder}: stopped before its end; nothing is exported yet")
        if world.leads:
            write_about(wish.folder, _about(wish))
            _publish(wish, film_ids, console)
    except OSError as error:
        raise UnavailableError(f"{wish.folder}: {error.strerror or error}") from error


def films_of(footage: Sequence[Path]) -> tuple[str, ...]:
    """A film id for every piece of footage. Raises InputError if two would get the same."""
    ids = tuple(film_id_of(path) for path in footage)
    for film_id in ids:
        if ids.count(film_id) > 1:
            raise InputError(f"footage: two files would both become the film {film_id!r}; rename one of them")
    return ids


def _publish(wish: Wish, film_ids: Sequence[str], console: Console) -> None:
    """Everything after the training: graphs, films, figures, card, show."""
    with console.status("exporting"):
        exported = export(wish.folder)
    licence = read_about(wish.folder, _about(wish)).licence
    scores = []
    for path, film_id in zip(wish.footage, film_ids, strict=True):
        with console.status(f"encoding {path.name}"):
            _encode(wish, path, film_id, licence, console)
        with console.status(f"measuring {path.name}"):
            found = _measure(wish, path, film_id)
        console.print(found.table())
        scores.append(Score(film_id, found.frames, found.psnr_db, found.ssim, found.flicker, found.still.distinctness))
    write_scores(wish.folder / "train", exported.space, scores)
    write_whole(wish.folder / "card.md", replace(exported.card, scores=scores).text().encode())
    show = write_show(wish.folder, film_ids)
    sizes = ", ".join(f"{name} {size:.1f} MB" for name, size in exported.card.sizes_mb.items())
    console.print(f"{wish.folder}: space {exported.space}, {sizes}")
    console.print(f"play it: afterimage play {shlex.quote(str(show))}", soft_wrap=True)


def _encode(wish: Wish, path: Path, film_id: str, licence: str, console: Console) -> None:
    """One film, with what a person should know of the footage said once."""
    encode_film(
        path,
        wish.folder,
        film_id=film_id,
        licence=licence,
        start=wish.start,
        stop=wish.stop,
        fit=wish.fit,
        provider="cpu",
        say=console.print,
    )


def _measure(wish: Wish, path: Path, film_id: str) -> Evaluation:
    """The figures of one film; its contact sheet lies beside the training."""
    sheet = wish.folder / "train" / f"{film_id}.png"
    return evaluate(
        path,
        wish.folder,
        start=wish.start,
        stop=wish.stop,
        fit=wish.fit,
        provider="cpu",
        wanted=Wanted(sheet=sheet),
    )


def _about(wish: Wish) -> About:
    """A first description from what the footage says of itself."""
    titles = []
    for path in wish.footage:
        with Footage.open(path, Framing(16, 16)) as footage:
            titles.append(footage.info.title)
    return About(film=", ".join(titles), footage=", ".join(path.name for path in wish.footage))


def write_show(folder: Path, film_ids: Sequence[str]) -> Path:
    """`show.toml` in the model folder: a first show to change. A show that is there already is left alone."""
    path = folder / "show.toml"
    if not path.exists():
        path.write_text(_SHOW.format(title=folder.resolve().name, first=film_ids[0]), encoding="utf-8")
    return path


_SHOW = """\
# A first show for this model: all its films, one after the other, for ever. Change one thing at a time.
version = 1
title = "{title}"
model = "."                      # the folder this file lies in; its films are scenes already

# [scenes.slowly]                # a named way to play a film
# film = "{first}"
# in = "0:01"                    # m:ss, h:mm:ss or seconds; left out: the whole film
# speed = 0.25                   # -4 to 4
# motion = "display"             # imagine the frames in between

[look]
fit = "contain"                  # "cover" crops, "stretch" distorts
upscale = "lanczos"              # nearest, bilinear, catmull_rom, lanczos, spline36
"""
