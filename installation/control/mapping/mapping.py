"""Other devices' messages to our commands, by the show's map. Pure: `feed` a message, `due` as time goes by.

Only addresses outside the root come here, and only commands leave, so that nothing can go round in a circle. What the
network says fills places that the show's author left open, a whole part of an address or a whole argument; it is never
read as a line.
"""

from __future__ import annotations

import re
from collections import abc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from installation.control.mapping.rules import MapRule
from installation.control.mapping.sensors import Follower, Level, Shaping, Threshold
from installation.control.methods.addresses import AddressSpace, Order, line_words, own_path, read_order
from installation.control.methods.gestures import Arguments, Strike, read_strike
from installation.control.methods.names import read_id
from installation.control.osc.messages import read_argument
from installation.control.osc.packets import Argument, Message
from installation.control.settings import Source
from installation.errors import CommandRefused
from installation.show.commands import Command, Rank, SetBrightness, SetSpeed, SetVolume, Steer

Translation = abc.Mapping[str, str]
MAX_CHAINS = 64  # of one rule: what one `from` with captures may stand for at once
EASE_S = 2.0  # a stale sensor's value goes back to the film
VALUE = "value"
_NEUTRAL: dict[type[Command], float] = {Steer: 0.0, SetBrightness: 1.0, SetVolume: 1.0, SetSpeed: 1.0}
_PLACE = re.compile(r"\{(\w+)\}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wish:
    """A command somebody's message stands for. `strike` is None for values: they pass no trigger gate."""

    source: Source
    order: Order
    strike: Strike | None
    rank: Rank


@dataclass(frozen=True, slots=True)
class Unheard:
    """A message that was mapped, and cannot be obeyed."""

    source: Source
    error: CommandRefused


class Mapping:
    """A show's map at work. One thread at a time."""

    def __init__(self, rules: Sequence[MapRule], space: AddressSpace) -> None:
        self._exact: dict[str, list[_Rule]] = {}
        self._captures: dict[int, list[_Rule]] = {}
        self._rules = [_Rule(rule, space) for rule in rules]
        for rule in self._rules:
            if rule.captures:
                self._captures.setdefault(len(rule.parts), []).append(rule)
            else:
                self._exact.setdefault(rule.address, []).append(rule)

    @property
    def needs_time(self) -> bool:
        """Whether `due` ever has something to say."""
        return any(rule.shaped for rule in self._rules)

    def feed(self, message: Message, source: Source, now_ns: int) -> list[Wish | Unheard] | None:
        """What a message outside the root stands for; None when the map does not know it."""
        heard = self._known(message.address.rstrip("/"))
        if not heard:
            return None
        wishes: list[Wish | Unheard] = []
        for rule, found in heard:
            try:
                wishes += rule.hear(found, message.arguments, source, now_ns)
            except CommandRefused as error:
                wishes.append(Unheard(source, error))
        return wishes

    def _known(self, address: str) -> list[tuple[_Rule, dict[str, str]]]:
        """The rules for an address, each with what it captures."""
        heard: list[tuple[_Rule, dict[str, str]]] = [(rule, {}) for rule in self._exact.get(address, ())]
        if self._captures:
            parts = address.split("/")
            for rule in self._captures.get(len(parts), ()):
                found = rule.fits(parts)
                if found is not None:
                    heard.append((rule, found))
        return heard

    def due(self, now_ns: int) -> list[Wish | Unheard]:
        """What time makes of what was heard."""
        wishes: list[Wish | Unheard] = []
        for rule in self._rules:
            wishes += rule.due(now_ns)
        return wishes


@dataclass(slots=True)
class _Chain:
    """The chain of one rule and one filling of its places."""

    worker: Follower | Threshold
    places: dict[str, str]
    source: Source


class _Rule:
    """A rule, ready to be used."""

    def __init__(self, rule: MapRule, space: AddressSpace) -> None:
        self.address = rule.address
        self.parts = rule.address.split("/")
        self.captures = [part[1:-1] if part.startswith("{") else None for part in self.parts]
        self.captures = self.captures if any(self.captures) else []
        self.shaped = rule.shaping is not None
        self._rule = rule
        self._space = space
        self._words = line_words(rule.line)
        self._places = tuple(dict.fromkeys(name for name in _PLACE.findall(rule.line) if name != VALUE))
        self._chains: dict[tuple[str, ...], _Chain] = {}
        self._newest: tuple[Command, int] | None = None
        self._fired: dict[Command, int] = {}

    def fits(self, parts: Sequence[str]) -> dict[str, str] | None:
        """What the captures are in an address of as many parts; None when it is another address."""
        found: dict[str, str] = {}
        for name, mine, part in zip(self.captures, self.parts, parts, strict=True):
            if name is not None:
                found[name] = part
            elif mine != part:
                return None
        return found

    def hear(self, captured: dict[str, str], arguments: Arguments, source: Source, now_ns: int) -> Iterator[Wish]:
        """What one message makes. Raises CommandRefused."""
        holds = self._holds(arguments)
        places = self._filled(captured, arguments)
        if places is None:
            return
        if self.shaped:
            if holds:
                yield from self._number(places, arguments, source, now_ns)
            return
        strike = self._strike(arguments, holds=holds)
        if strike is None:
            return
        order = self._order(places, None)
        if strike is Strike.REST or self._is_fresh(order.command, now_ns):
            yield Wish(source, order, strike, self._rule.rank)

    def _holds(self, arguments: Arguments) -> bool:
        conditions = self._rule.when
        if not conditions:
            return True
        present = (*arguments, *(None for _ in range(len(conditions) - len(arguments))))
        return all(condition.holds(argument) for condition, argument in zip(conditions, present, strict=False))

    def _filled(self, captured: dict[str, str], arguments: Arguments) -> dict[str, str] | None:
        """What stands for each place; None when there is nothing to put there."""
        filled: dict[str, str] = {}
        for name in self._places:
            text = captured.get(name) if not name.isdigit() else _argument_text(arguments, int(name))
            if text is not None and self._rule.table is not None:
                text = _translated(self._rule.table, text)
            if text is None:
                return None
            if len(text) > 64 or "/" in text:
                raise CommandRefused("arguments", f'"{text[:40]}" is not an id')
            filled[name] = text
        return filled

    def _strike(self, arguments: Arguments, *, holds: bool) -> Strike | None:
        """How a message strikes: by its first argument, unless the show says what to look at."""
        by_id = any(name.isdigit() for name in self._places)
        if not self._rule.when:
            return Strike.FIRE if by_id else read_strike(arguments)
        first = arguments[0] if arguments else None
        if holds:
            return Strike.LEVEL if isinstance(first, float) and not by_id else Strike.FIRE
        return Strike.REST if isinstance(first, float | int) and not by_id else None

    def _is_fresh(self, command: Command, now_ns: int) -> bool:
        """Whether this is not what has been said a moment ago, and the rule is not deaf after firing."""
        newest, self._newest = self._newest, (command, now_ns)
        if newest is not None and newest[0] == command and now_ns - newest[1] < self._rule.dedupe_ns:
            return False
        if self._rule.rearm_ns:
            fired_ns = self._fired.get(command)
            if fired_ns is not None and now_ns - fired_ns < self._rule.rearm_ns:
                return False
            if len(self._fired) >= MAX_CHAINS:
                self._fired.clear()
            self._fired[command] = now_ns
        return True

    def _number(self, places: dict[str, str], arguments: Arguments, source: Source, now_ns: int) -> Iterator[Wish]:
        number = _argument_number(arguments, self._rule.argument)
        if number is None:
            return
        chain = self._chain(places, source)
        yield from self._said(chain, chain.worker.feed(number, now_ns))

    def _chain(self, places: dict[str, str], source: Source) -> _Chain:
        key = tuple(places.values())
        chain = self._chains.get(key)
        if chain is None:
            if len(self._chains) >= MAX_CHAINS:
                raise CommandRefused("full", f"{self.address}: {MAX_CHAINS} different ones already")
            self._order(places, self._resting(places))  # whoever means nothing gets no chain
            chain = self._chains[key] = _Chain(self._worker(places), places, source)
        chain.source = source
        return chain

    def _worker(self, places: dict[str, str]) -> Follower | Threshold:
        shaping = self._rule.shaping or Shaping()
        return Follower(shaping, self._resting(places)) if shaping.above is None else Threshold(shaping)

    def _resting(self, places: dict[str, str]) -> float | None:
        """Where this value belongs when nobody says anything; None for those that stay where they are."""
        shaping = self._rule.shaping or Shaping()
        if shaping.above is not None or self._rule.rest is not None:
            return self._rule.rest
        sample = (shaping.output or shaping.plausible or (0.5,))[0]
        return _NEUTRAL.get(type(self._order(places, sample).command))

    def due(self, now_ns: int) -> list[Wish | Unheard]:
        """What time makes of the numbers heard."""
        wishes: list[Wish | Unheard] = []
        for chain in self._chains.values():
            try:
                wishes += self._said(chain, chain.worker.step(now_ns))
            except CommandRefused as error:
                wishes.append(Unheard(chain.source, error))
        return wishes

    def _said(self, chain: _Chain, said: Level | bool | None) -> Iterator[Wish]:
        rank = self._rule.rank
        match said:
            case True:
                yield Wish(chain.source, self._order(chain.places, None), Strike.FIRE, rank)
            case Level(float() as value):
                yield Wish(chain.source, self._order(chain.places, value), None, rank)
            case Level(None):
                resting = self._resting(chain.places)
                if resting is not None:
                    order = self._order(chain.places, resting)
                    yield Wish(chain.source, replace(order, command=_eased(order.command)), None, rank)

    def _order(self, places: dict[str, str], value: float | None) -> Order:
        """The command, with every place filled. Raises CommandRefused."""
        first, *others = self._words
        path = own_path(_fill(first.removeprefix(f"{self._space.root}/"), places))
        target = self._space.find(self._space.root + path)
        arguments = tuple(
            value if word == f"{{{VALUE}}}" and value is not None else read_argument(_fill(word, places))
            for word in others
        )
        return read_order(target, arguments, self._space.names)


def _fill(word: str, places: dict[str, str]) -> str:
    return _PLACE.sub(lambda place: places.get(place[1], place[0]), word)


def _argument_text(arguments: Arguments, number: int) -> str | None:
    return read_id(arguments[number - 1]) if len(arguments) >= number else None


def _argument_number(arguments: Arguments, number: int) -> float | None:
    """An argument as a number; true and false are 1 and 0."""
    argument: Argument = arguments[number - 1] if len(arguments) >= number else None
    return float(argument) if isinstance(argument, int | float) else None


def _translated(table: Translation, text: str) -> str | None:
    """What the table says of a text; 2.0 is 2 here too."""
    whole, _, decimals = text.partition(".")
    return table.get(text) or (table.get(whole) if decimals and not decimals.strip("0") else None)


def _eased(command: Command) -> Command:
    """The same, slowly, if it can be."""
    match command:
        case Steer() | SetBrightness() | SetVolume():
            return replace(command, fade=max(command.fade, EASE_S))
    return command
