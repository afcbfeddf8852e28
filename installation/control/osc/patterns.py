"""OSC address patterns, matched in time linear in the pattern.

`?`, `*`, `[a-z]`, `[!a-z]`, `{left,right}`, and `//` of OSC 1.1 for any number of levels. What stands between two
slashes is matched against a name by a set of positions, held as the bits of an integer: no regular expression, no
backtracking, one step for each character of the pattern. Steps are counted, so that whoever sends an expensive pattern
is charged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

_SPECIAL = frozenset("?*[{")
_Positions = int  # bit n: the pattern so far can end before character n of the name


class Name:
    """One part of a known address, ready to be matched: for each character, the bits of the positions it stands at."""

    __slots__ = ("end", "text", "where")

    def __init__(self, text: str) -> None:
        self.text = text
        self.end = len(text)
        self.where: dict[str, _Positions] = {}
        for n, char in enumerate(text):
            self.where[char] = self.where.get(char, 0) | 1 << n


_Step = Callable[[Name, _Positions], _Positions]


def is_pattern(address: str) -> bool:
    """Whether this address means more than itself."""
    return "//" in address or not _SPECIAL.isdisjoint(address)


class SegmentPattern:
    """What stands between two slashes. A bracket without its end matches nothing."""

    def __init__(self, text: str) -> None:
        self.cost = len(text) + 1
        self._steps = _compile(text)

    def matches(self, name: Name) -> bool:
        """Whether the whole name fits; at most `cost` steps."""
        if self._steps is None:
            return False
        positions = 1
        for step in self._steps:
            positions = step(name, positions)
            if not positions:
                return False
        return bool(positions >> name.end & 1)


def _compile(text: str) -> tuple[_Step, ...] | None:
    """One function for each token; None when a bracket has no end."""
    steps: list[_Step] = []
    at = 0
    while at < len(text):
        char = text[at]
        closing = {"[": "]", "{": "}"}.get(char)
        end = text.find(closing, at + 1) if closing else at
        if end < 0:
            return None
        steps.append(_token(char, text[at + 1 : end]))
        at = end + 1
    return tuple(steps)


def _token(char: str, inside: str) -> _Step:
    match char:
        case "*":
            return _any_run
        case "?":
            return _any_one
        case "[":
            return _one_of(inside)
        case "{":
            words = inside.split(",")
            return lambda name, positions: _any_word(name, positions, words)
    return lambda name, positions: (positions & name.where.get(char, 0)) << 1


def _any_run(name: Name, positions: _Positions) -> _Positions:
    """`*`: every position from the first one on."""
    return (2 << name.end) - (positions & -positions)


def _any_one(name: Name, positions: _Positions) -> _Positions:
    """`?`: one character further."""
    return (positions << 1) & ((2 << name.end) - 1)


def _one_of(inside: str) -> _Step:
    """`[abc]`, `[a-z]`, `[!0-9]`. A minus at either end is itself."""
    negated = inside.startswith("!")
    allowed = _characters(inside[negated:])

    def step(name: Name, positions: _Positions) -> _Positions:
        fits = 0
        for char, where in name.where.items():
            if (char in allowed) != negated:
                fits |= where
        return (positions & fits) << 1

    return step


def _characters(inside: str) -> frozenset[str]:
    chars: set[str] = set()
    at = 0
    while at < len(inside):
        if at + 2 < len(inside) and inside[at + 1] == "-":
            low, high = sorted((ord(inside[at]), ord(inside[at + 2])))
            chars.update(map(chr, range(low, high + 1)))
            at += 3
        else:
            chars.add(inside[at])
            at += 1
    return frozenset(chars)


def _any_word(name: Name, positions: _Positions, words: Iterable[str]) -> _Positions:
    """`{left,right}`: any of these words."""
    after = 0
    for word in words:
        here = positions
        for char in word:
            here = (here & name.where.get(char, 0)) << 1
        after |= here
    return after


@dataclass(slots=True)
class _Node:
    address: str
    name: Name
    children: dict[str, _Node] = field(default_factory=dict)
    known: bool = False

    def descendants(self) -> Iterator[_Node]:
        yield self
        for child in self.children.values():
            yield from child.descendants()


class AddressTree:
    """Known addresses, for a pattern to pick from."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self._top = _Node("", Name(""))
        for address in addresses:
            node = self._top
            for name in address.strip("/").split("/"):
                node = node.children.setdefault(name, _Node(f"{node.address}/{name}", Name(name)))
            node.known = True

    def expand(self, pattern: str) -> tuple[tuple[str, ...], int]:
        """The known addresses this pattern means, in the order they were given, and how many steps it took."""
        nodes = {"": self._top}
        steps = 0
        for part in pattern.rstrip("/")[1:].split("/"):
            if not part:  # `//`
                nodes = {below.address: below for node in nodes.values() for below in node.descendants()}
                steps += len(nodes)
                continue
            segment = SegmentPattern(part)
            candidates = [child for node in nodes.values() for child in node.children.values()]
            nodes = {child.address: child for child in candidates if segment.matches(child.name)}
            steps += segment.cost * (len(candidates) + 1)
            if not nodes:
                break
        return tuple(address for address, node in nodes.items() if node.known), steps
