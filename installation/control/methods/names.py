"""The ids a show knows, and the one rule for reading an id: `2`, `"2"` and `2.0` are the same."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from installation.control.osc.packets import Argument
from installation.errors import CommandRefused
from installation.show.library import Library

Kind = Literal["film", "scene", "programme", "cue", "axis"]
AXES = tuple("12345678")
_MANY = 12  # ids listed in a refusal


class UnknownName(CommandRefused):
    """An id this show does not have. Its text is only made when somebody reads it: floods of wrong ids are cheap."""

    def __init__(self, kind: Kind, given: str, known: Iterable[str]) -> None:
        super().__init__(f"unknown-{kind}", "")
        self._kind = kind
        self._given = given
        self._known = known

    def __str__(self) -> str:
        known = sorted(self._known)
        listed = ", ".join(known[:_MANY]) + (f" and {len(known) - _MANY} more" if len(known) > _MANY else "")
        near = get_close_matches(self._given[:64], known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        allowed = f"pick one of {listed}" if known else "this show has none"
        return f'no {self._kind} "{self._given[:64]}"; {hint}{allowed}'


@dataclass(frozen=True, slots=True)
class Names:
    """Every id a command may name."""

    films: frozenset[str] = frozenset()
    scenes: frozenset[str] = frozenset()
    programmes: frozenset[str] = frozenset()
    cues: frozenset[str] = frozenset()

    @classmethod
    def of(cls, library: Library) -> Names:
        """The ids of everything a show can play."""
        return cls(*map(frozenset, (library.films, library.scenes, library.programmes, library.cues)))

    def known(self, kind: Kind) -> Iterable[str]:
        """All ids of one kind."""
        match kind:
            case "film":
                return self.films
            case "scene":
                return self.scenes
            case "programme":
                return self.programmes
            case "cue":
                return self.cues
        return AXES

    def find(self, kind: Kind, given: str) -> str:
        """The known id that is meant. Raises UnknownName."""
        known = self.known(kind)
        if given in known:
            return given
        whole, _, decimals = given.partition(".")
        if decimals and not decimals.strip("0") and whole in known:  # "2.0" is "2"
            return whole
        raise UnknownName(kind, given, known)


def read_id(argument: Argument) -> str | None:
    """An argument as the text of an id, or None when it cannot be one. A 32-bit 1.23 is "1.23"."""
    match argument:
        case bool():
            return None
        case str():
            return argument
        case int():
            return str(argument)
        case float() if math.isfinite(argument):
            return str(int(argument)) if argument == int(argument) else f"{argument:.7g}"
    return None
