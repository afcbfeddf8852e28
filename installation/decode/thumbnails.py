"""Thumbnails: for everything a show can play, one picture that tells it from the others, as a small JPEG.

They are made by the decode worker when it has nothing else to do, so that they need no decoder, no memory and no
processor that the wall might want.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from io import BytesIO
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from installation.decode.decoders import Decoders
from installation.decode.slots import Frame
from installation.errors import AfterimageError
from installation.show.frameplan import FULL, FrameKey, LatentTerm
from installation.show.library import Library, Scene
from installation.show.pictures import PictureBoard
from installation.show.timebase import FRAME_Q32

CANDIDATES = 5  # frames of a scene that are looked at
MOST = 400  # thumbnails of a show, about 10 kB each
LONGEST_SIDE = 320
QUALITY = 80  # of 100
_LEVELS = 64  # of brightness, told apart
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # BT.709


def thumbnails(library: Library, decoders: Decoders, board: PictureBoard) -> Iterator[None]:
    """Make what is not on the board yet and hang it up, one by one. Each step takes about as long as a decode.

    A live film looks like what is shown while it is away. What cannot be decoded has no thumbnail.
    """
    made: dict[tuple[FrameKey, ...], bytes] = {}
    for name, scene in islice(_everything(library), MOST):
        if name in board.thumbnails:
            continue
        keys = candidates(scene)
        if keys not in made:
            picture = yield from _most_telling(keys, decoders)
            if picture is None:
                continue
            made[keys] = _encoded(picture)
            yield
        board.hang(name, made[keys])


def candidates(scene: Scene) -> tuple[FrameKey, ...]:
    """The frames of a scene to choose from: evenly spread, whole, without its ends."""
    frames = scene.length // FRAME_Q32
    chosen = dict.fromkeys(frames * number // (CANDIDATES + 1) for number in range(1, CANDIDATES + 1))
    starts = (scene.start + frame * FRAME_Q32 for frame in chosen)
    return tuple(FrameKey((LatentTerm(scene.film.id, position, FULL),)) for position in starts)


def detail(picture: NDArray[np.uint8]) -> float:
    """How much there is to see in a picture (H, W, 3): the entropy of its brightness, 0 to 6 bits. None in black,
    little in a title on black.
    """
    levels = (picture @ _LUMA).astype(np.uint8) // (256 // _LEVELS)  # (H, W)
    shares = np.bincount(levels.ravel(), minlength=_LEVELS) / levels.size
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())


def _everything(library: Library) -> Iterator[tuple[str, Scene]]:
    """What buttons can be for, as they say it, and the scene that it looks like."""
    whole = {id_: library.whole(id_) for id_ in library.films}
    named = [(f"scene/{id_}", scene) for id_, scene in library.scenes.items()]
    named += [(f"film/{id_}", scene) for id_, scene in whole.items()]
    named += [(f"programme/{id_}", scene) for id_, each in library.programmes.items() for scene in each.scenes[:1]]
    for name, scene in named:
        seen = whole.get(scene.film.fallback or "") if scene.film.live else scene
        if seen is not None and not seen.film.live:
            yield name, seen


def _most_telling(keys: tuple[FrameKey, ...], decoders: Decoders) -> Generator[None, None, NDArray[np.uint8] | None]:
    """Decode every one of these frames; the first of those with the most detail, None if none can be decoded."""
    width, height = decoders.size_of(keys[0])
    frame: Frame = np.zeros((height, width, 4), np.float16)
    best, most = None, -1.0
    for key in keys:
        try:
            decoders.decode(key, frame)
        except AfterimageError:  # the worker reports the same when the wall wants it
            continue
        picture = (frame[..., :3].astype(np.float32) * 255 + 0.5).astype(np.uint8)
        if (found := detail(picture)) > most:
            best, most = picture, found
        yield
    return best


def _encoded(picture: NDArray[np.uint8]) -> bytes:
    image = Image.fromarray(picture)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))  # never larger
    encoded = BytesIO()
    image.save(encoded, "JPEG", quality=QUALITY)
    return encoded.getvalue()
