"""One decoded picture of footage -> one RGB picture of the network's size.

Everything that happens to a single picture lives here: its colour matrix and range, its shape (pixel aspect,
rotation, mirroring), scaling, and the fit into the frame. `Framer` keeps a scaler between pictures and looks at every
picture afresh, so that footage and live sources may change size or format in mid-stream. `footage` uses it for files,
`live` for everything else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

import av
import numpy as np
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from installation.errors import FootageError, InputError

Picture = NDArray[np.uint8]

MAX_SIDE = 16384  # pixels: beyond it a width or a height is a mistake, not a picture


class Fit(StrEnum):
    """How a picture of another shape goes into the frame."""

    CONTAIN = "contain"  # the whole picture, black around it
    COVER = "cover"  # the frame is full, the centre of the picture is kept
    STRETCH = "stretch"  # the frame is full, the picture is distorted


@dataclass(frozen=True, slots=True)
class Framing:
    """The size in pixels of every frame the network sees, and how footage is fitted into it."""

    width: int
    height: int
    fit: Fit = Fit.CONTAIN

    def __post_init__(self) -> None:
        for name, value in (("width", self.width), ("height", self.height)):
            if not 1 <= value <= MAX_SIDE:
                raise InputError(f"framing: {name} is {value}, allowed are 1 to {MAX_SIDE} pixels")

    def __str__(self) -> str:
        return f"{self.width}x{self.height} {self.fit}"

    @classmethod
    def parse(cls, text: str) -> Framing:
        """Read back what `str` writes: `256x144 contain`."""
        size, _, fit = text.partition(" ")
        width, _, height = size.partition("x")
        try:
            return cls(int(width), int(height), Fit(fit))
        except ValueError:
            raise InputError(f"framing: got {text!r}, write it as `256x144 contain` (or cover, stretch)") from None


@dataclass(frozen=True, slots=True)
class Orientation:
    """One of the eight ways a picture can lie: first transposed, then mirrored."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    def apply(self, picture: Picture) -> Picture:
        """(H, W, C) as stored -> (H, W, C) or (W, H, C) as displayed; a view."""
        if self.transpose:
            picture = picture.transpose(1, 0, 2)
        return picture[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]


