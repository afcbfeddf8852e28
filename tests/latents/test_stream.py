"""The latent stream file: what is written is read, what is wrong is named."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from installation.errors import StreamError
from installation.latents.stream import (
    AXES,
    FORMAT,
    LatentStream,
    principal_axes,
    read_header,
    read_stream,
    write_stream,
)

IN_TMP = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


def make(frames: int = 12, size: int = 10, seed: int = 0, **changes: object) -> LatentStream:
    z = np.random.default_rng(seed).normal(size=(frames, size)).astype(np.float16)
    axes = principal_axes(z)
    cuts = np.array([0, frames // 2] if frames > 1 else [0], np.int32)
    stream = LatentStream(z, cuts, axes.mean, axes.components, axes.std, Fraction(24), "0123456789abcdef")
    return replace(stream, **changes) if changes else stream


def same(a: LatentStream, b: LatentStream) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in LatentStream.__dataclass_fields__)


@IN_TMP
@given(
    st.integers(1, 40),
    st.integers(1, 30),
    st.fractions(Fraction(1, 100), 240, max_denominator=1001),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)
def test_round_trip(tmp_path: Path, frames: int, size: int, fps: Fraction, text: str) -> None:
    stream = make(frames, size, frames, fps=fps, title=text, licence=text[::-1], colour="bt709/limited")
    path = tmp_path / "films" / "a.safetensors"
    write_stream(path, stream)
    assert same(read_stream(path), stream)
    header = read_header(path)
    assert (header.frames, header.size, header.fps, header.title) == (frames, size, fps, text)
    assert header.cuts == tuple(stream.cuts.tolist())
    assert [file.name for file in path.parent.iterdir()] == ["a.safetensors"]


def test_equal_streams_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_stream(tmp_path / name, make(title="é…", licence="CC BY 3.0"))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()
    metadata = (tmp_path / "a").read_bytes()[8:200].decode(errors="replace")
    assert metadata.index('"colour"') < metadata.index('"format"') < metadata.index('"fps"')


def test_what_is_read_cannot_be_written_into(tmp_path: Path) -> None:
    write_stream(tmp_path / "a", make())
    with pytest.raises(ValueError, match="read-only"):
        read_stream(tmp_path / "a").z[0, 0] = 1


def test_truncated_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_stream(path, make(3, 4))
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        for read in (read_stream, read_header):
            with pytest.raises(StreamError, match=r"a\.safetensors: "):
                read(path)


@IN_TMP
@given(st.data())
def test_damaged_anywhere(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a.safetensors"
    write_stream(path, make(3, 4))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    for read in (read_stream, read_header):
        try:
            read(path)
        except StreamError as error:
            assert "a.safetensors" in str(error)


@IN_TMP
@given(st.binary(max_size=200))
def test_any_bytes_are_a_stream_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(StreamError):
        read_stream(tmp_path / "a")


def test_no_file_and_no_permission_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="no such file"):
        read_stream(tmp_path / "missing")
    with pytest.raises(StreamError, match=str(tmp_path)):
        read_header(tmp_path)


def with_value(array: np.ndarray, value: float) -> np.ndarray:
    changed = array.copy()
    changed.flat[-1] = value
    return changed


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("z", lambda z: z.astype(np.float32), "`z` is F32, it must be F16"),
        ("z", lambda z: z[0], r"`z` has shape \[10\]"),
        ("z", lambda z: z[:0], r"`z` has shape \[0, 10\]"),
        ("z", lambda z: with_value(z, np.nan), r"`z` holds nan at \[11, 9\]"),
        ("z", lambda z: with_value(z, np.inf), "`z` holds inf"),
        ("cuts", lambda c: c.astype(np.int64), "`cuts` is"),
        ("cuts", lambda c: c[:0], "begins with 0"),
        ("cuts", lambda c: np.array([3, 6], np.int32), "begins with 3"),
        ("cuts", lambda c: np.array([0, 6, 6], np.int32), "goes from 6 to 6"),
        ("cuts", lambda c: np.array([0, 6, 4], np.int32), "goes from 6 to 4"),
        ("cuts", lambda c: np.array([0, 12], np.int32), "holds 12, but the film has 12 frames"),
        ("mean", lambda m: m[:-1], r"`mean` has shape \[9\]; beside this `z` it must be \[10\]"),
        ("mean", lambda m: with_value(m, -np.inf), "`mean` holds -inf"),
        ("components", lambda c: c[:7], r"`components` has shape \[7, 10\]"),
        ("components", lambda c: with_value(c, np.nan), "`components` holds nan"),
        ("std", lambda s: s[:4], r"`std` has shape \[4\]"),
        ("std", lambda s: with_value(s, -1), "`std` holds -1"),
    ],
)
def test_every_wrong_tensor_is_named(tmp_path: Path, name: str, change: object, says: str) -> None:
    good = make()
    bad = change(getattr(good, name))  # type: ignore[operator]
    with pytest.raises(StreamError, match=says):
        replace(good, **{name: bad})
    tensors = {key: getattr(good, key) for key in ("z", "cuts", "mean", "components", "std")}
    tensors[name] = np.ascontiguousarray(bad)
    metadata = {"format": FORMAT, "fps": "24", "space": "0123456789abcdef"}
    save_file(tensors, tmp_path / "a", metadata)
    with pytest.raises(StreamError, match=says):
        read_stream(tmp_path / "a")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": "afterimage-latents-9"}, "this version reads"),
        ({"format": None}, "no `format`"),
        ({"fps": None}, "no `fps`"),
        ({"fps": "fast"}, "a fraction such as 24"),
        ({"fps": "0"}, "more than 0"),
        ({"fps": "24/0"}, "a fraction"),
        ({"fps": "-24"}, "a fraction"),
        ({"fps": "1e999999999"}, "a fraction"),
        ({"fps": "999999999"}, "up to 1000"),
        ({"space": " "}, "`space` is empty"),
        ({"space": None}, "no `space`"),
    ],
)
def test_every_wrong_word_is_named(tmp_path: Path, changes: dict[str, str | None], says: str) -> None:
    good = make()
    words: dict[str, str | None] = {"format": FORMAT, "fps": "24", "space": "0123456789abcdef", **changes}
    tensors = {key: getattr(good, key) for key in ("z", "cuts", "mean", "components", "std")}
    save_file(tensors, tmp_path / "a", {key: value for key, value in words.items() if value is not None})
    for read in (read_stream, read_header):
        with pytest.raises(StreamError, match=says):
            read(tmp_path / "a")


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    save_file({"z": make().z}, tmp_path / "a", {"format": FORMAT, "fps": "24", "space": "x"})
    with pytest.raises(StreamError, match="`components` is missing"):
        read_stream(tmp_path / "a")


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_stream(path, make(title="old"))
    before = path.open("rb")
    write_stream(path, make(title="new"))
    with before:
        assert b'"old"' in before.read()
    assert read_header(path).title == "new"


def test_principal_axes_of_a_known_cloud() -> None:
    rng = np.random.default_rng(1)
    scales = np.array([9, 7, 5, 4, 3, 2, 1.5, 1, 0.1, 0.05])
    turn = np.linalg.qr(rng.normal(size=(10, 10)))[0]
    z = (rng.normal(size=(20_000, 10)) * scales @ turn.T + 3).astype(np.float16)
    axes = principal_axes(z)
    assert np.allclose(axes.mean, 3, atol=0.2)
    assert np.allclose(axes.std, scales[:AXES], rtol=0.03)
    assert np.abs(np.sum(axes.components * turn.T[:AXES], axis=1)).min() > 0.99
    assert np.allclose(axes.components @ axes.components.T, np.eye(AXES), atol=1e-5)
    assert (axes.components[range(AXES), np.abs(axes.components).argmax(axis=1)] > 0).all()


@pytest.mark.parametrize(("frames", "size", "found"), [(1, 10, 0), (4, 10, 3), (100, 5, 5), (100, 1, 1)])
def test_missing_axes_are_zero(frames: int, size: int, found: int) -> None:
    axes = principal_axes(make(frames, size).z)
    assert axes.components.shape == (AXES, size)
    assert (axes.std > 0).tolist() == [index < found for index in range(AXES)]
    assert not axes.components[found:].any()
    assert np.allclose(np.linalg.norm(axes.components[:found], axis=1), 1, atol=1e-5)
