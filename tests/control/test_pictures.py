"""Previews on their way to a browser."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from installation.control.pictures import jpeg
from installation.show.pictures import PictureBoard


def test_a_preview_becomes_a_jpeg_once_however_many_ask() -> None:
    board = PictureBoard()
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[:16] = (200, 40, 40)  # red above, black below
    board.publish(picture.tobytes(), (32, 32), 5)
    preview = board.preview()
    assert preview is not None
    encoded = jpeg(preview)
    image = Image.open(BytesIO(encoded))
    assert (image.format, image.size) == ("JPEG", (32, 32))
    assert np.abs(np.asarray(image).astype(int) - picture).mean() < 5
    assert all(jpeg(preview) is encoded for _ in range(10))
    board.publish(picture[::-1].tobytes(), (32, 32), 6)
    following = board.preview()
    assert following is not None
    assert following.serial == 2
    assert jpeg(following) != encoded
