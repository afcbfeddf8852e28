"""What one argument of a method may be: OSC types, range, unit, choices. For the table and everything made from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from installation.control.methods.names import Kind

# The OSC type tags of arguments that follow a rule of ours, as whoever asks for one tag is told: of all that fires, I
# is what others call an impulse; a latch is a switch.
_TAGS = {"trigger": "I", "latch": "T", "any": "I"}


class Clip(Enum):
    """What becomes of a number beyond its range: pulled to that end of it, or refused. Values as OSCQuery has them."""

    NONE = "none"
    LOW = "low"
    HIGH = "high"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument: its name, OSC types, range and unit.

    The types "trigger" and "latch" stand for their rules, "any" for anything. Text may be one of `choices`, or of the
    show's ids of a `kind`, or of a form that an `example` shows.
    """

    name: str
    types: str
    low: float | None = None
    high: float | None = None
    unit: str = ""
    optional: bool = False
    clip: Clip = Clip.BOTH
    choices: tuple[str, ...] = ()
    kind: Kind | None = None
    example: str = ""

    def __str__(self) -> str:
        name = f"{', '.join(self.choices[:-1])} or {self.choices[-1]}" if self.choices else self.name
        text = self.types if self.types == name else f"{self.types} {name}"
        text += f", such as {self.example}" if self.example else ""
        if self.low is not None and self.high is not None:
            text += f" {self.low:g} to {self.high:g}"
        text += f" {self.unit}" if self.unit else ""
        return f"[{text}]" if self.optional else text

    @property
    def tag(self) -> str:
        """The OSC type tag it is described with where there is place for one only."""
        return _TAGS.get(self.types, self.types[:1])
