"""Where the files that are not code are found: shaders, models, shows.

In a checkout they are folders beside `installation/`; in an installed wheel they travel inside the package, under
`installation/data/`. Every room that needs one asks `resource_dir` and works in both places.
"""

from __future__ import annotations

from pathlib import Path

from installation.errors import UnavailableError

RESOURCES = ("shaders", "models", "show_configs")


def resource_dir(name: str) -> Path:
    """The folder of a resource (`shaders`, `models` or `show_configs`), absolute.

    Raises UnavailableError if the name is not one of `RESOURCES` or the folder is missing from this installation.
    """
    return find_resource(Path(__file__).resolve().parent, name)


def find_resource(package: Path, name: str) -> Path:
    """The folder `name` of the package folder `package`: inside it once installed, beside it in a checkout."""
    if name not in RESOURCES:
        raise UnavailableError(f"resource {name!r} is unknown; pick one of {', '.join(RESOURCES)}")
    candidates = (package / "data" / name, package.parent / name)
    for folder in candidates:
        if folder.is_dir():
            return folder
    looked = " and ".join(str(folder) for folder in candidates)
    raise UnavailableError(f"the {name} folder is missing from this installation; looked in {looked}: install it again")
