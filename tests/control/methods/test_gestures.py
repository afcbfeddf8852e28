from __future__ import annotations

import math
import struct

import pytest

from installation.control.methods.gestures import (
    Arguments,
    Strike,
    read_fade,
    read_latch,
    read_latent,
    read_level,
    read_strike,
)
from installation.control.osc.packets import Infinitum, Midi
from installation.errors import CommandRefused


@pytest.mark.parametrize(
    ("arguments", "strike"),
    [
        ((), Strike.FIRE),
        ((None,), Strike.FIRE),
        ((True,), Strike.FIRE),
        ((Infinitum.IMPULSE,), Strike.FIRE),
        (("Go+",), Strike.FIRE),
        ((1,), Strike.FIRE),
        ((127,), Strike.FIRE),
        ((1.0,), Strike.LEVEL),
        ((0.01,), Strike.LEVEL),
        ((False,), Strike.REST),
        ((0,), Strike.REST),
        ((-1,), Strike.REST),
        ((0.0,), Strike.REST),
    ],
)
def test_triggers(arguments: Arguments, strike: Strike) -> None:
    assert read_strike(arguments) is strike


@pytest.mark.parametrize("argument", [math.nan, math.inf, b"blob", Midi(b"\0\0\0\0"), (1,)])
def test_what_is_no_trigger(argument: object) -> None:
    with pytest.raises(CommandRefused):
        read_strike((argument,))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "on"),
    [
        ((), True),
        ((None,), True),
        ((Infinitum.IMPULSE,), True),
        ((True,), True),
        ((1,), True),
        ((100.0,), True),
        (("on",), True),
        (("OFF",), False),
        ((False,), False),
        ((0,), False),
        ((0.0,), False),
    ],
)
def test_latches(arguments: Arguments, *, on: bool) -> None:
    assert read_latch(arguments) is on


@pytest.mark.parametrize("argument", ["perhaps", b"x", math.nan])
def test_what_is_no_latch(argument: object) -> None:
    with pytest.raises(CommandRefused):
        read_latch((argument,))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("argument", "lowest", "percent", "level"),
    [
        (0.5, 0.0, False, 0.5),
        (1, 0.0, False, 1.0),
        (True, 0.0, False, 1.0),
        (False, 0.0, False, 0.0),
        (1.01, 0.0, False, 1.0),
        (-0.5, 0.0, False, 0.0),
        (-7.0, 0.0, False, 0.0),
        (-0.5, -1.0, False, -0.5),
        (-1.005, -1.0, False, -1.0),
        (50, 0.0, True, 0.5),
        (100.0, 0.0, True, 1.0),
        (True, 0.0, True, 1.0),
        (1, 0.0, True, 0.01),
        (-100, -1.0, True, -1.0),
    ],
)
def test_levels(argument: float, lowest: float, level: float, *, percent: bool) -> None:
    assert read_level((argument,), "x", lowest, percent=percent) == pytest.approx(level)


@pytest.mark.parametrize(
    ("arguments", "lowest", "percent"),
    [
        ((), 0.0, False),
        ((1.02,), 0.0, False),
        ((50,), 0.0, False),
        ((-2.0,), -1.0, False),
        ((102.0,), 0.0, True),
        ((math.nan,), 0.0, False),
        ((-math.inf,), 0.0, False),
        ((10**400,), 0.0, False),
        (("0.5",), 0.0, False),
        ((b"\0\0\0\0",), 0.0, False),
    ],
)
def test_refused_levels(arguments: Arguments, lowest: float, *, percent: bool) -> None:
    with pytest.raises(CommandRefused):
        read_level(arguments, "brightness", lowest, percent=percent)


def test_a_percentage_by_mistake_is_explained() -> None:
    with pytest.raises(CommandRefused, match=r"brightness 50 is out of range; 0 to 1 \(0 to 100 only from a peer"):
        read_level((50,), "brightness", 0.0, percent=False)


def test_fades() -> None:
    assert read_fade((1,), "x") is None
    assert read_fade((1, None), "x") is None
    assert read_fade((1, 3), "x") == 3.0
    assert read_fade((1, -3.0), "x") == 0.0
    assert read_fade((1, 1e9), "x") == 3600.0
    for wrong in (math.nan, math.inf, True, "3"):
        with pytest.raises(CommandRefused):
            read_fade((1, wrong), "x")


def test_latents() -> None:
    numbers = (0.5, -1.0, 3.0)
    assert read_latent(numbers) == numbers
    assert read_latent((numbers,)) == numbers
    assert read_latent((struct.pack(">3f", *numbers),)) == numbers
    wrong: list[Arguments] = [
        (),
        (b"",),
        (b"abc",),
        (0.5, "x"),
        (0.5, True),
        (math.nan,),
        (struct.pack(">f", math.inf),),
    ]
    for arguments in wrong:
        with pytest.raises(CommandRefused):
            read_latent(arguments)
