"""Colour, shape and fit of single pictures."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from av.video.frame import VideoFrame

from installation.errors import FootageError, InputError
from installation.latents.framing import Fit, Framer, Framing, Orientation, colour_of, fitted_size, place
from tests.latents.making import BARS, bars_yuv

TAGS = {"bt601": 6, "bt709": 1, "bt2020": 9}


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
def test_colour_bars_come_out_as_they_went_in(matrix: str, full: bool, bits: int) -> None:
    frame = bars_yuv(matrix, full, bits)
    frame.colorspace = TAGS[matrix]
    frame.color_range = 2 if full else 1
    out = Framer(Framing(160, 32, Fit.STRETCH))(frame)
    error = out[16, 8::16].astype(int) - np.round(BARS * 255).astype(int)
    assert np.abs(error).max() <= 2
    assert str(colour_of(frame)) == f"{matrix}/{'full' if full else 'limited'}"


def test_untagged_colour_follows_codec_and_lines() -> None:
    def name(width: int, height: int, codec: str = "h264") -> str:
        return str(colour_of(VideoFrame(width, height, "yuv420p"), codec))

    assert name(1280, 718) == "bt601/limited"
    assert name(1280, 720) == "bt709/limited"
    assert name(1280, 720, "vp8") == "bt601/limited"
    assert str(colour_of(VideoFrame(64, 64, "rgb24"))) == "rgb/full"
    assert str(colour_of(VideoFrame(64, 64, "gray"))) == "bt601/full"
    assert str(colour_of(VideoFrame(64, 64, "yuvj420p"))) == "bt601/full"


def test_untagged_bars_are_read_with_the_matrix_of_their_size() -> None:
    out = Framer(Framing(160, 32, Fit.STRETCH))(bars_yuv("bt709", False, height=720))
    assert np.abs(out[16, 8::16].astype(int) - np.round(BARS * 255)).max() <= 2


def test_a_matrix_nobody_can_convert_is_an_error_that_names_it() -> None:
    frame = VideoFrame(64, 64, "yuv420p")
    frame.colorspace = 8  # YCgCo
    with pytest.raises(FootageError, match=r"colour matrix 8 .*bt709"):
        Framer(Framing(32, 32))(frame)


def test_a_damaged_tag_is_no_tag() -> None:
    frame = VideoFrame(64, 64, "yuv420p")
    frame.colorspace = 195
    assert str(colour_of(frame)) == "bt601/limited"


@pytest.mark.parametrize(("transfer", "white"), [(16, 0.581), (18, 0.75)])  # BT.2408: reference white, PQ and HLG
@pytest.mark.parametrize("primaries", [9, 2])
def test_hdr_reference_white_becomes_white_and_grey_stays_grey(transfer: int, white: float, primaries: int) -> None:
    def shown(level: float) -> np.ndarray:
        frame = VideoFrame(64, 64, "yuv420p10le")
        for plane, value in zip(frame.planes, (64 + 876 * level, 512, 512), strict=True):
            plane.update(np.full(plane.buffer_size // 2, round(value), "<u2").tobytes())
        frame.color_trc, frame.colorspace, frame.color_range = transfer, 9, 1
        frame.color_primaries = primaries
        return Framer(Framing(16, 16))(frame)[8, 8]

    levels = [shown(level) for level in (0, white / 3, white / 2, white, 1)]
    assert all(np.ptp(level) <= 1 for level in levels)
    values = [int(level[0]) for level in levels]
    assert values == sorted(values)
    assert values[0] == 0
    assert 40 < values[2] < 160
    assert values[3] >= 215
    assert values[4] == 255


def test_transparency_lies_on_black() -> None:
    pixels = np.full((32, 32, 4), 200, np.uint8)
    pixels[:, :16, 3] = 0
    pixels[:, 16:, 3] = 255
    out = Framer(Framing(32, 32))(VideoFrame.from_ndarray(pixels, format="rgba"))
    assert out[:, :15].max() == 0
    assert out[:, 17:].min() >= 199


@pytest.mark.parametrize(
    ("fit", "size"),
    [(Fit.CONTAIN, (192, 144)), (Fit.COVER, (256, 192)), (Fit.STRETCH, (256, 144))],
)
def test_fitted_sizes_of_a_four_by_three_picture(fit: Fit, size: tuple[int, int]) -> None:
    assert fitted_size(640, 480, Framing(256, 144, fit)) == size


def test_contain_pads_with_black_cover_crops_the_centre_stretch_keeps_all() -> None:
    pixels = np.zeros((48, 96, 3), np.uint8)
    pixels[:, :24], pixels[:, 24:72], pixels[:, 72:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    frame = VideoFrame.from_ndarray(pixels, format="rgb24")
    contained = Framer(Framing(48, 48))(frame)
    assert contained[:11].max() == 0
    assert contained[37:].max() == 0
    assert contained[24, 2].tolist() == [255, 0, 0]
    covered = Framer(Framing(48, 48, Fit.COVER))(frame)
    assert (covered == (0, 255, 0)).all()
    stretched = Framer(Framing(48, 48, Fit.STRETCH))(frame)
    assert stretched[0, 2].tolist() == [255, 0, 0]
    assert stretched[47, 45].tolist() == [0, 0, 255]


def test_pixel_aspect_widens_the_picture() -> None:
    white = VideoFrame.from_ndarray(np.full((72, 64, 3), 255, np.uint8), format="rgb24")
    out = Framer(Framing(64, 36), sample_aspect=Fraction(2))(white)  # shown as 128x72
    assert out.min() == 255


@pytest.mark.parametrize("width", [1, 3, 37, 101])
@pytest.mark.parametrize("height", [1, 5, 33])
def test_odd_sizes(width: int, height: int) -> None:
    frame = VideoFrame.from_ndarray(np.full((height, width, 3), 180, np.uint8), format="rgb24")
    out = Framer(Framing(17, 31, Fit.COVER))(frame)
    assert out.shape == (31, 17, 3)
    assert np.abs(out.astype(int) - 180).max() <= 1


def test_one_framer_follows_a_source_that_changes_size_and_format() -> None:
    framer = Framer(Framing(32, 18))
    first = framer(VideoFrame.from_ndarray(np.full((36, 64, 3), 90, np.uint8), format="rgb24"))
    wide = bars_yuv("bt709", False)
    second = framer(wide)
    third = framer(VideoFrame.from_ndarray(np.full((108, 192, 3), 200, np.uint8), format="bgr24"))
    assert np.abs(first.astype(int) - 90).max() <= 1
    assert second.any()
    assert np.abs(third.astype(int) - 200).max() <= 1


def test_results_are_contiguous_and_are_not_shared() -> None:
    framer = Framer(Framing(32, 18))
    first = framer(VideoFrame.from_ndarray(np.full((18, 32, 3), 10, np.uint8), format="rgb24"))
    before = first.copy()
    framer(VideoFrame.from_ndarray(np.full((18, 32, 3), 250, np.uint8), format="rgb24"))
    assert first.flags.c_contiguous
    assert (first == before).all()


def test_fine_detail_averages_out_instead_of_aliasing() -> None:
    checks = (np.indices((180, 320)).sum(0) % 2 * 255).astype(np.uint8)
    frame = VideoFrame.from_ndarray(np.repeat(checks[..., None], 3, axis=2), format="rgb24")
    out = Framer(Framing(64, 36))(frame).astype(int)
    assert np.abs(out - 128).max() <= 12


def test_orientations_are_the_eight_of_a_square() -> None:
    picture = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    assert Orientation().apply(picture)[..., 0].tolist() == [[0, 1, 2], [3, 4, 5]]
    clockwise = Orientation(True, flip_x=True)
    assert clockwise.apply(picture)[..., 0].tolist() == [[3, 0], [4, 1], [5, 2]]
    half = Orientation(flip_x=True, flip_y=True)
    assert half.apply(picture)[..., 0].tolist() == [[5, 4, 3], [2, 1, 0]]


def test_place_of_an_exact_picture_changes_nothing() -> None:
    picture = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    assert (place(picture, Framing(3, 2)) == picture).all()


def test_framing_is_written_and_read_back() -> None:
    for fit in Fit:
        framing = Framing(256, 144, fit)
        assert Framing.parse(str(framing)) == framing
    for wrong in ("", "256x144", "256 contain", "0x144 contain", "256x144 squeeze", "axb cover"):
        with pytest.raises(InputError, match="framing"):
            Framing.parse(wrong)


def test_framing_refuses_sizes_that_are_no_picture() -> None:
    with pytest.raises(InputError, match="width is 0"):
        Framing(0, 144)
