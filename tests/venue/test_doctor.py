"""The report says in colours what is wrong and what to do, and a check that fails does not end it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from functools import partial

import pytest
from rich.console import Console

from installation.errors import Problem, ShowError, UnavailableError
from installation.venue.doctor import (
    Finding,
    Level,
    examine,
    healthy,
    judge_decoding,
    judge_monitors,
    judge_renderer,
    print_report,
)

GOOD = Finding(Level.GREEN, "model", "bunny")
ODD = Finding(Level.AMBER, "clock", "not synchronised [yet]", "timedatectl set-ntp true")
BAD = Finding(Level.RED, "controls", "port taken", "stop the other player")


def printed(findings: Sequence[Finding]) -> str:
    out = io.StringIO()
    print_report(findings, Console(file=out, width=120))
    return out.getvalue()


def test_errors_become_red_findings_and_the_rest_goes_on() -> None:
    def show() -> Sequence[Finding]:
        raise ShowError(
            [Problem("demo.toml: model", "is not a folder", "a folder"), Problem("demo.toml: title", "is a number")]
        )

    def self_test() -> Sequence[Finding]:
        raise UnavailableError("provider: got 'cuda'; pick cpu")

    findings = examine([show, partial(self_test), lambda: [GOOD]])
    assert [finding.level for finding in findings] == [Level.RED, Level.RED, Level.RED, Level.GREEN]
    assert findings[0].detail == "demo.toml: model: is not a folder"
    assert findings[0].advice == "a folder"
    assert findings[2].title == "self test"


def test_a_fault_of_ours_is_not_hidden() -> None:
    def broken() -> Sequence[Finding]:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        examine([broken])


def test_only_red_is_unhealthy() -> None:
    assert healthy([GOOD, ODD])
    assert not healthy([GOOD, BAD])


def test_the_report_names_everything() -> None:
    text = printed([GOOD, ODD, BAD])
    for word in ("green", "amber", "red", "not synchronised [yet]", "stop the other player", "1 to mend"):
        assert word in text
    assert "The show will run. 1 to know about" in printed([GOOD, ODD])
    assert printed([GOOD]).splitlines()[-1] == "The show will run."


@pytest.mark.parametrize(
    ("renderer", "level"),
    [("llvmpipe (LLVM 15.0.6, 256 bits)", Level.AMBER), ("Mesa Intel(R) UHD Graphics 630", Level.GREEN)],
)
def test_software_rendering_is_amber(renderer: str, level: Level) -> None:
    assert judge_renderer(renderer).level is level


@pytest.mark.parametrize(("ms", "level"), [(10.0, Level.GREEN), (35.0, Level.AMBER), (45.0, Level.RED)])
def test_decoding_is_measured_against_the_film(ms: float, level: Level) -> None:
    finding = judge_decoding(ms, Fraction(25), "CPU")
    assert finding.level is level
    assert "every 40.0 ms" in finding.detail


@pytest.mark.parametrize(("rate", "level"), [(60, Level.AMBER), (30, Level.GREEN)])
def test_imagined_pictures_may_be_fewer_than_asked_for(rate: int, level: Level) -> None:
    assert judge_decoding(20.0, Fraction(25), "CPU", Fraction(rate)).level is level


def test_monitors_are_listed_by_name() -> None:
    two = [("HDMI-1", (1920, 1080)), ("DP-2", (1280, 800))]
    assert [finding.level for finding in judge_monitors(two, ["HDMI-1"])] == [Level.GREEN]
    assert "HDMI-1 (1920x1080), DP-2 (1280x800)" in judge_monitors(two, ["DP-2"])[0].detail
    assert [finding.level for finding in judge_monitors(two, ["first"])] == [Level.GREEN, Level.AMBER]
    missing = judge_monitors(two, ["VGA-1"])
    assert [finding.level for finding in missing] == [Level.GREEN, Level.RED]
    assert "DP-2" in missing[1].advice
    assert judge_monitors([], ["first"])[0].level is Level.AMBER


def test_outputs_that_would_stay_dark_are_said() -> None:
    findings = judge_monitors([("HDMI-1", (1920, 1080)), ("DP-1", (1920, 1080))], ["HDMI-1", "DP-1"])
    assert [finding.level for finding in findings] == [Level.GREEN, Level.AMBER]
    assert "'HDMI-1', alone" in findings[1].detail
