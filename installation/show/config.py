"""Reading a show file and a venue file into a `ShowConfig`, with every problem of every table in one message.

`read_show` never stops at the first problem: what is wrong is left out of the config and listed, so that
`validation` can go on with
the rest. `load_config` is for those who only want the file: it raises when anything is wrong.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from installation.errors import Problem, ShowError
from installation.show.config_tables import ShowConfig, config_schema
from installation.show.problems import Location, location_of, original, words_of, written

VENUE_TABLES = ("schedule", "outputs", "projectors", "control", "dmx", "sync", "sound", "page", "alerts")
VENUE_ALLOWED = f"a venue file has only the tables {', '.join(VENUE_TABLES)}; the rest belongs to the show file"
DECODER = "decoder.onnx"

_Finding = tuple[Location, str, str]  # where, what is wrong, what is allowed
_STAND_INS: dict[Location, str] = {("model",): ".", ("schedule", "zone"): "UTC"}  # so that the rest can be read
_FILE_ALLOWED = {
    "model": f"a folder with {DECODER}; paths are relative to the file they are in",
    "latents": "a latent stream (.safetensors); paths are relative to the file they are in",
}

__all__ = ["VENUE_TABLES", "Reading", "ShowConfig", "config_schema", "load_config", "read_show"]


@dataclass(frozen=True, slots=True)
class Reading:
    """A show as far as it could be read: `config` without what was wrong, `problems`, and the `dropped` places.

    `show` and `venue` are file names for messages; `venue_tables` are those the venue file replaced.
    """

    config: ShowConfig
    problems: tuple[Problem, ...] = ()
    show: str = "show"
    venue: str = "venue"
    venue_tables: frozenset[str] = frozenset()
    dropped: frozenset[Location] = frozenset()

    def place(self, *location: str | int) -> str:
        """`demo.toml: scenes.rabbit.in`; list entries counted as in the file, though some were dropped."""
        return self.named(original(location, self.dropped))

    def named(self, location: Location) -> str:
        """A place already counted as in the file, with the file it is in."""
        name = self.venue if location and location[0] in self.venue_tables else self.show
        return f"{name}: {written(location)}"

    def intact(self, *location: str | int) -> bool:
        """Whether nothing at, above or below this place was dropped. Only for places without list entries."""
        return not any(at[: len(location)] == location[: len(at)] for at in self.dropped)

    def ids(self, table: str) -> tuple[str, ...]:
        """The ids of a table, those of dropped entries too: naming one of them is not a second mistake."""
        lost = [str(at[1]) for at in self.dropped if len(at) == 2 and at[0] == table]
        return (*getattr(self.config, table), *sorted(lost))


def load_config(path: Path, venue: Path | None = None) -> ShowConfig:
    """A show file or a model folder, with a venue file's tables in place of its own; raises `ShowError` with every
    problem.
    """
    reading = read_show(path, venue)
    if reading.problems:
        raise ShowError(reading.problems)
    return reading.config


def read_show(path: Path, venue: Path | None = None) -> Reading:
    """Like `load_config`, but keeps what is right. Raises `ShowError` only when a file is missing or is not TOML."""
    is_folder = _answer(path.is_dir)
    document, problems = ({"model": "."}, []) if is_folder else _parsed(path)
    tables, venue_problems = ({}, []) if venue is None else _parsed(venue)
    if problems or venue_problems:
        raise ShowError([*problems, *venue_problems])
    foreign = [key for key in tables if key not in VENUE_TABLES]
    venue_name = venue.name if venue else ""
    strangers = [Problem(f"{venue_name}: {written((key,))}", "does not belong here", VENUE_ALLOWED) for key in foreign]
    kept = {key: value for key, value in tables.items() if key in VENUE_TABLES}
    if venue is not None:
        _anchor_passcodes(kept, venue.parent.resolve())
    folder = path if is_folder else path.parent
    config, findings, dropped = _validated({**document, **kept}, folder.resolve())
    reading = Reading(config, (), path.resolve().name, venue_name, frozenset(kept), dropped)
    found = [Problem(reading.named(location), wrong, allowed) for location, wrong, allowed in findings]
    missing, lost = _missing_files(reading)
    return replace(reading, problems=(*found, *strangers, *missing), dropped=dropped | lost)


def _anchor_passcodes(tables: dict[str, Any], folder: Path) -> None:
    """The one path a venue file may hold is relative to that file, not to the show's."""
    page = tables.get("page")
    if isinstance(page, dict) and isinstance(page.get("passcodes"), str):
        page["passcodes"] = str(folder / page["passcodes"])


