"""Files are placed once, whole, and readable by everyone unless they are secrets."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

import pytest

from installation.errors import UnavailableError
from installation.venue.placement import Copied, Linked, Root, Written, tree

A = PurePosixPath("/opt/a")


def test_each_kind_is_placed_once(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"film")
    source.chmod(0o600)
    root = Root(tmp_path / "root")
    entries = [Written(A / "text", b"x", mode=0o755), Copied(A / "copy", source), Linked(A / "link", "copy")]
    assert root.place(entries) == [A / "text", A / "copy", A / "link"]
    assert root.place(entries) == []
    assert root.real(A / "link").read_bytes() == b"film"
    assert stat.S_IMODE(root.real(A / "copy").stat().st_mode) == 0o644
    source.write_bytes(b"changed")
    assert root.place(entries) == [A / "copy"]


def test_folders_are_open_whatever_the_umask(tmp_path: Path) -> None:
    root = Root(tmp_path)
    before = os.umask(0o077)
    try:
        root.place([Written(A / "b" / "c", b"")])
    finally:
        os.umask(before)
    assert stat.S_IMODE(root.real(A / "b").stat().st_mode) == 0o755


def test_a_folder_makes_way_for_a_file_and_a_link_for_a_copy(tmp_path: Path) -> None:
    root = Root(tmp_path)
    root.place([Written(A / "folder" / "file", b""), Linked(A / "link", "/etc/passwd")])
    assert root.place([Written(A / "folder", b"now"), Written(A / "link", b"mine")]) == [A / "folder", A / "link"]
    assert root.real(A / "link").read_bytes() == b"mine"
    assert not root.real(A / "link").is_symlink()


def test_prune_deletes_what_is_not_kept_but_no_compiled_python(tmp_path: Path) -> None:
    root = Root(tmp_path)
    names = ("keep/x.py", "keep/__pycache__/x.pyc", "old/y.py", "old/__pycache__/y.pyc")
    root.place([Written(A / name, b"") for name in names])
    assert root.prune(A, [A / "keep/x.py"]) == [A / "old/y.py"]
    assert root.exists(A / "keep/__pycache__/x.pyc")
    assert not root.exists(A / "old")


def test_trees_skip_what_is_named(tmp_path: Path) -> None:
    for name in ("m/decoder.onnx", "m/train/x.pt", "m/films/a"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [str(copy.path) for copy in tree(tmp_path, A, frozenset({"train"}))]
    assert found == ["/opt/a/m/decoder.onnx", "/opt/a/m/films/a"]


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"cannot write /opt/a/lost: No such file"):
        Root(tmp_path).place([Copied(A / "lost", tmp_path / "nowhere" / "film")])
