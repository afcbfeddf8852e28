"""What one table of a show says of another and of the films: ids that exist, times within films, transitions within
scenes, hours that do not overlap, commands that parse.

The second step of reading a show. It goes on with whatever `read_show` could read, and never reports a mistake twice:
what depends on a place that was dropped is not checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from installation.errors import CommandRefused, Problem
from installation.show.assembly import (
    IMPLICIT_PROGRAMME,
    ParseLine,
    film_frames,
    implied_programmes,
    implied_scenes,
    scene_frames,
    scene_seconds,
)
from installation.show.commands import Command, FireCue, PlayFilm, PlayProgramme, PlayScene
from installation.show.config import Reading
from installation.show.config_mapping import MapTable
from installation.show.config_tables import BLACK, ProgrammeTable, SceneTable, TransitionTable
from installation.show.config_values import nearest, quoted
from installation.show.library import Advance, FilmInfo
from installation.show.map_checks import tried_lines, wrong_shape
from installation.show.overlaps import overlapping


@dataclass(frozen=True, slots=True)
class _Scope:
    """Everything a check needs. `known` are ids by kind; a kind that could not be read has None, and is not checked."""

    reading: Reading
    films: Mapping[str, FilmInfo]
    parse_line: ParseLine
    known: Mapping[str, tuple[str, ...] | None]
    spaces: Mapping[str, str] = field(default_factory=dict)

    def problem(self, location: tuple[str | int, ...], wrong: str, allowed: str = "") -> Problem:
        return Problem(self.reading.place(*location), wrong, allowed)

    def unknown(self, kind: str, id_: str, location: tuple[str | int, ...]) -> Iterator[Problem]:
        known = self.known[kind]
        if known is not None and id_ not in known:
            allowed = f"one of {', '.join(quoted(each) for each in known)}" if known else f"there is no {kind}"
            hint = nearest(id_, known)
            yield self.problem(location, f"no {kind} {quoted(id_)}", f"{allowed} - {hint}" if hint else allowed)


def validate(
    reading: Reading,
    films: Mapping[str, FilmInfo] | None,
    parse_line: ParseLine,
    spaces: Mapping[str, str] | None = None,
) -> list[Problem]:
    """Every problem between the tables of a show and with its films.

    `films`: by id, None when the model could not be read: then nothing that depends on its films is checked.
    `parse_line`: a typed command, or `CommandRefused`. `spaces`: for each film, the space of the model that plays it.
    """
    scope = _Scope(reading, films or {}, parse_line, _known(reading, films), spaces or {})
    checks = (_films, _scenes, _programmes, _commands, _schedule, _outputs, _dmx)
    return [problem for check in checks for problem in check(scope)]


@dataclass(frozen=True, slots=True)
class KnownIds:
    """Every id a command may name, those of entries with something wrong in them too."""

    films: tuple[str, ...]
    scenes: tuple[str, ...]
    programmes: tuple[str, ...]
    cues: tuple[str, ...]


def known_ids(reading: Reading, films: Mapping[str, FilmInfo] | None) -> KnownIds:
    """What a parser of commands needs to know before there is a `Library`."""
    known = _known(reading, films)
    return KnownIds(*(known[kind] or () for kind in ("film", "scene", "programme", "cue")))


def _known(reading: Reading, films: Mapping[str, FilmInfo] | None) -> dict[str, tuple[str, ...] | None]:
    complete = films is not None and reading.intact("model")
    all_films = _unique(films or (), reading.ids("films")) if complete else None
    implicit = () if reading.ids("programmes") else (IMPLICIT_PROGRAMME,)
    return {
        "film": all_films,
        "scene": None if all_films is None else _unique(reading.ids("scenes"), all_films),
        "programme": (*reading.ids("programmes"), *implicit),
        "cue": reading.ids("cues"),
    }


def _unique(*ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for some in ids for each in some))


def _films(scope: _Scope) -> Iterator[Problem]:
    for id_, table in scope.reading.config.films.items():
        if table.fallback is not None:
            at = ("films", id_, "fallback")
            yield from scope.unknown("film", table.fallback, at)
            other = scope.films.get(table.fallback)
            if table.fallback == id_ or (other is not None and other.live):
                yield scope.problem(at, f"{quoted(table.fallback)} is live itself", "a film that is always there")
    for id_, film in scope.films.items():
        space = scope.spaces.get(id_, film.space)
        if not film.live and film.space != space:
            own = scope.reading.config.films.get(id_)
            place: tuple[str, ...] = (
                ("model",) if own is None else ("films", id_, "latents" if own.latents else "model")
            )
            wrong = f"film {quoted(id_)} is of space {film.space}, the model that would play it of {space}"
            yield scope.problem(
                place, wrong, "latents encoded with the same model, or the model they were encoded with"
            )


def _scenes(scope: _Scope) -> Iterator[Problem]:
    for id_, scene in scope.reading.config.scenes.items():
        yield from scope.unknown("film", scene.film, ("scenes", id_, "film"))
        film = scope.films.get(scene.film)
        if film is not None and film.live:
            yield from _live_scene(scope, id_, scene)
        elif film is not None:
            yield from _scene_times(scope, id_, scene, film)


def _live_scene(scope: _Scope, id_: str, scene: SceneTable) -> Iterator[Problem]:
    given = {"in": scene.in_point is not None, "out": scene.out_point is not None, "speed": scene.speed != 1}
    for key in (key for key, wrong in given.items() if wrong):
        yield scope.problem(("scenes", id_, key), f"film {quoted(scene.film)} is live and has only now", "leave it out")


def _scene_times(scope: _Scope, id_: str, scene: SceneTable, film: FilmInfo) -> Iterator[Problem]:
    start, end = scene_frames(scope.reading.config, scene, film)
    allowed = f'0 to {spoken(film.frames / film.fps)}, the length of film "{film.id}"'
    if start >= film.frames:
        yield scope.problem(("scenes", id_, "in"), f"{spoken(scene.in_point or 0)} is past the end", allowed)
    if end > film.frames:
        yield scope.problem(("scenes", id_, "out"), f"{spoken(scene.out_point or 0)} is past the end", allowed)
    if scene.out_point is not None and end <= start and scope.reading.intact("scenes", id_, "in"):
        wrong = f"{spoken(scene.out_point)} is not after in, {spoken(scene.in_point or 0)}"
        yield scope.problem(("scenes", id_, "out"), wrong, "at least one frame later")
    seconds = _seconds(scope, id_, scene)
    if seconds is not None and scene.transition is not None and _too_long(scene, seconds):
        wrong = f"{spoken(scene.transition.seconds)} is longer than the scene"
        yield scope.problem(("scenes", id_, "transition"), wrong, f"at most {spoken(seconds)}")


def _programmes(scope: _Scope) -> Iterator[Problem]:
    config = scope.reading.config
    if BLACK in config.programmes:
        yield scope.problem(("programmes", BLACK), f"{quoted(BLACK)} means no picture", "another id")
    for id_, programme in config.programmes.items():
        if not programme.scenes and scope.reading.intact("programmes", id_, "scenes"):
            yield scope.problem(("programmes", id_, "scenes"), "is empty", "at least one scene")
        for index, scene in enumerate(programme.scenes):
            yield from scope.unknown("scene", scene, ("programmes", id_, "scenes", index))
            yield from _live_turn(scope, ("programmes", id_, "scenes", index), scene)
        yield from _transitions(scope, id_, programme)
    implied = bool(scope.films) and not scope.reading.ids("programmes")
    if implied and not implied_programmes(config, scope.films)[IMPLICIT_PROGRAMME].scenes:
        yield scope.problem(("programmes",), "is needed: no film here has an end", "or a duration for the live film")


def _live_turn(scope: _Scope, location: tuple[str | int, ...], scene: str) -> Iterator[Problem]:
    table = implied_scenes(scope.reading.config, scope.films).get(scene)
    film = scope.films.get(table.film) if table else None
    if film is None or film_frames(scope.reading.config, film):
        return
    if scope.reading.intact("films", film.id, "duration"):
        wrong = f"film {quoted(film.id)} is live and has no end"
        yield scope.problem(location, wrong, f'films.{film.id}.duration = "1:00", how long its turn is')


def _transitions(scope: _Scope, id_: str, programme: ProgrammeTable) -> Iterator[Problem]:
    """A scene must have room for the transition into it and the one out of it; when it loops until `go`, for each."""
    scenes = implied_scenes(scope.reading.config, scope.films)
    if not scope.reading.intact("programmes", id_, "transition"):
        return
    following = (*programme.scenes[1:], *programme.scenes[:1])
    reported: set[str] = set()
    for scene, after in zip(programme.scenes, following, strict=True):
        seconds = _seconds(scope, scene, scenes[scene]) if scene in scenes else None
        if seconds is None or scene in reported or _too_long(scenes[scene], seconds):
            continue
        first, second = (_entering(scope, programme, each, scenes.get(each)) for each in (scene, after))
        needed = max(first, second) if programme.advance is Advance.GO else first + second
        if needed > seconds:
            reported.add(scene)
            own = scenes[scene].transition is not None and first >= second
            at = ("scenes", scene, "transition") if own else ("programmes", id_, "transition")
            wrong = (
                f"scene {quoted(scene)} lasts {spoken(seconds)}, too short for {spoken(first)} of transition into it"
            )
            yield scope.problem(at, f"{wrong} and {spoken(second)} out of it", f"together at most {spoken(seconds)}")


def _too_long(scene: SceneTable, seconds: Fraction) -> bool:
    """Whether a scene's own transition is longer than the scene."""
    return scene.transition is not None and scene.transition.seconds > seconds


