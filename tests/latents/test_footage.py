"""Reading films: rates, shapes, selections, damage."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from installation.errors import FootageError
from installation.latents.footage import Fit, Footage, Framing
from tests.latents.making import BARS, bars_yuv, grey, greys, index_of, write_film

SMALL = Framing(32, 18)


def indices(path: Path, count: int, start: Fraction | None = None, stop: Fraction | None = None) -> list[int]:
    with Footage.open(path, SMALL, start, stop) as footage:
        pictures = list(footage)
        assert len(pictures) == footage.info.frames
    return [index_of(picture, count) for picture in pictures]


def test_constant_rate_footage_gives_every_picture_once(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", greys(50), fps=24)  # Matroska rounds to milliseconds
    with Footage.open(path, SMALL) as footage:
        info = footage.info
        pictures = list(footage)
    assert (info.fps, info.frames, info.constant_rate, info.title) == (24, 50, True, "a")
    assert (info.width, info.height, info.codec, info.colour) == (64, 36, "ffv1", "rgb/full")
    assert info.notes == ()
    assert [index_of(picture, 50) for picture in pictures] == list(range(50))
    assert all(p.shape == (18, 32, 3) and p.dtype == np.uint8 and p.flags.c_contiguous for p in pictures)


@pytest.mark.parametrize("fps", ["24000/1001", "25", "30000/1001", "60"])
@pytest.mark.parametrize(("suffix", "codec", "pix_fmt"), [("mp4", "libx264", "yuv420p"), ("webm", "libvpx", "yuv420p")])
def test_common_containers_and_rates(tmp_path: Path, suffix: str, codec: str, pix_fmt: str, fps: str) -> None:
    path = write_film(tmp_path / f"a.{suffix}", greys(40), fps=Fraction(fps), codec=codec, pix_fmt=pix_fmt)
    with Footage.open(path, SMALL) as footage:
        assert footage.info.fps == Fraction(fps)
    assert indices(path, 40) == list(range(40))


def test_iterating_again_starts_again(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", greys(8))
    with Footage.open(path, SMALL) as footage:
        first = iter(footage)
        next(first)
        assert len(list(footage)) == 8
        assert list(first) == []
        assert len(list(footage)) == 8


def test_a_selection_is_the_same_pictures(tmp_path: Path) -> None:
    options = {"g": "12", "bf": "3"}
    path = write_film(tmp_path / "a.mp4", greys(60), codec="libx264", pix_fmt="yuv420p", options=options)
    assert indices(path, 60, Fraction(1), Fraction(2)) == list(range(24, 48))
    assert indices(path, 60, Fraction(3, 100), None) == list(range(1, 60))
    assert indices(path, 60, None, Fraction(1, 24)) == [0]
    assert indices(path, 60, Fraction(59, 24), Fraction(100)) == [59]


@pytest.mark.parametrize(("start", "stop"), [(10, None), (1, 1), (2, 1), (-1, None), (None, 0)])
def test_a_selection_of_nothing_says_how_long_the_footage_is(
    tmp_path: Path, start: int | None, stop: int | None
) -> None:
    path = write_film(tmp_path / "a.mkv", greys(48))
    with pytest.raises(FootageError, match=r"a\.mkv.*2\.000 s long"):
        Footage.open(
            path, SMALL, Fraction(start) if start is not None else None, Fraction(stop) if stop is not None else None
        )


def test_variable_rate_is_sampled_and_said(tmp_path: Path) -> None:
    times = [0, 40, 80, 200, 240, 280, 320, 600, 640]
    path = write_film(tmp_path / "a.mkv", greys(9), times_ms=times)
    with Footage.open(path, SMALL) as footage:
        assert footage.info.fps == 25
        assert not footage.info.constant_rate
        assert "variable rate" in footage.info.notes[0]
    assert indices(path, 9) == [0, 1, 2, 2, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8]


def test_gif_holds_pictures_as_long_as_it_says(tmp_path: Path) -> None:
    images = [Image.fromarray(picture) for picture in greys(3)]
    images[0].save(tmp_path / "a.gif", save_all=True, append_images=images[1:], duration=[100, 300, 100])
    assert indices(tmp_path / "a.gif", 3) == [0, 1, 1, 1, 2]


def test_a_single_image_is_footage_of_one_frame(tmp_path: Path) -> None:
    Image.fromarray(grey(100)).save(tmp_path / "a.png")
    with Footage.open(tmp_path / "a.png", SMALL) as footage:
        (picture,) = list(footage)
    assert np.abs(picture.astype(int) - 100).max() <= 1


def test_a_folder_of_images_in_natural_order(tmp_path: Path) -> None:
    for index, picture in enumerate(greys(12)):
        Image.fromarray(picture).save(tmp_path / f"frame{index}.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "frame5.png").write_bytes(b"damaged")
    with Footage.open(tmp_path, SMALL) as footage:
        shown = [index_of(picture, 12) for picture in footage]
        assert footage.info.fps == 24
        assert footage.damage.packets == 1
    assert shown == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize(
    ("degrees", "hflip", "vflip", "corner"),
    [
        (0, False, False, (0, 0)),
        (90, False, False, (1, 0)),  # counterclockwise: top left goes to bottom left
        (180, False, False, (1, 1)),
        (-90, False, False, (0, 1)),
        (0, True, False, (0, 1)),
        (0, False, True, (1, 0)),
    ],
)
def test_rotation_and_mirroring(
    tmp_path: Path, degrees: int, hflip: bool, vflip: bool, corner: tuple[int, int]
) -> None:
    picture = grey(40, 64, 32)
    picture[:16, :32] = 220  # the top left quarter
    path = write_film(
        tmp_path / "a.mp4",
        [picture] * 3,
        codec="libx264",
        pix_fmt="yuv420p",
        setup=lambda stream: stream.set_display_rotation(degrees, hflip=hflip, vflip=vflip),
    )
    sideways = abs(degrees) == 90
    framing = Framing(16, 32) if sideways else Framing(32, 16)
    with Footage.open(path, framing) as footage:
        assert (footage.info.width, footage.info.height) == ((32, 64) if sideways else (64, 32))
        shown = next(iter(footage))[..., 0]
    height, width = shown.shape
    bright = {
        (row, column)
        for row in (0, 1)
        for column in (0, 1)
        if shown[height * (2 * row + 1) // 4, width * (2 * column + 1) // 4] > 128
    }
    assert bright == {corner}


def test_pixel_aspect(tmp_path: Path) -> None:
    def anamorphic(stream: VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(64, 45)

    path = write_film(
        tmp_path / "a.mp4", [grey(255, 720, 576)], codec="libx264", pix_fmt="yuv420p", setup=anamorphic, fps=25
    )
    with Footage.open(path, Framing(64, 36)) as footage:
        assert (footage.info.width, footage.info.height) == (1024, 576)
        assert next(iter(footage)).min() == 255


@pytest.mark.parametrize(("tag", "matrix", "full"), [(1, "bt709", False), (6, "bt601", False), (1, "bt709", True)])
def test_tagged_colour_through_a_file(tmp_path: Path, tag: int, matrix: str, full: bool) -> None:
    def tagged(stream: VideoStream) -> None:
        stream.codec_context.colorspace = tag
        stream.codec_context.color_range = 2 if full else 1

    frame = bars_yuv(matrix, full)
    frame.colorspace, frame.color_range = tag, 2 if full else 1
    path = write_film(
        tmp_path / "a.mkv", [frame], codec="libx264", pix_fmt="yuv444p", setup=tagged, options={"qp": "0"}
    )
    with Footage.open(path, Framing(160, 32, Fit.STRETCH)) as footage:
        assert footage.info.colour == f"{matrix}/{'full' if full else 'limited'}"
        shown = next(iter(footage))
    assert np.abs(shown[16, 8::16].astype(int) - np.round(BARS * 255)).max() <= 2


def test_ten_bits_odd_size_and_cropped_coding(tmp_path: Path) -> None:
    frames = [bars_yuv("bt601", False, bits=10, bar=11, height=37) for _ in range(3)]  # 110x37: no multiple of 16
    path = write_film(tmp_path / "a.mkv", frames, codec="libx264", pix_fmt="yuv444p10le", options={"qp": "0"})
    with Footage.open(path, Framing(55, 18, Fit.STRETCH)) as footage:
        assert (footage.info.width, footage.info.height) == (110, 37)
        pictures = list(footage)
    assert len(pictures) == 3
    assert np.abs(pictures[1][9, :4].astype(int) - 255).max() <= 2
    assert pictures[1][9, 40].max() <= 2


def test_hdr_is_read_and_said(tmp_path: Path) -> None:
    def hlg(stream: VideoStream) -> None:
        stream.codec_context.color_trc = 18
        stream.codec_context.colorspace = 9

    path = write_film(tmp_path / "a.mkv", greys(2), codec="libx264", pix_fmt="yuv420p", setup=hlg)
    with Footage.open(path, SMALL) as footage:
        assert "HDR footage (HLG)" in footage.info.notes[0]
        assert footage.info.colour == "bt2020/limited/hlg"
        assert len(list(footage)) == 2


def test_damage_is_counted_and_time_does_not_shift(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", greys(60), codec="libx264", pix_fmt="yuv420p", options={"g": "1"})
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    victim = bytes(packets[20])
    at = data.find(victim)
    data[at : at + len(victim)] = bytes(len(victim))
    path.write_bytes(data)
    with Footage.open(path, SMALL) as footage:
        shown = [index_of(picture, 60) for picture in footage]
        assert str(footage.damage) == "1 damaged packets, 0 damaged pictures"
    assert shown == [*range(20), 19, *range(21, 60)]


def test_a_picture_nobody_can_convert_is_held_over_and_counted(tmp_path: Path) -> None:
    frames = [bars_yuv("bt709", False) for _ in range(6)]
    path = write_film(tmp_path / "a.mkv", frames, codec="libx264", pix_fmt="yuv444p", options={"g": "1"})
    with Footage.open(path, SMALL) as footage:
        decode = footage._pictures.decode

        def damaged(seek_s: Fraction | None) -> Iterator[tuple[Fraction | None, VideoFrame]]:
            for index, (time, frame) in enumerate(decode(seek_s)):
                frame.colorspace = 8 if index in (0, 3) else 1  # YCgCo cannot be converted
                yield time, frame

        footage._pictures.decode = damaged
        pictures = list(footage)
        assert footage.damage.pictures == 2
    assert len(pictures) == 5  # nothing to hold before the first
    assert pictures[2] is pictures[1]


def test_truncated_footage_gives_what_there_is(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", greys(60))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with Footage.open(path, SMALL) as footage:
        shown = [index_of(picture, 60) for picture in footage]
    assert 10 < len(shown) < 60
    assert shown == list(range(len(shown)))


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "libx264"), ("webm", "libvpx"), ("ts", "mpeg2video")])
def test_any_damage_gives_pictures_or_a_footage_error(tmp_path: Path, suffix: str, codec: str) -> None:
    whole = write_film(tmp_path / f"a.{suffix}", greys(24), codec=codec, pix_fmt="yuv420p", fps=25).read_bytes()
    rng = np.random.default_rng(2016)
    path = tmp_path / f"b.{suffix}"
    for attempt in range(60):
        data = np.frombuffer(whole, np.uint8).copy()
        data[rng.integers(0, len(data), 1 + 3 * attempt)] = rng.integers(0, 256, 1 + 3 * attempt)
        path.write_bytes(data[: rng.integers(1, len(data))] if attempt % 3 == 0 else data)
        try:
            with Footage.open(path, SMALL) as footage:
                assert all(picture.shape == (18, 32, 3) for picture in footage)
        except FootageError as error:
            assert path.name in str(error)


def test_what_is_not_footage_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("this is not a film" * 100)
    (tmp_path / "folder").mkdir()
    for name, reason in (
        ("missing.mp4", "no such file"),
        ("empty.mp4", "cannot be opened"),
        ("text.mp4", "cannot be opened"),
        ("folder", "no image"),
    ):
        with pytest.raises(FootageError, match=reason) as caught:
            Footage.open(tmp_path / name, SMALL)
        assert name in str(caught.value)


def test_sound_alone_is_not_footage(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(FootageError, match=r"no video stream in it, only audio"):
        Footage.open(path, SMALL)
