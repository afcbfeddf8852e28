"""The recipes there are, by name. Each is a small file in `recipes`."""

from __future__ import annotations

from installation.errors import InputError
from installation.studio.preset import Preset
from installation.studio.recipes import (
    broad_2016,
    broad_2016_96,
    broad_2016_96_narrow,
    broad_2016_narrow,
    compact,
    larsen_2016,
    larsen_2016_narrow,
    modern,
    modern_wide,
    tiny,
)

__all__ = ["PRESETS", "Preset", "preset_named"]

_RECIPES = (
    broad_2016,
    broad_2016_96,
    broad_2016_96_narrow,
    broad_2016_narrow,
    larsen_2016,
    larsen_2016_narrow,
    modern,
    modern_wide,
    compact,
    tiny,
)
PRESETS: dict[str, Preset] = {recipe.PRESET.name: recipe.PRESET for recipe in _RECIPES}


def preset_named(name: str) -> Preset:
    """The recipe of that name. Raises InputError with the names there are."""
    if name not in PRESETS:
        raise InputError(f"preset {name!r} is unknown; pick one of {', '.join(sorted(PRESETS))}")
    return PRESETS[name]
