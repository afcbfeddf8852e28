"""`afterimage check`: what would keep a show from running well, in plain words, with what to do.

A check is a function that returns findings; rooms that this one may not import (networks, rendering) give theirs as
functions, or measure and have the `judge_...` functions below say what it means. Red is what would stop or spoil the
show, amber what a technician should know, green the rest.

    findings = examine([show_check, *room_checks(room)])
    print_report(findings, Console())
    exit_code = 0 if healthy(findings) else 1
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from installation.errors import AfterimageError, ShowError

_SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swiftshader", "software rasterizer")
_TIGHT = Fraction(3, 4)  # of a frame's time spent decoding: late frames follow when the machine is warm or busy


class Level(Enum):
    """How bad, and the colour it is shown in."""

    GREEN = "green"
    AMBER = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, how it is, and what to do if that is not good."""

    level: Level
    title: str
    detail: str = ""
    advice: str = ""


Check = Callable[[], Sequence[Finding]]


def examine(checks: Iterable[Check]) -> list[Finding]:
    """The findings of all checks, in order. A check that fails with one of our errors is a red finding itself."""
    findings: list[Finding] = []
    for check in checks:
        try:
            findings.extend(check())
        except ShowError as error:
            findings.extend(
                Finding(Level.RED, "show", f"{each.place}: {each.wrong}", each.allowed) for each in error.problems
            )
        except (AfterimageError, OSError) as error:
            findings.append(Finding(Level.RED, _title(check), str(error)))
    return findings


def _title(check: Check) -> str:
    """A check's own name, in words."""
    function = check.func if isinstance(check, partial) else check
    return str(getattr(function, "__name__", "check")).strip("_").replace("_", " ")


def healthy(findings: Iterable[Finding]) -> bool:
    """Whether the show would run well: nothing is red."""
    return all(finding.level is not Level.RED for finding in findings)


def print_report(findings: Sequence[Finding], console: Console) -> None:
    """The findings as a table, and one line to sum up."""
    table = Table(box=None, show_header=False, padding=(0, 1))
    for _ in range(3):
        table.add_column(overflow="fold")
    for finding in findings:
        mark = f"[{finding.level.value}]{finding.level.name.lower()}[/]"
        advice = f"\n[bold]{escape(finding.advice)}[/]" if finding.advice else ""
        table.add_row(mark, escape(finding.title), escape(finding.detail) + advice)
    console.print(table)
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    if counts[Level.RED]:
        console.print(f"[red]The show would not run well: {counts[Level.RED]} to mend.[/]")
    elif counts[Level.AMBER]:
        console.print(f"[green]The show will run.[/] {counts[Level.AMBER]} to know about.")
    else:
        console.print("[green]The show will run.[/]")


def judge_renderer(renderer: str) -> Finding:
    """What an OpenGL renderer's name means for the picture."""
    if any(name in renderer.lower() for name in _SOFTWARE_RENDERERS):
        advice = "large pictures may be late: install the graphics driver, or see that /dev/dri is there and readable"
        return Finding(Level.AMBER, "graphics", f"{renderer}: drawn by the processor", advice)
    return Finding(Level.GREEN, "graphics", renderer)


def judge_decoding(median_ms: float, fps: Fraction, provider: str, imagined: Fraction | None = None) -> Finding:
    """Whether frames are decoded (`median_ms` each) fast enough for a film of `fps` frames a second.

    A scene may ask for more pictures than the film has (`imagined` a second, by `motion`); it then gets what it can.
    """
    budget_ms = float(1000 / fps)
    detail = f"{median_ms:.1f} ms a frame on {provider}; the film has a frame every {budget_ms:.1f} ms"
    if median_ms > budget_ms:
        advice = "frames will be late: use a smaller decoder (decoder.int8.onnx) or a faster machine"
        return Finding(Level.RED, "decoding", detail, advice)
    if median_ms > budget_ms * _TIGHT:
        return Finding(Level.AMBER, "decoding", detail, "little is left for the rest: close other programs")
    if imagined is not None and median_ms > float(1000 / imagined):
        advice = (
            f"a scene's motion asks for {float(imagined):g} pictures a second and will get about {1000 / median_ms:.0f}"
        )
        return Finding(Level.AMBER, "decoding", detail, advice)
    return Finding(Level.GREEN, "decoding", detail)


def judge_monitors(found: Sequence[tuple[str, tuple[int, int]]], wanted: Sequence[str]) -> list[Finding]:
    """Whether the monitors that the outputs name (or "first") are among those found: (name, (width, height))."""
    shown = ", ".join(f"{name} ({width}x{height})" for name, (width, height) in found)
    if not found:
        advice = "switch the projector on, check the cable; the show waits in black until one appears"
        return [Finding(Level.AMBER, "monitors", "none is attached", advice)]
    names = {name for name, _ in found} | {"first"} | {str(index) for index in range(len(found))}
    missing = [name for name in wanted if name not in names]
    findings = [Finding(Level.GREEN, "monitors", shown)]
    advice = f"pick one of: {shown}"
    findings += [
        Finding(Level.RED, "monitors", f"outputs name {name!r}, which is not attached", advice) for name in missing
    ]
    if len(wanted) > 1:
        detail = f"the show has {len(wanted)} outputs; this version plays on the first of them, {wanted[0]!r}, alone"
        findings.append(Finding(Level.AMBER, "outputs", detail, "let the graphics driver join or mirror the monitors"))
    if len(found) > 1 and "first" in wanted:
        advice = "name the monitor in [[outputs]]: which one is first may change"
        findings.append(
            Finding(Level.AMBER, "monitors", f"{len(found)} are attached and the show takes the first", advice)
        )
    return findings
