"""Resources are found in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from installation.errors import UnavailableError
from installation.resources import RESOURCES, find_resource, resource_dir


@pytest.mark.parametrize("name", RESOURCES)
def test_checkout_has_every_resource(name: str) -> None:
    assert resource_dir(name).is_dir()
    assert resource_dir(name).name == name


def test_installed_package_uses_its_own_data(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "installation"
    (package / "data" / "shaders").mkdir(parents=True)
    (tmp_path / "site-packages" / "shaders").mkdir()  # some other project's folder must not win
    assert find_resource(package, "shaders") == package / "data" / "shaders"


def test_missing_folder_names_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"models folder is missing.*data"):
        find_resource(tmp_path / "installation", "models")


def test_unknown_resource_lists_the_known_ones() -> None:
    with pytest.raises(UnavailableError, match="shaders, models, show_configs"):
        resource_dir("films")
