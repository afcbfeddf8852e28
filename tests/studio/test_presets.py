"""Recipes are data: their ramps, shapes and names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from installation.errors import InputError
from installation.studio.presets import PRESETS, Ramp, preset_named


def test_a_ramp_is_flat_outside_and_a_half_cosine_between() -> None:
    ramp = Ramp(first=1.0, last=0.0, begin=0.3, end=0.9)
    assert [ramp.at(share) for share in (0.0, 0.3, 0.9, 1.0)] == [1.0, 1.0, 0.0, 0.0]
    assert ramp.at(0.6) == pytest.approx(0.5)
    assert ramp.at(0.4) > ramp.at(0.5) > ramp.at(0.8)


def test_the_noise_is_annealed_to_nothing_in_every_recipe() -> None:
    for preset in PRESETS.values():
        assert preset.noise.at(0.0) > 0.0
        assert preset.noise.at(1.0) == 0.0


def test_an_unknown_recipe_names_those_there_are() -> None:
    with pytest.raises(InputError, match=r"'broad'.*compact, tiny"):
        preset_named("broad")


def test_a_shape_that_does_not_divide_is_refused() -> None:
    shape = PRESETS["compact"].shape
    assert (shape.factor, shape.grid) == (16, (9, 16))
    with pytest.raises(InputError, match="250x144 must be multiples of 16"):
        replace(shape, width=250)
    with pytest.raises(InputError, match="one width fewer"):
        replace(shape, encoder_widths=(8,))
