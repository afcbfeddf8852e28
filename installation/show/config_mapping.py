"""The map of a show file: other devices' messages, and the commands they mean here. The table and its little parsers.

`from` may capture whole parts of an address, `{cue}`; `do` may say them again, and `{1}` for the first argument or
`{value}` for the number that the chain of `control.sensors` makes of one. What a map means is checked in
`map_checks`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from installation.show.config_types import Line, Seconds
from installation.show.config_values import choice, exact, quoted, refusal

VALUE = "value"
CONDITION_ALLOWED = 'a number, text, true, false, "*" for anything, or ">0.5", ">=1", "<0.5", "<=1", "!=0"'
_NAME = r"[a-z_][a-z0-9_]*"
_PART = rf"(?:[^\s#*,/?\[\]{{}}]+|\{{{_NAME}\}})"
_COMPARISON = re.compile(r"(>=|<=|!=|>|<)\s*(-?\d+(?:\.\d+)?)", re.ASCII)
_PLACEHOLDER = re.compile(rf"\{{({_NAME}|[1-9]|1[0-6])\}}", re.ASCII)


def placeholders(text: str) -> tuple[str, ...]:
    """The names in braces, each once, in order."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(text)))


def parse_map_address(value: object) -> str:
    """An address another device sends, with `{name}` for parts that may be anything."""
    if not isinstance(value, str) or not re.fullmatch(rf"(?:/{_PART})+/?", value):
        raise refusal(f"{quoted(value)} is not an OSC address", 'such as "/eos/out/event/cue/1/{cue}/fire"')
    names = re.findall(rf"\{{({_NAME})\}}", value)
    if len(set(names)) < len(names) or VALUE in names:
        raise refusal(f"{quoted(value)} needs a name of its own for each part", f"{{cue}}, {{list}}; not {{{VALUE}}}")
    return value.removesuffix("/")


@dataclass(frozen=True, slots=True)
class Condition:
    """What one argument must be. `operator` is "=", "!=", ">", ">=", "<", "<=" or "*"."""

    operator: str
    operand: float | str = 0.0

    def holds(self, argument: object) -> bool:
        """Whether an argument fits. True and false count as 1 and 0; text never compares with a number."""
        if self.operator == "*":
            return True
        if isinstance(self.operand, str) or not isinstance(argument, int | float):
            return (argument == self.operand) == (self.operator == "=")
        match self.operator:
            case "=":
                return abs(argument - self.operand) <= 1e-6 * max(1.0, abs(self.operand))  # float32 rounds
            case "!=":
                return argument != self.operand
            case ">":
                return argument > self.operand
            case ">=":
                return argument >= self.operand
            case "<":
                return argument < self.operand
        return argument <= self.operand


def parse_condition(value: object) -> Condition:
    """One entry of `when`."""
    match value:
        case "*":
            return Condition("*")
        case str():
            compared = _COMPARISON.fullmatch(value.strip())
            if compared is None and value.strip().startswith((">", "<", "!=")):
                raise refusal(f"{quoted(value)} compares with nothing", CONDITION_ALLOWED)
            return Condition("=", value) if compared is None else Condition(compared[1], float(compared[2]))
        case int() | float() | Decimal():
            return Condition("=", float(exact(int(value) if isinstance(value, bool) else value, CONDITION_ALLOWED)))
    raise refusal(f"{quoted(value)} is not a condition", CONDITION_ALLOWED)


def parse_span(value: object) -> tuple[float, float]:
    """Two different numbers."""
    allowed = "two different numbers, such as [20, 400]"
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise refusal(f"{quoted(value)} is not a range", allowed)
    low, high = (float(exact(end, allowed)) for end in value)
    if low == high:
        raise refusal(f"{quoted(value)} has no width", allowed)
    return low, high


def parse_number(value: object) -> float:
    """A finite number."""
    return float(exact(value, "a number"))


def parse_positive(value: object) -> float:
    """A number above 0, 1000 at most."""
    number = exact(value, "more than 0, at most 1000")
    if not 0 < number <= 1000:
        raise refusal(f"{quoted(value)} is out of range", "more than 0, at most 1000")
    return float(number)


