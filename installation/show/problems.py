"""From what pydantic found wrong to `Problem`s in plain words, each with its place: `demo.toml: scenes.rabbit.in`.

An entry of a list is counted from one: `schedule.open#2.hours`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from pydantic_core import ErrorDetails

from installation.show.config_values import nearest, quoted

Location = tuple[str | int, ...]

_KINDS = {
    "tuple_type": ("is not a list", "a list in square brackets"),
    "mapping_type": ("is not a table", "a table, such as [{name}]"),
    "dict_type": ("is not a table", "a table, such as [{name}]"),
    "model_type": ("is not a table", "a table, in braces or under its own [heading]"),
    "model_attributes_type": ("is not a table", "a table, in braces or under its own [heading]"),
}


def written(location: Location) -> str:
    """A location as a person writes it: dots between keys, `#2` for the second of a list, odd keys in quotes."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"#{part + 1}"
        else:
            plain = re.fullmatch(r"[A-Za-z0-9_-]+", part)
            text += ("." if text else "") + (part if plain else f'"{part}"')
    return text


def location_of(error: ErrorDetails) -> Location:
    """Where it is in the document; a bad key of a table of ids is at the entry it names."""
    return tuple(part for part in error["loc"] if part != "[key]")


def words_of(error: ErrorDetails, schema: dict[str, Any]) -> tuple[str, str]:
    """What is wrong, and what is allowed. `schema` is the JSON schema of the whole file, which knows the keys."""
    location, kind = location_of(error), error["type"]
    if kind == "refused":
        return error["ctx"]["wrong"], error["ctx"]["allowed"]
    if kind == "extra_forbidden":
        keys = keys_at(location[:-1], schema)
        hint = nearest(str(location[-1]), keys)
        return "is not a key we know", " - ".join(part for part in (f"one of {', '.join(keys)}", hint) if part)
    if kind == "missing":
        return "is missing", _needed(location)
    wrong, allowed = _KINDS.get(kind, (error["msg"], ""))
    return f"{quoted(error['input'])} {wrong}" if kind in _KINDS else wrong, allowed.format(name=location[-1])


def _needed(location: Location) -> str:
    if location == ("model",):
        return 'a model folder, such as model = "../models/bunny"'
    return f"{location[-1]} = ..."


def keys_at(location: Location, schema: dict[str, Any]) -> tuple[str, ...]:
    """The keys a table may have."""
    node = _resolved(schema, schema)
    for part in location:
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(part) or node.get("additionalProperties") or _any_pattern(node)
        node = _resolved(node, schema)
    return tuple(node.get("properties", {}))


def _any_pattern(node: dict[str, Any]) -> dict[str, Any]:
    patterns: dict[str, Any] = node.get("patternProperties", {})
    return next(iter(patterns.values()), {})


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    for option in node.get("anyOf", ()):
        if "$ref" in option:
            node = option
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def original(location: Location, dropped: Collection[Location]) -> Location:
    """A location in a document that some places were dropped from, as it was before: list entries counted with the
    lost ones.
    """
    found: Location = ()
    for part in location:
        index = part
        if isinstance(index, int):
            depth = len(found)
            gone = [at[depth] for at in dropped if len(at) == depth + 1 and at[:depth] == found]
            for lost in sorted(each for each in gone if isinstance(each, int)):
                index += lost <= index
        found += (index,)
    return found