def _entering(scope: _Scope, programme: ProgrammeTable, id_: str, scene: SceneTable | None) -> Fraction:
    """How long the transition into a scene takes; 0 when that cannot be known."""
    if scene is None or not scope.reading.intact("scenes", id_, "transition"):
        return Fraction(0)
    return (scene.transition or programme.transition or TransitionTable()).seconds


def _seconds(scope: _Scope, id_: str, scene: SceneTable) -> Fraction | None:
    """How long a scene lasts, if everything that decides it is known and right."""
    film = scope.films.get(scene.film)
    parts = ("film", "in", "out", "speed", "transition")
    if film is None or not all(scope.reading.intact("scenes", id_, part) for part in parts):
        return None
    start, end = scene_frames(scope.reading.config, scene, film)
    if end <= start or (not film.live and end > film.frames):
        return None
    return scene_seconds(scope.reading.config, scene, film)


def _commands(scope: _Scope) -> Iterator[Problem]:
    config = scope.reading.config
    fired: dict[str, set[str]] = {}
    for id_, cue in config.cues.items():
        if not cue.do and scope.reading.intact("cues", id_, "do"):
            yield scope.problem(("cues", id_, "do"), "is empty", "at least one command")
        commands = [_parsed(scope, line) for line in cue.do]
        fired[id_] = {command.cue for command in commands if isinstance(command, FireCue)}
        for index, command in enumerate(commands):
            yield from _command(scope, ("cues", id_, "do", index), command)
    for id_ in fired:
        if id_ in _reached(fired, id_):
            yield scope.problem(
                ("cues", id_, "do"), "the cue would fire itself, for ever", "no cue/.../fire that leads back"
            )
    for key, line in config.keys.items():
        yield from _command(scope, ("keys", key), _parsed(scope, line))
    for index, entry in enumerate(config.control.map):
        yield from _mapped(scope, ("control", "map", index), entry)
    for index, target in enumerate(config.page.buttons):
        kind, _, id_ = target.partition("/")
        yield from scope.unknown(kind, id_, ("page", "buttons", index))


