"""Pictures of pictures: contact sheets, rows with words beside them, files and data URLs of them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from installation.errors import InputError, UnavailableError

GAP = 4  # pixels between pictures
JPEG_QUALITY = 88
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
_LABEL_SIZE = 13  # pixels high
_LABEL_WIDTH = 110
_LEAST_HEIGHT = 80  # of pictures with words beside them
_INK, _PAPER = 220, 48  # so that black pictures have an edge

Pictures = NDArray[np.uint8]


def contact_sheet(pairs: Sequence[tuple[Pictures, Pictures]], columns: int = 4) -> Pictures:
    """Pairs (footage, memory), each (H, W, 3), footage over memory, `columns` pairs in a row -> one picture."""
    height, width, _ = pairs[0][0].shape
    columns = min(columns, len(pairs))
    rows = -(-len(pairs) // columns)
    sheet = np.zeros((rows * (2 * height + GAP) - GAP, columns * (width + GAP) - GAP, 3), np.uint8)
    for index, (real, memory) in enumerate(pairs):
        top, left = index // columns * (2 * height + GAP), index % columns * (width + GAP)
        sheet[top : top + 2 * height, left : left + width] = np.concatenate([real, memory])
    return sheet


def labelled_rows(rows: Sequence[tuple[str, Sequence[Pictures]]]) -> Pictures:
    """Rows of pictures (H, W, 3), all of one size, each row with words on its left -> one picture.

    Small pictures are magnified by a whole factor, so that the words fit.
    """
    factor = -(-_LEAST_HEIGHT // rows[0][1][0].shape[0])
    height, width, _ = (side * factor for side in rows[0][1][0].shape)
    columns = max(len(pictures) for _, pictures in rows)
    size = _LABEL_WIDTH + columns * (width + GAP) - GAP, len(rows) * (height + GAP) - GAP
    sheet = Image.new("RGB", size, (_PAPER,) * 3)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_LABEL_SIZE)
    for number, (label, pictures) in enumerate(rows):
        top = number * (height + GAP)
        draw.multiline_text((4, top + 4), label, fill=(_INK,) * 3, font=font)
        for column, picture in enumerate(pictures):
            large = picture.repeat(factor, axis=0).repeat(factor, axis=1)
            sheet.paste(Image.fromarray(large), (_LABEL_WIDTH + column * (width + GAP), top))
    return np.asarray(sheet, np.uint8)


def as_bytes(picture: NDArray[np.floating]) -> Pictures:
    """[0, 1] -> 0..255."""
    levels: Pictures = np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return levels


def write_picture(path: Path, picture: Pictures) -> None:
    """(H, W, 3) as PNG or JPEG, by the file's name. Raises InputError for another name, UnavailableError."""
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise InputError(f"{path}: pictures are written as {', '.join(_FORMATS)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path, format=kind, quality=JPEG_QUALITY, optimize=True)
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be written: {error.strerror or error}") from error


def data_url(picture: Pictures) -> str:
    """A JPEG of (H, W, 3) that a page can carry inside itself."""
    memory = io.BytesIO()
    Image.fromarray(picture).save(memory, format="JPEG", quality=JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(memory.getvalue()).decode()
