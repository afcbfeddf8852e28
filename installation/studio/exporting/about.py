"""`about.toml` in a model folder: what only a person knows about the footage, for the card and the graphs' metadata.

Training writes a first version from what the footage says; a person edits it and runs `afterimage export` again.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from installation.errors import ModelError

NAME = "about.toml"


@dataclass(frozen=True, slots=True)
class About:
    """film: title of what was learned. footage: file names. licence: of the footage, with attribution. flaws: what a
    viewer should know. notes: anything else, such as how this training went.
    """

    film: str
    footage: str
    licence: str = "not stated; ask the owner of the footage before showing"
    flaws: str = ""
    notes: str = ""


def read_about(model_dir: Path, default: About) -> About:
    """What `about.toml` says; keys left out come from `default`. Raises ModelError if it is no TOML, or has unknown
    keys or values that are no text.
    """
    path = model_dir / NAME
    if not path.exists():
        return default
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"{path}: cannot be read: {error}") from error
    known = {field.name: getattr(default, field.name) for field in fields(About)}
    for key, value in found.items():
        if key not in known or not isinstance(value, str):
            raise ModelError(f"{path}: {key} = {value!r} is not understood; allowed are texts named {', '.join(known)}")
    return About(**(known | found))


def write_about(model_dir: Path, about: About) -> None:
    """Write `about.toml` unless a person's version is there already."""
    path = model_dir / NAME
    if path.exists():
        return
    lines = ["# About this model's footage. Edit, then run `afterimage export` to renew the card.", ""]
    # A JSON string is a TOML basic string, except that TOML wants DEL escaped.
    lines += [
        f"{field.name} = {json.dumps(getattr(about, field.name), ensure_ascii=False)}".replace("\x7f", "\\u007f")
        for field in fields(About)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
