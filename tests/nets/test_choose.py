"""Choosing a decoder: tried once, remembered, and never the reason not to play."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from installation.clock import SystemClock
from installation.errors import ModelError
from installation.nets import choose
from installation.nets.choose import Choice, better, cache_file, open_decoder
from installation.nets.decoder import Decoder
from installation.nets.model import ModelInfo, read_model
from tests.onnx_models import make_decoder, make_model, usual_metadata, write_reference


@pytest.fixture
def slow(tmp_path: Path) -> ModelInfo:
    """A model whose reference decoder is slow and whose variant is fast."""
    folder = make_model(tmp_path / "slow")
    make_decoder(folder / "decoder.onnx", 8, 72, 128, work=80)
    make_variant(folder)
    write_reference(folder / "reference.safetensors", 8, 72, 128)
    return read_model(folder)


def make_variant(folder: Path, h: int = 72, w: int = 128, loss_db: float = 0.3) -> None:
    make_decoder(folder / "decoder.int8.onnx", 8, h, w, {**usual_metadata(8, h, w), "loss_db": str(loss_db)})


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "usable_cores", lambda: 2)


def opened(decoder: Decoder) -> str:
    return decoder.session.path.name


def remembered(cache: Path) -> list[dict[str, object]]:
    return list(json.loads(cache.read_text("utf-8")).values())


@pytest.mark.parametrize(
    ("best_ms", "other_ms", "expected"),
    [(8.0, 1.0, True), (44.0, 36.0, False), (44.0, 30.0, True), (11.0, 10.5, False), (5.0, 4.5, False)],
)
def test_a_variant_must_be_worth_it(best_ms: float, other_ms: float, expected: bool) -> None:
    assert better(Choice("decoder.onnx", 1, best_ms), Choice("decoder.int8.onnx", 1, other_ms)) is expected


@pytest.mark.parametrize(("best_ms", "expected"), [(8.0, False), (44.0, True)])
def test_threads_are_taken_only_from_a_slow_decoder(best_ms: float, expected: bool) -> None:
    assert better(Choice("decoder.onnx", 1, best_ms), Choice("decoder.onnx", 4, 2.0)) is expected


@pytest.mark.usefixtures("cores")
def test_where_there_is_no_choice_nothing_is_tried(tmp_path: Path) -> None:
    model, cache = read_model(make_model(tmp_path / "m")), tmp_path / "cache.json"
    assert opened(open_decoder(model, "cpu", SystemClock(), cache)) == "decoder.onnx"
    assert not cache.exists()


@pytest.mark.usefixtures("cores")
def test_the_faster_variant_is_found_and_remembered(
    slow: ModelInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "_BUDGET_NS", 60_000_000_000)
    cache = tmp_path / "cache" / "afterimage" / "decoders.json"
    assert opened(open_decoder(slow, "auto", SystemClock(), cache)) == "decoder.int8.onnx"
    assert [entry["file"] for entry in remembered(cache)] == ["decoder.int8.onnx"]
    monkeypatch.setattr(choose, "_trial", None)  # nothing is tried again
    for provider in ("auto", "cpu"):
        assert opened(open_decoder(slow, provider, SystemClock(), cache)) == "decoder.int8.onnx"
    assert list(cache.parent.iterdir()) == [cache]


@pytest.mark.usefixtures("cores")
def test_a_changed_model_is_tried_again(slow: ModelInfo, tmp_path: Path) -> None:
    cache = tmp_path / "cache.json"
    open_decoder(slow, "cpu", SystemClock(), cache)
    make_decoder(slow.decoders[0], 8, 72, 128)
    open_decoder(read_model(slow.path), "cpu", SystemClock(), cache)
    assert len(remembered(cache)) == 2


@pytest.mark.usefixtures("cores")
@pytest.mark.parametrize("loss_db", [0.8, "unknown"])
def test_a_variant_that_loses_too_much_is_no_choice(slow: ModelInfo, tmp_path: Path, loss_db: float) -> None:
    make_variant(slow.path, loss_db=loss_db)
    assert opened(open_decoder(read_model(slow.path), "cpu", SystemClock(), tmp_path / "c.json")) == "decoder.onnx"


@pytest.mark.usefixtures("cores")
def test_a_precision_asked_for_is_played_whatever_it_costs(slow: ModelInfo, tmp_path: Path) -> None:
    make_variant(slow.path, loss_db=3)
    for precision, file in (("fp32", "decoder.onnx"), ("int8", "decoder.int8.onnx")):
        assert opened(open_decoder(slow, "auto", SystemClock(), tmp_path / "c.json", precision)) == file
    with pytest.raises(
        ModelError, match=r"precision fp16 was asked for, but there is no decoder\.fp16\.onnx in it; `aft"
    ):
        open_decoder(slow, "auto", SystemClock(), tmp_path / "c.json", "fp16")


@pytest.mark.usefixtures("cores")
def test_a_broken_variant_is_no_choice(slow: ModelInfo, tmp_path: Path) -> None:
    slow.decoders[1].write_bytes(b"junk")
    cache = tmp_path / "cache.json"
    for _ in range(2):
        assert opened(open_decoder(slow, "cpu", SystemClock(), cache)) == "decoder.onnx"


@pytest.mark.usefixtures("cores")
@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"a": 1}', '{"a": {"file": "../x", "threads": 1, "decode_ms": 1}}']
)
def test_a_cache_of_anything_is_harmless(slow: ModelInfo, tmp_path: Path, content: str) -> None:
    cache = tmp_path / "cache.json"
    cache.write_text(content)
    open_decoder(slow, "cpu", SystemClock(), cache)
    assert len(remembered(cache)) == 1


@pytest.mark.usefixtures("cores")
def test_a_cache_that_cannot_be_written_is_harmless(slow: ModelInfo, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    open_decoder(slow, "cpu", SystemClock(), tmp_path / "file" / "decoders.json")


def test_more_threads_are_tried_where_there_are_cores(
    slow: ModelInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "_BUDGET_NS", 60_000_000_000)
    monkeypatch.setattr(choose, "usable_cores", lambda: 8)
    slow.decoders[1].unlink()
    tried: list[int] = []
    real = choose._trial

    def watched(decoder: Decoder, threads: int, clock: SystemClock) -> choose.Trial:
        tried.append(threads)
        return real(decoder, threads, clock)

    monkeypatch.setattr(choose, "_trial", watched)
    open_decoder(read_model(slow.path), "cpu", SystemClock(), tmp_path / "cache.json")
    assert tried == [1, 4]


def test_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/me")
    assert cache_file() == Path("/var/cache/me/afterimage/decoders.json")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert cache_file() == Path("/home/me/.cache/afterimage/decoders.json")
