"""Where an address leads: the table of methods, spelled out with the ids of one show. And commands from typed lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from installation.control.methods.gestures import Arguments, Strike
from installation.control.methods.names import Names
from installation.control.methods.table import METHODS, Call, Method
from installation.control.osc.messages import read_argument, split_line
from installation.control.osc.patterns import AddressTree, is_pattern
from installation.errors import CommandRefused
from installation.show.commands import Command
from installation.show.roles import Role

DEFAULT_ROOT = "/ai"


class UnknownAddress(CommandRefused):
    """An address under the root that means nothing. Its text is only made when somebody reads it."""

    def __init__(self, address: str, root: str) -> None:
        super().__init__("unknown-address", "")
        self._address = address[:128]
        self._root = root

    def __str__(self) -> str:
        known = [self._root + method.path for method in METHODS]
        near = get_close_matches(self._address, known, n=3, cutoff=0.5)
        hint = f"near it: {', '.join(near)}" if near else f"all begin with {self._root}/"
        return f"no address {self._address}; {hint}"


@dataclass(frozen=True, slots=True)
class Order:
    """A command, and the row of the table it came from."""

    command: Command
    method: Method


@dataclass(frozen=True, slots=True)
class Target:
    """A method, and the id its address holds ("" for none)."""

    address: str
    method: Method
    id: str = ""


class AddressSpace:
    """Every address of one show."""

    def __init__(self, names: Names, root: str = DEFAULT_ROOT) -> None:
        self.names = names
        self.root = root
        self._targets = {target.address: target for target in self._spelled_out()}
        # A pattern means what can be done: nobody is refused for what only the show itself says.
        self._tree = AddressTree(
            {address: target for address, target in self._targets.items() if not target.method.only_read}
        )

    def _spelled_out(self) -> Iterator[Target]:
        """Placeholders first, so that an address that is spelled out in the table wins over an id of the same name."""
        for method in sorted(METHODS, key=lambda method: method.kind is None):
            if method.kind is None:
                yield Target(method.address(self.root), method)
                continue
            for name in sorted(self.names.known(method.kind)):
                yield Target(method.address(self.root, name), method, name)

    def __contains__(self, address: str) -> bool:
        """Whether an address is ours to answer for."""
        return address.startswith(self.root) and address[len(self.root) : len(self.root) + 1] in ("", "/")

    def find(self, address: str) -> Target:
        """Where one address leads. A trailing `/` is dropped. Raises CommandRefused."""
        address = address.rstrip("/")
        target = self._targets.get(address)
        return target if target is not None else self._by_shape(address)

    def _by_shape(self, address: str) -> Target:
        """For ids that are written another way (2.0 for 2), or not known at all."""
        parts = address[len(self.root) :].split("/")
        for method in METHODS:
            if method.kind is not None and _fits(method, parts):
                given = parts[method.path.split("/").index(f"<{method.kind}>")]
                return Target(address, method, self.names.find(method.kind, given))
        raise UnknownAddress(address, self.root)

    def expand(self, pattern: str) -> tuple[tuple[Target, ...], int]:
        """Where a pattern leads, and how many steps of matching it took."""
        addresses, steps = self._tree.expand(pattern)
        return tuple(self._targets[address] for address in addresses), steps

    @property
    def targets(self) -> tuple[Target, ...]:
        """All of them."""
        return tuple(self._targets.values())


def find_row(address: str, root: str = DEFAULT_ROOT) -> Method:
    """The row of the table that an address under the root is in, whatever its id. Raises UnknownAddress."""
    parts = address.rstrip("/")[len(root) :].split("/")
    rows = sorted(METHODS, key=lambda method: method.kind is not None)  # what is spelled out wins over an id
    row = next((method for method in rows if _fits(method, parts)), None)
    if row is None:
        raise UnknownAddress(address, root)
    return row


def _fits(method: Method, parts: Sequence[str]) -> bool:
    """Whether the parts of a path are those of a row; any part can be an id."""
    shape = method.path.split("/")
    return len(shape) == len(parts) and all(
        want == part or (want == f"<{method.kind}>" and part != "") for want, part in zip(shape, parts, strict=True)
    )


def parse_line(line: str, names: Names, root: str = DEFAULT_ROOT) -> Command:
    """The command a typed line means: what one writes after `afterimage send /ai/`.

    "scene/visit" or "brightness 0.2 3", in cue lines, keys and `do`. A leading root is accepted. Raises CommandRefused,
    saying what is wrong and what is allowed.
    """
    return read_line(line, AddressSpace(names, root), Role.MAINTAIN).command


def read_line(line: str, space: AddressSpace, role: Role) -> Order:
    """What a line means that somebody in that role typed. Raises CommandRefused, as `parse_line`."""
    words = line_words(line)
    path, arguments = words[0].removeprefix(f"{space.root}/"), tuple(map(read_argument, words[1:]))
    target = space.find(space.root + own_path(path))
    target.method.demand(role)
    if target.method.strike is not None and target.method.strike(arguments) is Strike.REST:
        raise CommandRefused("line", f'"{line}" never does anything: 0 does not fire; leave it out, or write 1')
    return read_order(target, arguments, space.names, role)


def line_words(line: str) -> list[str]:
    """The words of a typed line, at least one. Raises CommandRefused."""
    try:
        words = split_line(line)
    except ValueError:
        raise CommandRefused("line", f'"{line}" has a quote that is never closed') from None
    if not words:
        raise CommandRefused("line", 'an empty line; write a command such as "scene/visit" or "brightness 0.2 3"')
    return words


def own_path(word: str) -> str:
    """The first word of a line as a path under the root. Raises CommandRefused."""
    path = "/" + word.strip("/")
    if is_pattern(path):
        raise CommandRefused("line", f'"{word}" is a pattern; write one command a line')
    return path


def read_order(target: Target, arguments: Arguments, names: Names, role: Role = Role.MAINTAIN) -> Order:
    """The command a target and its arguments mean. Raises CommandRefused."""
    request = target.method.read(Call(target.id, arguments, names, role=role))
    if not isinstance(request, Command):
        raise CommandRefused("line", f'"{target.method.path[1:]}" is not a command; it only makes sense over OSC')
    return Order(request, target.method)
