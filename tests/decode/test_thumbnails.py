"""Thumbnails: what they are of, that they tell, and that they are made only in passing."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from installation.decode.decoders import Decoders
from installation.decode.thumbnails import CANDIDATES, LONGEST_SIDE, MOST, candidates, detail, thumbnails
from installation.errors import ModelError
from installation.latents.stream import read_stream
from installation.nets.decoder import Decoder
from installation.show.frameplan import FrameKey
from installation.show.library import Library, Programme
from installation.show.pictures import PictureBoard
from installation.show.timebase import FRAME_Q32
from tests.decode.keys import Watched, key, open_decoders
from tests.decode.test_decoders import Live
from tests.onnx_models import SPACE, make_model
from tests.show.worlds import World, film, shot


def image(jpeg: bytes) -> np.ndarray:
    opened = Image.open(BytesIO(jpeg))
    assert opened.format == "JPEG"
    return np.asarray(opened).astype(int)


def telling(frame: int, frames: int = 48) -> np.ndarray:
    """Latents of a film that is black but for one frame, which is grey with a ramp."""
    z = np.full((frames, 8), -4.0, np.float32)
    z[:, 3:] = 0
    z[frame] = 0
    z[frame, 3] = 1
    return z


def made(library: Library, decoders: Decoders, board: PictureBoard) -> int:
    """Make all of them; how many steps that took."""
    return sum(1 for _ in thumbnails(library, decoders, board))


def test_everything_a_show_can_play_has_one_and_the_same_picture_is_made_once(tmp_path: Path) -> None:
    one, two = film("one", frames=48, space=SPACE), film("two", frames=48, space=SPACE)
    day = Programme("day", "Day", (shot(two, 4, 20, id="late"), shot(one, 0, 48)))
    library = World([one, two], [shot(one, 6, 30, id="part"), day.scenes[0]], [day]).show().library
    decoders, board = Watched(open_decoders(make_model(tmp_path / "m"))), PictureBoard()
    before = board.thumbnails
    steps = made(library, decoders, board)
    assert set(board.thumbnails) == {
        *("scene/one", "scene/two", "scene/part", "scene/late", "film/one", "film/two", "programme/day")
    }
    assert not before, "what somebody holds does not change"
    assert board.thumbnails["film/one"] is board.thumbnails["scene/one"]
    assert board.thumbnails["programme/day"] is board.thumbnails["scene/late"]
    assert len(decoders.keys) == 4 * CANDIDATES
    assert steps == 4 * (CANDIDATES + 1), "no step is more than a decode"
    assert all(image(each).shape == (9, 16, 3) for each in board.thumbnails.values())
    assert made(library, decoders, board) == 0, "a restart makes nothing again"


@pytest.mark.parametrize("shown", [8, 24, 40])
def test_the_frame_with_the_most_to_see_is_taken(tmp_path: Path, shown: int) -> None:
    decoders = open_decoders(make_model(tmp_path / "m", {"one": telling(shown)}))
    board = PictureBoard()
    made(World([film("one", frames=48, space=SPACE)]).show().library, decoders, board)
    picture = image(board.thumbnails["film/one"])
    assert 100 < picture.mean() < 150
    assert picture[:, -1].mean() - picture[:, 0].mean() > 90, "the ramp, the right way round"


def test_candidates_are_whole_frames_of_the_scene_and_not_its_ends() -> None:
    frames = film("one", frames=240)
    assert candidates(shot(frames, 100, 60)) == tuple(key(frame) for frame in (110, 120, 130, 140, 150))
    assert candidates(shot(frames, 7, 1)) == (key(7),)
    slow = replace(shot(frames, 0, 2), length=2 * FRAME_Q32)
    assert candidates(slow) == (key(0), key(1))


def test_detail_is_none_in_black_little_in_titles_and_much_in_pictures() -> None:
    black = np.zeros((144, 256, 3), np.uint8)
    title = black.copy()
    title[60:80, 100:150] = 255
    noise = np.random.default_rng(1).integers(0, 256, (144, 256, 1), np.uint8).repeat(3, axis=2)
    assert detail(black) == detail(black + 200) == 0
    assert 0 < detail(title) < 0.5
    assert 5.9 < detail(noise) <= 6


def test_a_live_film_looks_like_what_is_shown_while_it_is_away(tmp_path: Path) -> None:
    one = film("one", frames=48, space=SPACE)
    door = replace(film("door", frames=0, space=SPACE, live=True), fallback="one")
    eye = film("eye", frames=0, space=SPACE, live=True)
    decoders = open_decoders(make_model(tmp_path / "m"), {"door": Live(), "eye": Live()})
    board = PictureBoard()
    made(World([one, door, eye]).show().library, decoders, board)
    assert set(board.thumbnails) == {
        *("scene/one", "film/one", "scene/door", "film/door", "programme/all"),
    }
    assert board.thumbnails["film/door"] is board.thumbnails["film/one"]


def test_large_pictures_are_made_small_in_their_own_shape(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "m", {"one": 12}, h=480, w=360)
    decoders = Decoders(
        {SPACE: Decoder.open(folder / "decoder.onnx", "cpu")}, {"one": read_stream(folder / "films/one.safetensors")}
    )
    board = PictureBoard()
    made(World([film("one", frames=12, space=SPACE)]).show().library, decoders, board)
    assert image(board.thumbnails["film/one"]).shape == (LONGEST_SIDE, LONGEST_SIDE * 3 // 4, 3)


class Broken(Watched):
    """Decoders that cannot decode one of the films."""

    def decode(self, key: FrameKey, out: np.ndarray) -> bool:
        if "one" in key.films:
            raise ModelError("the driver fell over")
        return super().decode(key, out)


def test_what_cannot_be_decoded_has_none_and_keeps_nothing_from_the_others(tmp_path: Path) -> None:
    decoders, board = Broken(open_decoders(make_model(tmp_path / "m"))), PictureBoard()
    library = World([film(name, frames=48, space=SPACE) for name in ("one", "two")]).show().library
    made(library, decoders, board)
    assert set(board.thumbnails) == {"scene/two", "film/two"}


def test_their_number_is_bounded(tmp_path: Path) -> None:
    one = film("one", frames=48, space=SPACE)
    scenes = [shot(one, 6, 30, id=f"part{number}") for number in range(MOST + 50)]
    board = PictureBoard()
    made(World([one], scenes).show().library, open_decoders(make_model(tmp_path / "m")), board)
    assert len(board.thumbnails) == MOST