def _mapped(scope: _Scope, location: tuple[str | int, ...], entry: MapTable) -> Iterator[Problem]:
    wrong = [
        scope.problem((*location, key), *words) for key, *words in wrong_shape(entry, scope.reading.config.control.root)
    ]
    yield from wrong
    for line, known in () if wrong else tried_lines(entry):
        try:
            command: Command | Problem | None = scope.parse_line(line)
        except CommandRefused as refused:
            kind = refused.code.removeprefix("unknown-")
            open_id = kind in scope.known and (not known or scope.known[kind] is None)
            command = None if open_id else Problem(line, str(refused))
        found = list(_command(scope, (*location, "do"), command)) if known or isinstance(command, Problem) else []
        yield from found
        if found:
            return


def _parsed(scope: _Scope, line: str) -> Command | Problem | None:
    """The command, why not, or None when it names something of a kind that could not be read."""
    try:
        return scope.parse_line(line)
    except CommandRefused as refused:
        kind = refused.code.removeprefix("unknown-")
        return None if scope.known.get(kind, ()) is None else Problem(line, str(refused))


def _command(scope: _Scope, location: tuple[str | int, ...], command: Command | Problem | None) -> Iterator[Problem]:
    match command:
        case Problem(line, reason):
            yield scope.problem(location, f"{quoted(line)} cannot be obeyed", reason)
        case PlayFilm(film):
            yield from scope.unknown("film", film, location)
        case PlayScene(scene):
            yield from scope.unknown("scene", scene, location)
        case PlayProgramme(programme):
            yield from scope.unknown("programme", programme, location)
        case FireCue(cue):
            yield from scope.unknown("cue", cue, location)


