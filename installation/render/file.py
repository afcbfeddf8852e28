"""The file presenter: every presented picture becomes the next frame of a film, or a PNG in a folder.

Nothing appears under the asked-for name before it is complete: it is written beside it as `<name>.part` and renamed
by `close`. Leaving a `with` block by an error removes the part.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol

import av
import av.video
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from PIL import Image, ImageOps

from installation.errors import InputError, UnavailableError
from installation.render.egl import OffscreenPresenter
from installation.render.presenter import Readback

_BT709 = 1  # in primaries, transfer and matrix alike (H.273)
_LIMITED = 1  # AVCOL_RANGE_MPEG


class Writer(Protocol):
    """Takes pictures, uint8 (H, W, 3), one after the other."""

    def write(self, picture: NDArray[np.uint8]) -> None:
        """The next picture."""

    def finish(self) -> None:
        """No more pictures; everything is on disk afterwards."""


class FilmWriter:
    """A film with one video stream: H.264 in .mp4 (BT.709, all but lossless) or FFV1 in .mkv (lossless RGB)."""

    def __init__(self, path: Path, suffix: str, size: tuple[int, int], rate: Fraction) -> None:
        mp4 = suffix == ".mp4"
        self._container = av.open(str(path), "w", format="mp4" if mp4 else "matroska")
        options = {"crf": "10", "preset": "fast"} if mp4 else {"level": "3", "slices": "4"}
        stream = self._container.add_stream("libx264" if mp4 else "ffv1", rate=rate, options=options)
        assert isinstance(stream, av.video.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p" if mp4 else "bgr0"
        stream.time_base = 1 / rate
        if mp4:
            context = stream.codec_context
            context.color_primaries = context.color_trc = context.colorspace = _BT709
            context.color_range = _LIMITED
        self._tick = 1 / rate  # the container picks a time base of its own when it starts
        self._container.start_encoding()  # opens the file now: a place that cannot be written is said at once
        self._stream = stream
        self._convert = _to_bt709 if mp4 else _to_bgr0
        self._count = 0

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Encode the next picture."""
        frame = self._convert(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24"))
        frame.pts = self._count
        frame.time_base = self._tick
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Encode what is still on its way and close the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()


def _to_bt709(frame: av.VideoFrame) -> av.VideoFrame:
    return frame.reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
    )


def _to_bgr0(frame: av.VideoFrame) -> av.VideoFrame:
    return frame.reformat(format="bgr0")


class FolderWriter:
    """A folder of PNGs: 000000.png, 000001.png, ..."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._count = 0

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Save the next picture; fast rather than small."""
        Image.fromarray(np.ascontiguousarray(picture)).save(self._folder / f"{self._count:06}.png", compress_level=1)
        self._count += 1

    def finish(self) -> None:
        """Everything is there already."""


class FilePresenter(OffscreenPresenter):
    """Pictures into a file: `.mp4`, `.mkv`, or a folder (a name without suffix).

    `beside` supplies a picture, uint8 (H, W, 3) of any size, for each presented one; it is fitted into the same size
    and put to the left, outside of `size`. After its end that side is black.
    Raises InputError for another suffix, an odd size for .mp4 or a folder that exists; UnavailableError if it cannot
    be written.
    """

    def __init__(
        self, path: Path, size: tuple[int, int], rate: Fraction, beside: Iterator[NDArray[np.uint8]] | None = None
    ) -> None:
        if path.suffix not in {"", ".mp4", ".mkv"}:
            raise InputError(
                f"{path}: got {path.suffix!r}; pick one of .mp4, .mkv, or a folder's name without a suffix"
            )
        if path.suffix == "" and path.exists():
            raise InputError(f"{path}: the folder exists; pick a new name")
        if path.suffix == ".mp4" and (size[0] % 2 or size[1] % 2):
            raise InputError(f"size {size[0]}x{size[1]}: .mp4 needs even numbers; pick others, or .mkv")
        self._path, self._part = path, path.with_name(path.name + ".part")
        self._beside = beside
        super().__init__(size)
        self._readback = Readback(self._graphics.calls, size)
        self._closed = False
        self._written = 0
        self._remove_part()
        self._writer: Writer | None = None
        self._guarded(lambda: self._open(rate))

    def present(self) -> None:
        """Write the picture. Raises UnavailableError if the disk is full."""
        picture = self._readback.read(self._target)
        if self._beside is not None:
            picture = np.concatenate([self._footage(self._beside), picture], axis=1)  # (H, 2 W, 3)
        self._guarded(lambda: self._open_writer().write(picture))
        self._written += 1

    def hold_until(self, count: int) -> None:
        """Let the last picture stand, as a screen does, until `count` pictures are written; black before the first."""
        while self._written < count:
            self.present()

    def wait(self, timeout_ns: int) -> None:
        """Return at once: a file is in no hurry and never late."""

    def wake(self) -> None:
        """Nobody waits."""

    def close(self) -> None:
        """Complete the file and give it its name."""
        if not self._closed:
            self._guarded(self._complete)
            self._end()

    def discard(self) -> None:
        """Give up: leave no file behind."""
        if not self._closed:
            self._end()
            self._remove_part()

    def __enter__(self) -> FilePresenter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.discard()

    def _complete(self) -> None:
        self._open_writer().finish()
        self._part.replace(self._path)

    def _end(self) -> None:
        self._closed = True
        self._writer = None
        self._graphics.release()

    def _open(self, rate: Fraction) -> None:
        width, height = self._target.size
        size = (width if self._beside is None else 2 * width, height)
        suffix = self._path.suffix
        self._writer = FilmWriter(self._part, suffix, size, rate) if suffix else FolderWriter(self._part)

    def _open_writer(self) -> Writer:
        assert self._writer is not None, "the file is closed"
        return self._writer

    def _footage(self, beside: Iterator[NDArray[np.uint8]]) -> NDArray[np.uint8]:
        width, height = self._target.size
        picture = next(beside, None)
        if picture is None:
            return np.zeros((height, width, 3), np.uint8)
        return np.asarray(ImageOps.pad(Image.fromarray(picture), (width, height), Image.Resampling.LANCZOS))

    def _guarded(self, work: Callable[[], object]) -> None:
        """Run `work`; what the disk refuses becomes an UnavailableError, and the part is removed."""
        try:
            work()
        except OSError as error:  # PyAV's errors of the operating system are OSErrors too
            self.discard()
            raise UnavailableError(
                f"{self._path}: cannot write: {error.strerror or error}; free some space or choose another place"
            ) from error

    def _remove_part(self) -> None:
        if self._part.is_dir():
            shutil.rmtree(self._part)
        else:
            self._part.unlink(missing_ok=True)