def parse_argument_number(value: object) -> int:
    """Which argument, from 1."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 16:
        raise refusal(f"{quoted(value)} is not the number of an argument", "1 to 16")
    return value


def parse_table(value: object) -> Mapping[str, str]:
    """From what another device says to what is said here; keys and entries as ids are read."""
    if not isinstance(value, dict) or not value or len(value) > 1000:
        raise refusal(f"{quoted(value)} is not a table", 'such as { "1" = "tramp", "2" = "bunny" }')
    for key, entry in value.items():
        if isinstance(entry, bool) or not isinstance(entry, str | int) or not re.fullmatch(r"[^\s/]{1,64}", str(entry)):
            raise refusal(
                f"{quoted(entry)} at {quoted(key)} is not an id",
                'text without spaces and slashes; a key with a point in quotes: "5.5"',
            )
    return {str(key): str(entry) for key, entry in value.items()}


_NUMBER = WithJsonSchema({"type": "number"})
_SPAN = WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2})
_CONDITION = WithJsonSchema({"type": ["string", "number", "boolean"], "description": CONDITION_ALLOWED})
_TABLE = WithJsonSchema({"type": "object", "additionalProperties": {"type": ["string", "integer"]}})
_RANKS = ("desk", "sensor")

MapAddress = Annotated[str, PlainValidator(parse_map_address), WithJsonSchema({"type": "string", "pattern": "^/"})]
When = Annotated[Condition, PlainValidator(parse_condition), _CONDITION]
Number = Annotated[float, PlainValidator(parse_number), _NUMBER]
Positive = Annotated[float, PlainValidator(parse_positive), _NUMBER]
Range = Annotated[tuple[float, float], PlainValidator(parse_span), _SPAN]
ArgumentNumber = Annotated[int, PlainValidator(parse_argument_number), WithJsonSchema({"type": "integer"})]
Translation = Annotated[Mapping[str, str], PlainValidator(parse_table), _TABLE]
MapRank = Annotated[str, PlainValidator(choice(*_RANKS)), WithJsonSchema({"enum": list(_RANKS)})]

_SHAPES = ("input", "output", "curve", "smooth", "dead_band", "rate", "rest", "stale", "stuck", "argument")
_TRIGGERS = ("below", "hold")


class MapTable(BaseModel):
    """Another device's message, and the command it means here. Numbers only go through a chain where `do` has
    `{value}`, or where `above` makes triggers of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_address: MapAddress = Field(alias="from")
    do: Line
    rank: MapRank = "desk"  # a sensor gives way to people, and is let go when it falls silent
    when: tuple[When, ...] = ()  # what the first arguments must be
    table: Translation | None = None  # what the one placeholder in `do` stands for
    dedupe: Seconds | None = None  # the same again within so long, and while it goes on, counts once
    rearm: Seconds | None = None  # deaf for so long after it fired
    argument: ArgumentNumber = 1  # which one is the number
    input: Range | None = None  # what the device sends; anything outside is dropped
    output: Range | None = None  # what that becomes
    curve: Positive = 1.0
    smooth: Seconds | None = None
    dead_band: Number = 0.0
    rate: Positive = 30.0  # values a second, of a sensor
    above: Number | None = None
    below: Number | None = None
    hold: Seconds | None = None
    stale: Seconds | None = None  # of a sensor: 5 unless told
    stuck: Seconds | None = None
    rest: Number | None = None  # what a stale sensor leaves behind

    @property
    def takes_numbers(self) -> bool:
        """Whether the chain has something to do."""
        return self.above is not None or VALUE in placeholders(self.do)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        given = self.model_fields_set
        if self.above is not None and VALUE in placeholders(self.do):
            raise refusal(
                "fires above a threshold and passes a value on", f"above, or {{{VALUE}}} in do; two maps for both"
            )
        if not self.takes_numbers:
            for key in (key for key in _SHAPES if key in given):
                raise refusal(f"has {key}, and no number it is for", f"{{{VALUE}}} in do, or above")
        for key in (key for key in _TRIGGERS if key in given and self.above is None):
            raise refusal(f"has {key} without above", "above = ..., where it fires")
        if self.above is not None and self.below is not None and self.below > self.above:
            raise refusal("has below over above", "below = ... at most above")
        if self.output is not None and self.input is None:
            raise refusal("has output without input", "input = [0, 1023], what the device sends")
        if self.dedupe is not None and self.takes_numbers:
            raise refusal("has dedupe for a number", "dead_band, or rearm")
        if self.rearm is not None and VALUE in placeholders(self.do):
            raise refusal("has rearm for a value", "rate, so many a second")
        if self.dead_band < 0:
            raise refusal(f"has a dead_band of {self.dead_band:g}", "0 or more")
        return self
