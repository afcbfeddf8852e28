"""What a show's map would need for what is heard: `afterimage monitor --learn`. Pure: messages in, TOML out."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

from installation.control.osc.messages import printable
from installation.control.osc.packets import Argument, Message
from installation.show.config_mapping import parse_map_address
from installation.show.map_checks import REPEATING

MAX_ADDRESSES = 256
_BUTTON = (0.0, 1.0)


@dataclass(slots=True)
class _Heard:
    """Everything one address said."""

    hosts: set[str]
    arguments: tuple[Argument, ...]
    times: int = 0
    low: float = 0.0
    high: float = 0.0
    moves: bool = False  # numbers between off and on: a fader or a sensor, not a button

    def take(self, arguments: tuple[Argument, ...]) -> None:
        first = arguments[0] if arguments else None
        self.arguments = arguments
        self.times += 1
        if isinstance(first, int | float) and not isinstance(first, bool):
            number = float(first)
            self.low, self.high = (
                (number, number) if self.times == 1 else (min(self.low, number), max(self.high, number))
            )
            self.moves |= isinstance(first, float) and number not in _BUTTON


class Lesson:
    """What was heard so far. `root`: what is under it is the show's own, and needs no map."""

    def __init__(self, root: str) -> None:
        self._root = f"{root}/"
        self._heard: dict[str, _Heard] = {}

    def hear(self, message: Message, host: str) -> str | None:
        """The line for an address that is new; None for one that is known."""
        address = message.address.rstrip("/")
        if address.startswith(self._root):
            return None
        known = self._heard.get(address)
        if known is None and len(self._heard) >= MAX_ADDRESSES:
            return None
        heard = known or self._heard.setdefault(address, _Heard(set(), ()))
        if len(heard.hosts) < 4:
            heard.hosts.add(host)
        heard.take(message.arguments)
        return None if known else self._line(address, heard)

    def summary(self) -> list[str]:
        """A line for every address, with what was learned since."""
        return [self._line(address, heard) for address, heard in self._heard.items()]

    def _line(self, address: str, heard: _Heard) -> str:
        comment = f"# from {', '.join(sorted(heard.hosts))}; {_shown(heard.arguments)}"
        comment += f"; {heard.times} times" if heard.times > 1 else ""
        try:
            parse_map_address(address)
        except PydanticCustomError:
            return f"# {address} has characters that no map takes  {comment}"
        if address.startswith(REPEATING):
            return f"# {address} repeats every second; map the event instead  {comment}"
        return f"{_entry(address, heard)}  {comment}"


def _entry(address: str, heard: _Heard) -> str:
    """A line for `[control] map`; what it does is for the author to say."""
    start = f"{{ from = {json.dumps(address)}, "
    if not heard.moves:
        return start + 'do = "go" },'
    if heard.low >= 0 and heard.high <= 1:
        return start + 'do = "brightness {value}" },'
    ends = "" if heard.low == heard.high else f", input = [{heard.low:g}, {heard.high:g}], output = [0, 1]"
    return start + f'do = "brightness {{value}}"{ends} }},'


def _shown(arguments: tuple[Argument, ...]) -> str:
    if not arguments:
        return "no arguments"
    return printable(" ".join(str(argument)[:40] for argument in arguments[:8]))
