"""A show's films made decodable, and what is made of them besides."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from installation.decode.decoders import Decoders
from installation.show.pictures import PictureBoard
from installation.wiring.films import open_films, spare_work
from installation.wiring.loading import load_work
from tests.onnx_models import make_model


@pytest.mark.parametrize(("page", "count"), [("", 5), ("[page]\nport = false\n", 0)])
def test_thumbnails_are_made_for_a_page_and_not_without_one(tmp_path: Path, page: str, count: int) -> None:
    make_model(tmp_path / "model")
    show = tmp_path / "show.toml"
    show.write_text(f'model = "model"\n{page}', "utf-8")
    work, board = load_work(show, None, Fraction(60)), PictureBoard()
    films = open_films(work)
    for _ in spare_work(work, Decoders(films.decoders, films.streams), board):
        pass
    assert len(board.thumbnails) == count
