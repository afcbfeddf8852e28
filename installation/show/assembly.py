"""From a valid `ShowConfig` and its films to a `Show` in exact units, with everything implied made explicit.

Every film is a scene of the same id, unless the show defines that scene. Without programmes all films make one, "all",
round and round. A scene's in and out go to the nearest frame, so that a film at its own rate shows its own frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

from installation.show.commands import Command
from installation.show.config_tables import ProgrammeTable, SceneTable, ShowConfig, TransitionTable
from installation.show.frameplan import Look
from installation.show.library import Cue, FilmInfo, Library, Programme, Scene, Transition, whole_film
from installation.show.schedule import compile_schedule
from installation.show.state import Show
from installation.show.timebase import FRAME_Q32, UNIT_SPEED, jots

IMPLICIT_PROGRAMME = "all"
ParseLine = Callable[[str], Command]


def build_show(
    config: ShowConfig, films: Mapping[str, FilmInfo], parse_line: ParseLine, display_rate: Fraction
) -> Show:
    """The show, ready to play. `films` in the order of the implicit programme; `parse_line` reads a typed command.

    `display_rate` (pictures a second) is that of scenes whose motion is "display". Expects what `validate` passed.
    """
    library = _library(config, films, parse_line, display_rate)
    return Show(
        title=config.name,
        library=library,
        schedule=compile_schedule(config.schedule, next(iter(library.programmes))),
        look=Look(config.look.fit, config.look.upscale, config.look.brightness, config.look.grain),
        override_ns=None if config.control.override == "closing" else round(config.control.override * 1_000_000_000),
    )


def key_commands(config: ShowConfig, parse_line: ParseLine) -> dict[str, Command]:
    """What each of the show's own keys asks for."""
    return {key: parse_line(line) for key, line in config.keys.items()}


def implied_programmes(config: ShowConfig, films: Mapping[str, FilmInfo]) -> dict[str, ProgrammeTable]:
    """The show's programmes, or the one of all films that have an end."""
    if config.programmes:
        return dict(config.programmes)
    ending = tuple(id_ for id_, film in films.items() if film_frames(config, film))
    return {IMPLICIT_PROGRAMME: ProgrammeTable(scenes=ending)}


def implied_scenes(config: ShowConfig, films: Mapping[str, FilmInfo]) -> dict[str, SceneTable]:
    """The show's scenes, and one for each film that is none yet."""
    return {id_: SceneTable(film=id_) for id_ in films} | dict(config.scenes)


def film_frames(config: ShowConfig, film: FilmInfo) -> int:
    """Frames of a film; of a live one, what its `duration` makes, 0 without one."""
    table = config.films.get(film.id)
    if film.live and table is not None and table.duration is not None:
        return round(table.duration * film.fps)
    return film.frames


def scene_frames(config: ShowConfig, scene: SceneTable, film: FilmInfo) -> tuple[int, int]:
    """The frames of a scene: from the first, until before the second."""
    start = 0 if scene.in_point is None else round(scene.in_point * film.fps)
    end = film_frames(config, film) if scene.out_point is None else round(scene.out_point * film.fps)
    return start, end


def scene_seconds(config: ShowConfig, scene: SceneTable, film: FilmInfo) -> Fraction:
    """How long one pass of a scene lasts, at its speed."""
    start, end = scene_frames(config, scene, film)
    return Fraction(end - start) / film.fps / abs(scene.speed)


def _library(
    config: ShowConfig, films: Mapping[str, FilmInfo], parse_line: ParseLine, display_rate: Fraction
) -> Library:
    scenes = {
        id_: _scene(config, id_, table, films[table.film], display_rate)
        for id_, table in implied_scenes(config, films).items()
    }
    programmes = {
        id_: Programme(
            id_,
            table.label or id_,
            tuple(scenes[s] for s in table.scenes),
            _transition(table.transition),
            table.advance,
        )
        for id_, table in implied_programmes(config, films).items()
    }
    cues = {
        id_: Cue(id_, table.label or id_, tuple(parse_line(line) for line in table.do))
        for id_, table in config.cues.items()
    }
    return Library(films, scenes, programmes, cues)


def _scene(config: ShowConfig, id_: str, table: SceneTable, film: FilmInfo, display_rate: Fraction) -> Scene:
    whole = whole_film(film)
    start, end = scene_frames(config, table, film)
    rates = {"film": film.fps, "display": display_rate}
    return replace(
        whole,
        id=id_,
        label=table.label or (film.title if id_ == film.id else id_),
        start=start * FRAME_Q32,
        length=(end - start) * FRAME_Q32 if end > start else whole.length,
        rate=rates[table.motion] if isinstance(table.motion, str) else table.motion,
        speed=round(table.speed * UNIT_SPEED),
        then=table.then,
        transition=_transition(table.transition),
    )


def _transition(table: TransitionTable | None) -> Transition | None:
    return None if table is None else Transition(table.kind, jots(table.seconds))
