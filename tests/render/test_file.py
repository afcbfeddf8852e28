"""Pictures into files and back: lossless where promised, tagged, complete or not there at all."""

from __future__ import annotations

import resource
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from installation.errors import InputError, UnavailableError
from installation.render.compose import Renderer, WeightedFrame
from installation.render.file import FilePresenter
from installation.render.presenter import Readback
from installation.show.frameplan import Look
from tests.render.reference import random_frame

SIZE = (64, 36)
RATE = Fraction(24000, 1001)


def render(presenter: FilePresenter, count: int) -> list[NDArray[np.uint8]]:
    """Present some pictures; what they looked like."""
    renderer, readback = Renderer(presenter.graphics), Readback(presenter.graphics.calls, SIZE)
    seen = []
    for k in range(count):
        renderer.draw([WeightedFrame(random_frame(9, 16, k), k, 1.0)], Look(grain=0.02), k, presenter.target)
        seen.append(readback.read(presenter.target).copy())
        presenter.present()
    return seen


def frames_of(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_picture_stands_until_the_next(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with FilePresenter(path, SIZE, RATE) as presenter:
        presenter.hold_until(2)
        (seen,) = render(presenter, 1)
        presenter.hold_until(3)
        presenter.hold_until(5)
    black = np.zeros_like(seen)
    np.testing.assert_array_equal(frames_of(path), [black, black, seen, seen, seen])


def test_mkv_is_lossless(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with FilePresenter(path, SIZE, RATE) as presenter:
        seen = render(presenter, 5)
        assert not path.exists()
    np.testing.assert_array_equal(frames_of(path), seen)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "ffv1"
        times = [frame.time for frame in container.decode(video=0)]
        assert np.allclose(times, np.arange(5) / float(RATE), atol=0.001)  # Matroska counts milliseconds
        assert stream.average_rate is not None
        assert abs(stream.average_rate - RATE) < Fraction(1, 100)
    assert [each.name for each in tmp_path.iterdir()] == ["film.mkv"]


def test_mp4_is_close_and_tagged(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with FilePresenter(path, SIZE, RATE) as presenter:
        frame = np.ones((9, 16, 4), np.float16)
        frame[..., :3] = (0.8, 0.3, 0.1)
        renderer = Renderer(presenter.graphics)
        for k in range(5):
            renderer.draw([WeightedFrame(frame, "a", 1.0)], Look(), k, presenter.target)
            presenter.present()
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        assert container.streams.video[0].average_rate == RATE
        decoded = [frame.to_ndarray(format="rgb24", src_colorspace="ITU709") for frame in container.decode(video=0)]
    assert len(decoded) == 5
    means = np.mean(decoded, axis=(0, 1, 2))
    assert np.abs(means - np.array([0.8, 0.3, 0.1]) * 255).max() < 2


def test_folder_of_png(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    with FilePresenter(folder, SIZE, RATE) as presenter:
        seen = render(presenter, 3)
        assert not folder.exists()
    assert sorted(each.name for each in folder.iterdir()) == ["000000.png", "000001.png", "000002.png"]
    for picture, path in zip(seen, sorted(folder.iterdir()), strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(path)), picture)


def test_footage_goes_to_the_left_and_ends_in_black(tmp_path: Path) -> None:
    red = np.zeros((36, 64, 3), np.uint8)
    red[..., 0] = 200
    small = np.full((18, 32, 3), 90, np.uint8)
    with FilePresenter(tmp_path / "film.mkv", SIZE, RATE, beside=iter([red, small])) as presenter:
        seen = render(presenter, 3)
    frames = frames_of(tmp_path / "film.mkv")
    for footage, frame, picture in zip([red, np.full_like(red, 90), red * 0], frames, seen, strict=True):
        np.testing.assert_array_equal(frame, np.concatenate([footage, picture], axis=1))


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    for name in ("film.mp4", "film.mkv", "folder"):
        with pytest.raises(RuntimeError, match="stop"), FilePresenter(tmp_path / name, SIZE, RATE) as presenter:
            render(presenter, 1)
            raise RuntimeError("stop")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_part_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "frames.part").mkdir()
    (tmp_path / "frames.part" / "old.png").touch()
    with FilePresenter(tmp_path / "frames", SIZE, RATE) as presenter:
        render(presenter, 1)
    assert [each.name for each in (tmp_path / "frames").iterdir()] == ["000000.png"]


def test_wrong_names_and_sizes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.mp4, \.mkv, or a folder"):
        FilePresenter(tmp_path / "film.avi", SIZE, RATE)
    with pytest.raises(InputError, match="63x36"):
        FilePresenter(tmp_path / "film.mp4", (63, 36), RATE)
    (tmp_path / "frames").mkdir()
    with pytest.raises(InputError, match="folder exists"):
        FilePresenter(tmp_path / "frames", SIZE, RATE)


DISK_FULL = """
import resource, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from installation.errors import UnavailableError
from installation.render.file import FilePresenter
presenter = FilePresenter(Path(sys.argv[1]), (640, 360), Fraction(25))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
presenter._readback._pixels[:] = np.random.default_rng(0).integers(0, 256, (360, 640, 3))
presenter._readback.read = lambda target: presenter._readback._pixels
try:
    for _ in range(20):
        presenter.present()
    presenter.close()
except UnavailableError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["film.mkv", "frames"])
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    command = [sys.executable, "-c", DISK_FULL, str(tmp_path / name)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    assert f"{tmp_path / name}: cannot write" in run.stdout
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="cannot write"):
        FilePresenter(tmp_path / "missing" / "film.mkv", SIZE, RATE)
