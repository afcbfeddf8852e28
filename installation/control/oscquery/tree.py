"""The address space as OSCQuery tells it: a tree of nodes with attributes, as JSON has them. Pure.

Attributes and their forms are those of the proposal (github.com/Vidvox/OSCQueryProposal). A method has one TYPE there;
what else it takes, such as a fade, is in OVERLOADS. An address may be method and container at once: `/ai/film` takes an
id, `/ai/film/tramp` is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from installation.control.methods.addresses import AddressSpace, Target
from installation.control.methods.names import Names
from installation.control.methods.parameters import Parameter
from installation.control.methods.table import Method
from installation.show.roles import Role
from installation.show.status import Snapshot

Json = dict[str, object]

REQUIRED = ("FULL_PATH", "CONTENTS", "TYPE")
OPTIONAL = ("ACCESS", "VALUE", "RANGE", "DESCRIPTION", "TAGS", "UNIT", "CRITICAL", "CLIPMODE", "OVERLOADS")

_UNITS = {"s": "time.second"}  # as the proposal's list of units has it
_READ, _WRITE = 1, 2  # the bits of ACCESS
_PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks: ACCESS says what their role may do, and `percent` are those who count levels 0-100."""

    role: Role = Role.MAINTAIN
    percent: bool = False


@dataclass(slots=True)
class _Node:
    path: str
    target: Target | None = None
    children: dict[str, _Node] = field(default_factory=dict)


class Tree:
    """Every address of one show, and the containers they are in."""

    def __init__(self, space: AddressSpace) -> None:
        self._names = space.names
        self._fixed: dict[tuple[str, Reader], Json] = {}  # what never changes, for each kind of reader that came
        self._nodes = {"/": _Node("/")}
        for target in sorted(space.targets, key=lambda target: target.address):
            self._place(target.address).target = target

    def _place(self, path: str) -> _Node:
        """The node of a path, in its container."""
        node = self._nodes.get(path)
        if node is None:
            above, _, name = path.rpartition("/")
            node = self._nodes[path] = self._place(above or "/").children[name] = _Node(path)
        return node

    def __contains__(self, path: str) -> bool:
        """Whether there is a container or a method."""
        return path in self._nodes

    def describe(self, path: str, now: Snapshot, reader: Reader) -> Json:
        """A node of the tree with all it contains. Raises KeyError."""
        return self._described(self._nodes[path], now, reader)

    def attributes(self, path: str, now: Snapshot, reader: Reader) -> Json:
        """The attributes of one node, without what it contains. Raises KeyError."""
        target = self._nodes[path].target
        fixed = self._fixed.get((path, reader))
        if fixed is None:
            described = {"ACCESS": 0} if target is None else _method(target, self._names, reader)
            fixed = self._fixed[path, reader] = {"FULL_PATH": path, **described}
        return fixed | ({} if target is None else _present(target, now, reader))

    def _described(self, node: _Node, now: Snapshot, reader: Reader) -> Json:
        described = self.attributes(node.path, now, reader)
        if node.children:
            described["CONTENTS"] = {name: self._described(child, now, reader) for name, child in node.children.items()}
        return described


def _method(target: Target, names: Names, reader: Reader) -> Json:
    """What there is to say of one method, whatever its value."""
    method = target.method
    percent = reader.percent and method.is_level
    shortest, *longer = (_shape(form, names, percent=percent) for form in _forms(method.parameters))
    described: Json = {"ACCESS": _access(method, reader.role), **shortest}
    described["DESCRIPTION"] = f"{target.id}: {method.help}" if target.id else method.help
    described["TAGS"] = [_sort(method), method.role.word]
    if method.critical:
        described["CRITICAL"] = True
    if longer:
        described["OVERLOADS"] = longer
    return described


def _present(target: Target, now: Snapshot, reader: Reader) -> Json:
    """Its value, if it has one. T and F are one type, with the value in it."""
    method = target.method
    if method.feedback is not None:
        value = method.feedback(now, target.id)
    elif method.status is not None:
        value = method.status(now)
    else:
        return {}
    if isinstance(value, float) and reader.percent and method.is_level:
        value *= _PERCENT
    return {"VALUE": [value], "TYPE": "F"} if value is False else {"VALUE": [value]}


def _access(method: Method, role: Role) -> int:
    if method.only_read:
        return _READ
    return (_READ if method.feedback else 0) | (_WRITE if role >= method.role else 0)


def _sort(method: Method) -> str:
    """What a method is, in a word to search for."""
    if method.only_read:
        return "event" if method.event else "status"
    if method.strike is not None:
        return "trigger"
    return method.lane.value if method.lane is not None else "service"


def _forms(parameters: Sequence[Parameter]) -> Iterator[Sequence[Parameter]]:
    """The argument lists a method takes, shortest first. Even where all are optional the first one is shown."""
    least = max(1, sum(not parameter.optional for parameter in parameters))
    for count in range(least, len(parameters) + 1):
        yield parameters[:count]


def _shape(parameters: Sequence[Parameter], names: Names, *, percent: bool) -> Json:
    """TYPE, and of RANGE, CLIPMODE and UNIT what applies, with one entry for each argument."""
    shape: Json = {"TYPE": "".join(parameter.tag for parameter in parameters)}
    columns: dict[str, list[object]] = {
        "RANGE": [_range(parameter, names, percent and n == 0) for n, parameter in enumerate(parameters)],
        "CLIPMODE": [None if parameter.low is None else parameter.clip.value for parameter in parameters],
        "UNIT": [_UNITS.get(parameter.unit) for parameter in parameters],
    }
    return shape | {name: column for name, column in columns.items() if any(each is not None for each in column)}


def _range(parameter: Parameter, names: Names, percent: bool) -> Json | None:
    if parameter.choices:
        return {"VALS": list(parameter.choices)}
    if parameter.kind is not None:
        return {"VALS": sorted(names.known(parameter.kind))}
    if parameter.low is None or parameter.high is None:
        return None
    number = int if parameter.tag == "i" else float
    scale = _PERCENT if percent else 1
    return {"MIN": number(parameter.low * scale), "MAX": number(parameter.high * scale)}
