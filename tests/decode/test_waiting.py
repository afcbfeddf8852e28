"""Frames decoded on demand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from installation.clock import SimulatedClock
from installation.decode.waiting import WaitingSource
from installation.errors import ModelError
from installation.latents.stream import read_stream
from tests.decode.keys import Watched, key, open_decoders
from tests.decode.test_decoders import Live
from tests.onnx_models import decoded, make_model


@pytest.fixture
def decoders(tmp_path: Path) -> Watched:
    return Watched(open_decoders(make_model(tmp_path / "m"), {"door": Live()}))


def test_every_frame_is_the_exact_one(decoders: Watched, tmp_path: Path) -> None:
    source = WaitingSource(decoders, SimulatedClock(0))
    z = read_stream(tmp_path / "m" / "films" / "one.safetensors").z
    for k in [*range(48), 3]:
        with source.frame(key(k), k) as found:
            assert found is not None and found.exact
            np.testing.assert_array_equal(found.frame, decoded(z[k]))
    assert source.statistics().decoded == 49
    source.close()


def test_a_held_frame_is_decoded_once(decoders: Watched) -> None:
    source = WaitingSource(decoders, SimulatedClock(0))
    for k in range(20):
        with source.frame(key(5), k) as found:
            assert found is not None and found.serial == 1
    assert decoders.keys == [key(5)]


def test_many_frames_can_be_read_at_once(decoders: Watched) -> None:
    source = WaitingSource(decoders, SimulatedClock(0))
    with source.frame(key(1), 1) as one, source.frame(key(2, "two"), 1) as two:
        assert one is not None and two is not None
        assert one.key == key(1) and two.key == key(2, "two")


def test_a_live_film_without_a_picture_is_none(decoders: Watched) -> None:
    with WaitingSource(decoders, SimulatedClock(0)).frame(key(0, "door"), 0) as found:
        assert found is None


def test_failures_are_raised_and_leave_no_slot_behind(decoders: Watched) -> None:
    source = WaitingSource(decoders, SimulatedClock(0))
    decoders.fault = ModelError("broken")
    for k in range(30):
        with pytest.raises(ModelError, match="broken"), source.frame(key(k), k):
            pass
    decoders.fault = None
    with source.frame(key(1), 1) as found:
        assert found is not None