def _reached(fired: Mapping[str, set[str]], start: str) -> set[str]:
    reached: set[str] = set()
    waiting = set(fired[start])
    while waiting:
        cue = waiting.pop()
        reached.add(cue)
        waiting |= fired.get(cue, set()) - reached
    return reached


def _schedule(scope: _Scope) -> Iterator[Problem]:
    table = scope.reading.config.schedule
    if table is None:
        return
    if table.closed != BLACK:
        for problem in scope.unknown("programme", table.closed, ("schedule", "closed")):
            yield Problem(problem.place, problem.wrong, f'"{BLACK}", or {problem.allowed}')
    plays = [("open", index, entry.play) for index, entry in enumerate(table.open)]
    plays += [("except", index, entry.play) for index, entry in enumerate(table.exceptions)]
    for list_, index, play in plays:
        if play is not None:
            yield from scope.unknown("programme", play, ("schedule", list_, index, "play"))
    for list_, index, other, when in overlapping(table):
        first = scope.reading.place("schedule", list_, other).partition(": ")[2]
        yield scope.problem(("schedule", list_, index), f"overlaps {first} on {when}", "hours that only touch")


def _outputs(scope: _Scope) -> Iterator[Problem]:
    names = [output.name for output in scope.reading.config.outputs]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield scope.problem(("outputs", index, "name"), f"{quoted(name)} is taken", "a name for each output")
    if not names and scope.reading.intact("outputs"):
        yield scope.problem(("outputs",), "there is none", 'at least one, such as [[outputs]] name = "wall"')


def _dmx(scope: _Scope) -> Iterator[Problem]:
    """What [dmx] leaves to [control] must do for both."""
    config, intact = scope.reading.config, scope.reading.intact
    if config.dmx is None or not intact("control", "listen") or not intact("dmx", "listen"):
        return
    listen = config.dmx.listen or config.control.listen
    if listen.version != 4:
        yield scope.problem(
            ("dmx",), f"control.listen {listen} is IPv6, and DMX is IPv4", 'listen = "192.168.10.5" in [dmx] too'
        )
    allow = config.control.allow if config.dmx.allow is None else config.dmx.allow
    if not listen.is_loopback and not allow and intact("control", "allow") and intact("dmx", "allow"):
        yield scope.problem(
            ("dmx", "listen"),
            f"{listen} is open to a network, and nobody is named who may speak",
            'add dmx.allow = ["192.168.10.20"], or listen = "127.0.0.1"',
        )


def spoken(seconds: Fraction | int) -> str:
    """Seconds for people: `0:28`, `1:02.5`, `1:00:00`."""
    hundredths = round(seconds * 100)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 100:02}" + (f".{rest % 100:02}".rstrip("0") if rest % 100 else "")
    return f"{hours}:{minutes:02}:{tail}" if hours else f"{minutes}:{tail}"
