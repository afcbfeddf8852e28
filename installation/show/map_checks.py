"""What a show's map would do: whether every line it can make is a command, and whether it listens to ourselves.

A line with placeholders is tried with every entry of its table, with the ends of its range, and where nobody knows what
will come, with a 1: then an id that does not exist is no mistake of the show's.
"""

from __future__ import annotations

from collections.abc import Iterator

from installation.show.config_mapping import VALUE, MapTable, placeholders

ANYTHING = "1"
REPEATING = "/eos/out/active/"


def tried_lines(entry: MapTable) -> Iterator[tuple[str, bool]]:
    """Lines that this entry would say, each with whether an unknown id in it would be a mistake."""
    open_names = [name for name in placeholders(entry.do) if name != VALUE]
    fillings = list(entry.table.values()) if entry.table else [ANYTHING]
    values: tuple[float, ...] = entry.output or entry.input or (0.5,)
    if entry.rest is not None:
        values = (*values, entry.rest)
    for filling in fillings:
        for value in values if VALUE in placeholders(entry.do) else values[:1]:
            line = entry.do.replace(f"{{{VALUE}}}", f"{value:.9g}")
            for name in open_names:
                line = line.replace(f"{{{name}}}", filling)
            yield line, bool(entry.table) or not open_names


def wrong_shape(entry: MapTable, root: str) -> Iterator[tuple[str, str, str]]:
    """What is wrong with an entry by itself: the key, what is wrong, what is allowed."""
    captured = placeholders(entry.from_address)
    for name in placeholders(entry.do):
        if name != VALUE and not name.isdigit() and name not in captured:
            allowed = ", ".join(f"{{{each}}}" for each in captured) or "a part of from in braces"
            yield "do", f"{{{name}}} is not in from", f"{allowed}; {{1}} for an argument, {{{VALUE}}} for a number"
    names = [name for name in placeholders(entry.do) if name != VALUE]
    if entry.table is not None and len(names) != 1:
        yield "table", f"do has {len(names)} placeholders for it", "exactly one, such as {cue}"
    if _is_ours(entry.from_address, root):
        yield "from", f"{entry.from_address} is an address of this show: it would hear itself", f"one outside {root}/"
    fires = VALUE not in placeholders(entry.do)
    if fires and entry.from_address.startswith(REPEATING) and entry.dedupe is None:
        allowed = "/eos/out/event/cue/<list>/<cue>/fire, or dedupe = 2"
        yield "from", f"Eos repeats {entry.from_address} every second: it would fire for ever", allowed


def _is_ours(address: str, root: str) -> bool:
    """Whether an address, or one that its captures stand for, is under the root."""
    parts, own = address.split("/"), root.split("/")
    return len(parts) > len(own) and all(
        part == mine or part.startswith("{") for part, mine in zip(parts, own, strict=False)
    )
