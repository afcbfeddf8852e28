"""From a show file to everything needed to play it, or to one message with everything that is wrong with it.

Reads the show, the venue, the model folders and the headers of the streams; opens no device, port or window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from installation.control.methods.addresses import AddressSpace, read_line
from installation.control.methods.names import Names
from installation.errors import ModelError, Problem, ShowError, StreamError
from installation.latents.stream import StreamHeader, read_header
from installation.nets.model import ModelInfo, read_model
from installation.show.assembly import build_show, key_commands
from installation.show.commands import Command
from installation.show.config import Reading, read_show
from installation.show.config_tables import FilmTable, ShowConfig
from installation.show.config_values import ID_ALLOWED, is_id
from installation.show.library import FilmInfo
from installation.show.roles import Role
from installation.show.state import Show
from installation.show.validation import known_ids, validate
from installation.wiring.dmx import dmx_problems

# Decode instants a second for a live film; its latents come when they come.
LIVE_RATE = Fraction(25)


@dataclass(frozen=True, slots=True)
class FilmFiles:
    """Where a film comes from: a stream file, or a live address, through a model."""

    info: FilmInfo
    model: ModelInfo
    stream: Path | None
    live: str | None = None


@dataclass(frozen=True, slots=True)
class LoadedWork:
    """A valid show with its films' files and its keys."""

    config: ShowConfig
    show: Show
    films: Mapping[str, FilmFiles]
    keys: Mapping[str, Command]


def load_work(path: Path, venue: Path | None, display_rate: Fraction, *, always_open: bool = False) -> LoadedWork:
    """Read a show file (or a model folder) and check it against its films.

    `display_rate` is that of scenes with motion "display"; `always_open` leaves the schedule out.

    Raises:
        ShowError: with every problem, each naming its place and what is allowed.
    """
    reading = read_show(path, venue)
    gathering = _Gathering(reading, {}, [])
    films = gathering.films()
    infos = None if films is None else {id_: film.info for id_, film in films.items()}
    known = known_ids(reading, infos)
    space = AddressSpace(Names(*map(frozenset, (known.films, known.scenes, known.programmes, known.cues))))

    def parse(line: str) -> Command:
        return read_line(line, space, Role.MAINTAIN).command

    spaces = {id_: film.model.space for id_, film in (films or {}).items()}
    problems = [
        *reading.problems,
        *gathering.problems,
        *validate(reading, infos, parse, spaces),
        *dmx_problems(reading),
    ]
    if problems or films is None or infos is None:
        raise ShowError(problems)
    show = build_show(reading.config, infos, parse, display_rate)
    if always_open:
        show = replace(show, schedule=show.schedule.ignored())
    return LoadedWork(reading.config, show, films, key_commands(reading.config, parse))


@dataclass(frozen=True, slots=True)
class _Gathering:
    """Collects films and what is wrong with them; each model folder is looked at once."""

    reading: Reading
    models: dict[Path, ModelInfo | None]
    problems: list[Problem]

    def films(self) -> dict[str, FilmFiles] | None:
        """All films by id, the model's first; None when the show's own model cannot be read."""
        config = self.reading.config
        own = self._model(config.model, ("model",)) if self.reading.intact("model") else None
        films: dict[str, FilmFiles | None] = {}
        if own is not None:
            films = {
                id_: self._streamed(id_, path, own, ("model",))
                for id_, path in own.films.items()
                if id_ not in config.films
            }
        for id_, table in config.films.items():
            if not (self.reading.intact("films", id_, "model") and self.reading.intact("films", id_, "latents")):
                continue
            model = own if table.model is None else self._model(table.model, ("films", id_, "model"))
            films[id_] = None if model is None else self._declared(id_, table, model)
        if own is None:
            return None
        if not films:
            place = self.reading.place("model")
            self.problems.append(
                Problem(
                    place,
                    f"{config.model} has no films",
                    "a stream in its folder films/: afterimage encode FOOTAGE -m MODEL",
                )
            )
        return {id_: film for id_, film in films.items() if film is not None}

    def _model(self, folder: Path, place: tuple[str, ...]) -> ModelInfo | None:
        if folder not in self.models:
            try:
                self.models[folder] = read_model(folder)
            except ModelError as error:
                self.models[folder] = None
                self.problems.append(Problem(self.reading.place(*place), str(error)))
        return self.models[folder]

    def _declared(self, id_: str, table: FilmTable, model: ModelInfo) -> FilmFiles | None:
        if table.live is not None:
            return self._live(id_, table.live, table.fallback, model)
        if table.latents is not None:
            return self._streamed(id_, table.latents, model, ("films", id_, "latents"))
        if id_ not in model.films:
            allowed = f'one of {", ".join(model.films) or "none: it has no films"}, or latents = "..."'
            self.problems.append(
                Problem(self.reading.place("films", id_), f"model {model.name} has no film {id_!r}", allowed)
            )
            return None
        return self._streamed(id_, model.films[id_], model, ("films", id_, "model"))

    def _live(self, id_: str, source: str, fallback: str | None, model: ModelInfo) -> FilmFiles | None:
        if source != "osc" and model.encoder is None:
            place = self.reading.place("films", id_, "live")
            self.problems.append(
                Problem(
                    place,
                    f"model {model.name} has no encoder.onnx to look at it with",
                    'live = "osc", or a model with an encoder',
                )
            )
            return None
        info = FilmInfo(id_, id_, LIVE_RATE, 0, model.space, model.size, live=True, fallback=fallback)
        return FilmFiles(info, model, None, source)

    def _streamed(self, id_: str, path: Path, model: ModelInfo, place: tuple[str, ...]) -> FilmFiles | None:
        if not is_id(id_):
            wrong = f"the film's file {path} is named with what no id has"
            self.problems.append(Problem(self.reading.place(*place), wrong, f"a name of {ID_ALLOWED}"))
            return None
        try:
            header = read_header(path)
            _check_size(path, header, model)
        except StreamError as error:
            self.problems.append(Problem(self.reading.place(*place), str(error)))
            return None
        info = FilmInfo(id_, header.title or id_, header.fps, header.frames, header.space, model.size, header.cuts)
        return FilmFiles(info, model, path)


def _check_size(path: Path, header: StreamHeader, model: ModelInfo) -> None:
    if header.size != model.latent_size and header.space == model.space:
        raise StreamError(
            f"{path}: its latents have {header.size} numbers, model {model.name} takes {model.latent_size}"
        )
