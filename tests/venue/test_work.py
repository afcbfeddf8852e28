"""A show is taken along with everything it names, and still loads where it then is."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from installation.errors import ShowError
from installation.show.config import load_config
from installation.venue.placement import Root
from installation.venue.work import HOME, take_along


def test_the_copy_loads_and_leaves_training_at_home(show: Path, tmp_path: Path) -> None:
    taken = take_along(show)
    root = Root(tmp_path / "there")
    root.place(taken.entries)
    copy = root.real(taken.show)
    assert copy.read_text() == show.read_text()
    assert load_config(copy).model == root.real(HOME / "models" / "bunny")
    assert not any("train" in entry.path.parts for entry in taken.entries)


def test_a_model_folder_is_a_show(show: Path, tmp_path: Path) -> None:
    taken = take_along(show.parent.parent / "models" / "bunny")
    assert taken.show == HOME / "bunny"
    assert HOME / "bunny" / "decoder.onnx" in {entry.path for entry in taken.entries}


def test_films_and_live_files_come_along_cameras_do_not(show: Path) -> None:
    elsewhere = show.parent / "films"
    elsewhere.mkdir()
    for name in ("other.safetensors", "walk in.mp4"):
        (elsewhere / name).write_bytes(b"x")
    show.write_text(
        show.read_text()
        + '\n[films.other]\nlatents = "films/other.safetensors"\n'
        + '[films.walk]\nlive = "films/walk in.mp4"\n[films.camera]\nlive = "/dev/null"\n'
    )
    paths = {entry.path for entry in take_along(show).entries}
    assert HOME / "show_configs/films/other.safetensors" in paths
    assert HOME / "show_configs/films/walk in.mp4" in paths
    assert not any(path.name == "null" for path in paths)


def test_absolute_paths_are_rewritten_in_the_copy(show: Path, tmp_path: Path) -> None:
    model = show.parent.parent / "models" / "bunny"
    show.write_text(f"model = '{model}'\n")
    taken = take_along(show)
    root = Root(tmp_path / "there")
    root.place(taken.entries)
    assert root.real(taken.show).read_text() == "model = '../models/bunny'\n"
    assert load_config(root.real(taken.show)).model == root.real(HOME / "models" / "bunny")


def test_an_absolute_path_that_cannot_be_rewritten_is_refused(show: Path) -> None:
    model = str(show.parent.parent / "models" / "bunny")
    show.write_text(f'model = "{model[:-1]}\\u0079"\n')  # an escaped y
    with pytest.raises(ShowError, match="write it relative to the file it is in"):
        take_along(show)


def test_the_venue_file_comes_along(show: Path, tmp_path: Path) -> None:
    venue = tmp_path / "usb stick" / "museum.toml"
    venue.parent.mkdir()
    venue.write_text('[schedule]\nzone = "Europe/London"\n')
    taken = take_along(show, venue)
    assert taken.venue == HOME / "usb stick" / "museum.toml"
    assert taken.show == HOME / "home" / "show_configs" / "demo.toml"
    assert taken.venue in {entry.path for entry in taken.entries}
    assert isinstance(taken.show, PurePosixPath)


def test_passcodes_come_along_for_one_user_alone(show: Path, tmp_path: Path) -> None:
    venue = tmp_path / "room" / "museum.toml"
    venue.parent.mkdir()
    passcodes = venue.parent / "secrets.toml"
    passcodes.write_text('operate = "rabbit"\n')
    for named in ("secrets.toml", str(passcodes)):
        venue.write_text(f"[page]\npasscodes = '{named}'\n")
        taken = take_along(show, venue)
        root = Root(tmp_path / "there")
        root.place(taken.entries)
        assert taken.venue is not None
        copy = load_config(root.real(taken.show), root.real(taken.venue)).page.passcodes
        assert copy == root.real(HOME / "room" / "secrets.toml")
        assert copy.stat().st_mode & 0o777 == 0o600
        assert not root.pending(taken.entries)
