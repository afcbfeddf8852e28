"""Small films for the tests, made with PyAV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

# Kr, Kb of the luma equation, from the recommendations themselves
LUMA = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
BARS = np.array(
    [[1, 1, 1], [1, 1, 0], [0, 1, 1], [0, 1, 0], [1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0], [0.5, 0.5, 0.5],
     [0.75, 0.25, 0.1]]
)  # fmt: skip


def grey(level: int, width: int = 64, height: int = 36) -> np.ndarray:
    """A flat RGB picture."""
    return np.full((height, width, 3), level, np.uint8)


def greys(count: int, width: int = 64, height: int = 36) -> list[np.ndarray]:
    """`count` pictures that can be told apart: picture i is grey of level `level_of(i)`."""
    return [grey(level_of(i), width, height) for i in range(count)]


def level_of(index: int) -> int:
    """The grey of picture `index`; neighbours differ by more than any codec's error."""
    return 20 + (index * 37) % 211


def index_of(picture: np.ndarray, count: int) -> int:
    """Which picture of `greys(count)` this is."""
    middle = int(picture[picture.shape[0] // 2, picture.shape[1] // 2].mean())
    return min(range(count), key=lambda i: abs(level_of(i) - middle))


def bars_yuv(matrix: str, full: bool, bits: int = 8, bar: int = 32, height: int = 64) -> VideoFrame:
    """Flat colour bars in 4:4:4 planes, each plane computed here from the definition of the matrix."""
    kr, kb = LUMA[matrix]
    luma = BARS @ np.array([kr, 1 - kr - kb, kb])
    blue, red = (BARS[:, 2] - luma) / (2 * (1 - kb)), (BARS[:, 0] - luma) / (2 * (1 - kr))
    step, top = 2 ** (bits - 8), 2**bits - 1
    if full:
        planes = (luma * top, blue * top + 128 * step, red * top + 128 * step)
    else:
        planes = ((16 + 219 * luma) * step, (128 + 224 * blue) * step, (128 + 224 * red) * step)
    frame = VideoFrame(bar * len(BARS), height, "yuv444p" if bits == 8 else f"yuv444p{bits}le")
    for plane, values in zip(frame.planes, planes, strict=True):
        kind = np.dtype(np.uint8 if bits == 8 else "<u2")
        rows = np.zeros((plane.height, plane.line_size // kind.itemsize), kind)
        rows[:, : plane.width] = np.repeat(np.clip(np.round(values), 0, top), bar)
        plane.update(rows.tobytes())
    return frame


def write_film(
    path: Path,
    frames: Iterable[np.ndarray | VideoFrame],
    *,
    fps: Fraction | int = 24,
    codec: str = "ffv1",
    pix_fmt: str = "bgr0",
    times_ms: Sequence[int] | None = None,
    setup: Callable[[VideoStream], None] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode frames (RGB arrays or VideoFrames); `times_ms` makes the rate variable."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, options=options or {})
        stream.pix_fmt = pix_fmt
        base = Fraction(1, 1000) if times_ms is not None else 1 / Fraction(fps)
        stream.codec_context.time_base = base
        for index, picture in enumerate(frames):
            frame = picture if isinstance(picture, VideoFrame) else VideoFrame.from_ndarray(picture, format="rgb24")
            if index == 0:
                stream.width, stream.height = frame.width, frame.height
                if setup is not None:
                    setup(stream)
            frame.pts = times_ms[index] if times_ms is not None else index
            frame.time_base = base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
