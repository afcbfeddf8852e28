"""Recipes are data, and every one of them is whole."""

from __future__ import annotations

import pytest

from installation.errors import InputError
from installation.studio.preset import Choices
from installation.studio.presets import PRESETS, preset_named
from installation.studio.training.schedules import Constant


def test_the_recipes_of_the_plan_exist_under_their_own_names() -> None:
    assert {
        *(
            "broad-2016",
            "broad-2016-96",
            "broad-2016-96-narrow",
            "broad-2016-narrow",
            "larsen-2016",
            "larsen-2016-narrow",
        ),
        *("modern", "modern-wide", "compact", "tiny"),
    } == set(PRESETS)
    assert all(preset.name == name and preset.source for name, preset in PRESETS.items())


def test_the_sizes_and_rates_of_2016() -> None:
    broad = PRESETS["broad-2016"]
    assert (broad.batch, broad.networks.width, broad.networks.height, broad.networks.latent_size) == (12, 256, 144, 200)
    assert [str(learner) for learner in broad.learners] == [
        f"{name} with Adam (0.5, 0.999), rate constant at 0.0002" for name in ("encoder", "decoder", "discriminator")
    ]


def test_the_noise_is_annealed_to_nothing_in_every_recipe_but_larsens() -> None:
    for name, preset in PRESETS.items():
        assert preset.noise.at(0.0) == 1.0
        assert preset.noise.at(1.0) == (1.0 if name.startswith("larsen") else 0.0)


def test_a_person_may_choose() -> None:
    preset = PRESETS["modern"]
    assert preset.chosen(Choices()) == preset
    chosen = preset.chosen(Choices("constant", 4.0))
    assert chosen.noise == Constant(1.0)
    assert "constant at 1" in chosen.story()
    assert chosen.sampling.black == 4.0
    assert str(Choices("constant", 4.0)) == " --noise constant --black 4"
    assert Choices(**Choices("constant", 4.0).stored()) == Choices("constant", 4.0)
    with pytest.raises(InputError, match="--noise later"):
        preset.chosen(Choices("later"))
    with pytest.raises(InputError, match="--black -1"):
        preset.chosen(Choices(black=-1.0))


def test_a_recipe_tells_its_story() -> None:
    story = PRESETS["broad-2016"].story()
    for told in ("Broad and Grierson 2016", "4 layers", "2.5 times", "linear from 1 to 0", "Batch 12", "seed 2016"):
        assert told in story


def test_an_unknown_recipe_names_those_there_are() -> None:
    with pytest.raises(InputError, match=r"'broad'.*compact, .*modern, modern-wide, tiny"):
        preset_named("broad")