def orientation_of(frame: VideoFrame) -> Orientation:
    """The nearest right-angled orientation in the frame's display matrix; upright if it has none.

    The matrix is nine int32, rows (a b u)(c d v)(x y w): a stored point (p, q) is shown at (a p + c q + x, b p + d q
    + y).
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(data, SideData) or data.buffer_size < 36:
        return Orientation()
    a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(data), dtype="=i4", count=5))
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, flip_x=c < 0, flip_y=b < 0)
    return Orientation(False, flip_x=a < 0, flip_y=d < 0)


# ITU-T H.273 matrix coefficients -> our name and swscale's. 10 (constant luminance) is read with the numbers of 9.
_MATRICES = {
    1: ("bt709", Colorspace.ITU709),
    4: ("fcc", Colorspace.FCC),
    5: ("bt601", Colorspace.ITU601),
    6: ("bt601", Colorspace.ITU601),
    7: ("smpte240m", Colorspace.SMPTE240M),
    9: ("bt2020", Colorspace.BT2020),
    10: ("bt2020", Colorspace.BT2020),
}
# Defined matrices swscale cannot undo: YCgCo, YDzDx, derived from primaries (2), ICtCp, IPT-C2, YCgCo-R (2).
_IMPOSSIBLE = frozenset({8, 11, 12, 13, 14, 15, 16, 17})
_TRANSFERS = {16: "pq", 18: "hlg"}  # the two HDR curves
_PRIMARIES_UNSPECIFIED = 2


@dataclass(frozen=True, slots=True)
class Colour:
    """How the numbers of a picture become RGB."""

    matrix: str
    full_range: bool
    colorspace: Colorspace
    transfer: str = ""  # "pq" or "hlg" for HDR, else empty

    def __str__(self) -> str:
        name = f"{self.matrix}/{'full' if self.full_range else 'limited'}"
        return f"{name}/{self.transfer}" if self.transfer else name


def colour_of(frame: VideoFrame, codec: str = "") -> Colour:
    """The tag if there is one; else BT.601 for VP8 or under 720 lines, else BT.709; limited range unless it says
    full."""
    transfer = _TRANSFERS.get(int(frame.color_trc), "")
    if frame.format.is_rgb or frame.format.has_palette:
        return Colour("rgb", True, Colorspace.ITU709, transfer)
    tag = int(frame.colorspace)
    if tag in _IMPOSSIBLE:
        allowed = ", ".join(sorted({name for name, _ in _MATRICES.values()}))
        raise FootageError(f"colour matrix {tag} (ITU-T H.273) cannot be converted; allowed are {allowed} and RGB")
    if tag not in _MATRICES:  # unspecified, reserved, or damaged
        tag = 6 if codec == "vp8" or frame.height < 720 else 1
    matrix, colorspace = _MATRICES[tag]
    full = int(frame.color_range) == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    # Grey pictures without a tag (PNG, TIFF, JPEG) use all their levels.
    full = full or (frame.format.name.startswith("gray") and int(frame.color_range) == ColorRange.UNSPECIFIED)
    return Colour(matrix, full, colorspace, transfer)


def displayed_size(frame: VideoFrame, sample_aspect: Fraction) -> tuple[int, int]:
    """Width and height in square pixels as the picture is meant to be seen."""
    width, height = max(1, round(frame.width * sample_aspect)), frame.height
    return (height, width) if orientation_of(frame).transpose else (width, height)


def fitted_size(width: int, height: int, framing: Framing) -> tuple[int, int]:
    """The size a displayed picture is scaled to before it is padded (contain) or cropped (cover)."""
    if framing.fit is Fit.STRETCH:
        return framing.width, framing.height
    pick = min if framing.fit is Fit.CONTAIN else max
    scale = pick(Fraction(framing.width, width), Fraction(framing.height, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def place(picture: Picture, framing: Framing) -> Picture:
    """(h, w, 3) of the fitted size -> (H, W, 3) of the frame: centred, black where nothing is, cropped where too much
    is."""
    height, width = picture.shape[:2]
    if (height, width) == (framing.height, framing.width):
        return np.ascontiguousarray(picture)
    out = np.zeros((framing.height, framing.width, 3), np.uint8)
    rows, columns = min(height, framing.height), min(width, framing.width)
    top, left = (framing.height - rows) // 2, (framing.width - columns) // 2
    source_top, source_left = (height - rows) // 2, (width - columns) // 2
    out[top : top + rows, left : left + columns] = picture[
        source_top : source_top + rows, source_left : source_left + columns
    ]
    return out


def sample_aspect_of(stream: VideoStream) -> Fraction:
    """Width of a stored pixel over its height; 1 where the stream does not say or says nonsense."""
    aspect = stream.sample_aspect_ratio
    return aspect if aspect is not None and Fraction(1, 16) < aspect < 16 else Fraction(1)


@dataclass(slots=True)
class Framer:
    """Turns decoded pictures into framed RGB, one after the other.

    `sample_aspect` and `codec` belong to the stream; everything else is read from each picture, so size, format and
    colour may change at any time. One Framer serves one thread.
    """

    framing: Framing
    sample_aspect: Fraction = Fraction(1)
    codec: str = ""
    _scaler: VideoReformatter = field(default_factory=VideoReformatter)
    _light: VideoReformatter = field(default_factory=VideoReformatter)

    @classmethod
    def of(cls, stream: VideoStream, framing: Framing) -> Framer:
        """A Framer that knows the stream's pixel aspect and codec."""
        return cls(framing, sample_aspect_of(stream), stream.codec_context.name)

    def __call__(self, frame: VideoFrame) -> Picture:
        """A decoded picture of any size and format -> uint8 (H, W, 3) RGB, C-contiguous. FootageError if it cannot be
        converted."""
        orientation = orientation_of(frame)
        width, height = fitted_size(*displayed_size(frame, self.sample_aspect), self.framing)
        if orientation.transpose:
            width, height = height, width
        try:
            picture = self._rgb(frame, width, height)
        except av.error.FFmpegError as error:
            raise FootageError(
                f"a picture of {frame.width}x{frame.height} {frame.format.name} cannot become RGB: {error.strerror}"
            ) from error
        return place(orientation.apply(picture), self.framing)

    def _rgb(self, frame: VideoFrame, width: int, height: int) -> Picture:
        """Scaled, as stored: (height, width, 3). See-through pictures lie on black."""
        colour = colour_of(frame, self.codec)
        see_through = any(component.is_alpha for component in frame.format.components) or frame.format.has_palette
        kind = "rgba" if see_through else "rgb24"
        if colour.transfer:
            scaled = self._in_sdr(self._scaled(frame, colour, width, height, "rgb48le"))
        else:
            scaled = self._scaled(frame, colour, width, height, kind)
        pixels = scaled.to_ndarray().astype(np.uint8, copy=False)  # (h, w, 3) or (h, w, 4)
        if pixels.shape[2] == 3:
            return pixels
        alpha = pixels[..., 3:].astype(np.uint16)
        return ((pixels[..., :3] * alpha + 127) // 255).astype(np.uint8)

    def _scaled(self, frame: VideoFrame, colour: Colour, width: int, height: int, kind: str) -> VideoFrame:
        """The frame in another size, as RGB of format `kind`."""
        shrinks = width <= frame.width and height <= frame.height
        # Averaging has no overshoot to learn as if it were in the film; enlarging needs a smooth kernel.
        kernel = Interpolation.AREA if shrinks else Interpolation.BICUBIC
        return self._scaler.reformat(
            frame,
            width=width,
            height=height,
            format=kind,
            src_colorspace=colour.colorspace,
            dst_colorspace=colour.colorspace,
            src_color_range=ColorRange.JPEG if colour.full_range else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=kernel | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT,
            threads=1,
        )

    def _in_sdr(self, frame: VideoFrame) -> VideoFrame:
        """HDR as BT.709. After scaling, because it takes 60 ms of a 1920x1080 picture, and 4 ms of a small one."""
        if int(frame.color_primaries) == _PRIMARIES_UNSPECIFIED:
            frame.color_primaries = ColorPrimaries.BT2020  # there is no HDR in any other
        return self._light.reformat(
            frame,
            format="rgb24",
            src_colorspace=Colorspace.ITU709,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.JPEG,
            dst_color_trc=ColorTrc.BT709,
            dst_color_primaries=ColorPrimaries.BT709,
            threads=1,
        )