def _parsed(path: Path) -> tuple[dict[str, Any], list[Problem]]:
    """The document, numbers exact; or what is wrong with the file."""
    try:
        document = tomllib.loads(_text(path), parse_float=_decimal)
        _refuse_huge(document)
        return document, []
    except OSError as error:
        reason = error.strerror or "cannot be read"
        return {}, [Problem(str(path), reason[0].lower() + reason[1:], "a show file (.toml) or a model folder")]
    except UnicodeDecodeError as error:
        return {}, [Problem(str(path), f"byte {error.start} is not UTF-8", "a TOML file in UTF-8")]
    except tomllib.TOMLDecodeError as error:
        return {}, [_syntax_problem(path, str(error))]
    except (ValueError, RecursionError):
        allowed = "numbers of at most 18 digits, and brackets less than a hundred deep"
        return {}, [Problem(path.name, "is no show file that a person wrote", allowed)]


def _text(path: Path) -> str:
    """Without the mark that some editors put before the first character."""
    return path.read_text("utf-8-sig")


def _answer(question: Callable[[], bool]) -> bool:
    """Whether something is there; a path that cannot even be asked about (too long, not for us to see) is not."""
    try:
        return question()
    except OSError:
        return False


def _decimal(text: str) -> Decimal:
    """A number as written. An exponent in the millions would take hours to count with."""
    number = Decimal(text)
    if number.is_finite() and number and abs(number.adjusted()) > 18:
        raise ValueError(text)
    return number


def _refuse_huge(value: object) -> None:
    """TOML promises 64 bits; Python would read more."""
    if isinstance(value, int) and value.bit_length() > 64:
        raise ValueError("a number of more than 64 bits")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _refuse_huge(inner)


def _syntax_problem(path: Path, message: str) -> Problem:
    """With line and column, and the line itself."""
    what, _, where = message.rpartition(" (at ")
    where = where.rstrip(")")
    lines = _text(path).splitlines()
    number = where.removeprefix("line ").partition(",")[0]
    line = lines[int(number) - 1].strip() if number.isdigit() and int(number) <= len(lines) else ""
    hint = f"the line reads: {line}" if line else "the file ends in the middle of something"
    return Problem(f"{path.name}: {where}", what[0].lower() + what[1:], f"{hint}; text and times are written in quotes")


def _validated(document: dict[str, Any], folder: Path) -> tuple[ShowConfig, list[_Finding], frozenset[Location]]:
    """The config of what is right, what was found wrong with the rest, and the places left out.

    Each round drops what the last one refused. What is refused *because* something in it was dropped is no new mistake.
    Unknown keys are dropped without a trace: what they stand in is still whole.
    """
    document, schema = deepcopy(document), _schema()
    findings: list[_Finding] = []
    dropped: set[Location] = set()
    while True:
        try:
            config = ShowConfig.model_validate(
                document, context={"folder": folder, "damaged": {at[:2] for at in dropped}}
            )
            return config, findings, frozenset(dropped)
        except ValidationError as error:
            errors = error.errors()
        for each in errors:
            location = original(location_of(each), dropped)
            if not any(at[: len(location)] == location for at in dropped):
                findings.append((location, *words_of(each, schema)))
        unknown = {location_of(each) for each in errors if each["type"] == "extra_forbidden"}
        damaged = {_drop_point(each) for each in errors} - unknown
        lost = {original(location, dropped) for location in damaged}
        for location in sorted(damaged | unknown, reverse=True):  # the last of a list first
            _drop(document, location)
        dropped |= lost


@cache
def _schema() -> dict[str, Any]:
    return config_schema()


def _drop_point(error: ErrorDetails) -> Location:
    """What to leave out: the value refused, or the entry that lacks one. Of a list, the whole entry: half of one
    means something else.
    """
    location = location_of(error)
    counted = [depth for depth, part in enumerate(location) if isinstance(part, int)]
    if counted:
        return location[: counted[-1] + 1]
    return location[:-1] if error["type"] == "missing" and location not in _STAND_INS else location


def _drop(document: dict[str, Any], location: Location) -> None:
    """Leave out one place; where a table cannot do without, put a stand-in."""
    node: Any = document
    for part in location[:-1]:
        node = node[part]
    if location in _STAND_INS:
        node[location[-1]] = _STAND_INS[location]
    else:
        del node[location[-1]]


def _missing_files(reading: Reading) -> tuple[tuple[Problem, ...], frozenset[Location]]:
    """The model folders and streams that are not where the show says."""
    config = reading.config
    folders: list[tuple[Location, Path]] = [(("model",), config.model)] if reading.intact("model") else []
    streams: list[tuple[Location, Path]] = []
    for id_, film in config.films.items():
        folders += [(("films", id_, "model"), film.model)] if film.model else []
        streams += [(("films", id_, "latents"), film.latents)] if film.latents else []
    lost = {at: ("is not a folder", folder) for at, folder in folders if not _answer(folder.is_dir)}
    lost |= {
        at: (f"has no {DECODER}", path)
        for at, path in folders
        if at not in lost and not _answer((path / DECODER).is_file)
    }
    lost |= {at: ("is not a file", path) for at, path in streams if not _answer(path.is_file)}
    problems = tuple(
        Problem(reading.place(*at), f"{path} {wrong}", _FILE_ALLOWED[str(at[-1])]) for at, (wrong, path) in lost.items()
    )
    return problems, frozenset(lost)
