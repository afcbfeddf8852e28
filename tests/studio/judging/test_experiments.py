"""The paper's experiments: what each picture shows is what its models remember."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from installation.errors import FootageError, InputError, ModelError
from installation.studio.judging.experiments import COLUMNS, DARK_LEVELS, black, collapse, epochs, other, pairs_of
from installation.studio.judging.sheets import GAP
from installation.studio.training.report import save_picture, sheet
from tests.latents.making import grey, greys, write_film
from tests.onnx_models import make_model

H, W = 9, 16
TIMES = 9  # that figures magnify pictures so small


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """It remembers the mean colour of a frame, and nothing else."""
    return make_model(tmp_path / "model")


def cells(picture: np.ndarray) -> np.ndarray:
    """The pictures of a figure, (rows, columns, height, width, 3)."""
    height, width = H * TIMES, W * TIMES
    count = (picture.shape[0] + GAP) // (height + GAP)
    beside = picture.shape[1] + GAP - COLUMNS * (width + GAP)
    tops = [row * (height + GAP) for row in range(count)]
    lefts = [beside + column * (width + GAP) for column in range(COLUMNS)]
    return np.array([[picture[top : top + height, left : left + width] for left in lefts] for top in tops])


def level(cell: np.ndarray) -> float:
    return float(cell.astype(float).mean())


def test_another_film_is_shown_beside_its_memory(tmp_path: Path, model: Path) -> None:
    figure = other(write_film(tmp_path / "a.mkv", greys(50)), [model, make_model(tmp_path / "second")])
    footage, first, second = cells(figure.picture)
    assert [level(a) for a in footage] == pytest.approx([level(a) for a in first], abs=3)
    np.testing.assert_array_equal(first, second)
    assert level(footage[0]) < level(footage[-1])
    assert (figure.numbers["model"]["psnr_db"] or 0) > 40
    assert figure.caption == "a.mkv, seen through model, second"


def test_models_of_other_sizes_stand_side_by_side(tmp_path: Path, model: Path) -> None:
    figure = other(write_film(tmp_path / "a.mkv", greys(9)), [model, make_model(tmp_path / "large", h=18, w=32)])
    assert len(cells(figure.picture)) == 3


def test_the_black_frame(model: Path) -> None:
    figure = black([model])
    shown, memory, brighter = cells(figure.picture)
    assert [level(cell) for cell in shown] == list(DARK_LEVELS)
    assert [level(cell) for cell in memory] == pytest.approx(DARK_LEVELS, abs=1)
    assert level(brighter[1]) == pytest.approx(8 * DARK_LEVELS[1], abs=8)
    assert max(abs(value or 0) for value in figure.numbers["model"].values()) < 1


def test_collapse_finds_the_still_stretch_and_what_is_lost_of_it(tmp_path: Path, model: Path) -> None:
    spots = [grey(90) for _ in range(20)]
    for index, picture in enumerate(spots):
        picture[8:16, 3 * index : 3 * index + 6] = 110  # moves, which the mean does not tell
    swing = [grey(125 + 4 * (index % 2)) for index in range(14)]
    footage = write_film(tmp_path / "a.mkv", greys(10) + spots + [grey(250)] * 3 + swing)
    figure = collapse(footage, [model])
    numbers = figure.numbers["model"]
    assert (numbers["distinctness_here"] or 0) < 0.1 < (numbers["distinctness"] or 0)
    assert "frames 10 to 29 of a.mkv" in figure.caption
    real, apart, memory, forgotten = cells(figure.picture)
    assert np.ptp(real[0].astype(int)) > 10 > np.ptp(memory[0].astype(int))
    assert np.abs(apart.astype(int) - 128).max() > 40
    assert np.abs(forgotten.astype(int) - 128).max() < 10


def test_footage_without_a_still_shot_has_nothing_to_collapse(tmp_path: Path, model: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, 36, 64, 3)).astype(np.uint8)
    with pytest.raises(FootageError, match="nothing in it is nearly still"):
        collapse(write_film(tmp_path / "a.mkv", list(noise)), [model])


def test_models_that_could_not_be_told_apart_are_refused(tmp_path: Path, model: Path) -> None:
    with pytest.raises(InputError, match="two of the models are named 'model'"):
        black([model, make_model(tmp_path / "elsewhere" / "model")])


def test_epochs_lie_one_under_the_other(tmp_path: Path) -> None:
    folder = tmp_path / "model" / "train" / "sheets"
    folder.mkdir(parents=True)
    footage = np.stack([np.full((H, W, 3), 20 * index, np.uint8) for index in range(8)])
    for number, error in ((0, 60), (1, 30), (12, 5)):
        save_picture(sheet(footage, footage + np.uint8(error)), folder / f"epoch-{number:06}.png")
    figure = epochs(tmp_path / "model")
    assert list(figure.numbers) == ["epoch 0", "epoch 1", "epoch 12"]
    assert figure.numbers["epoch 12"]["psnr_db"] == pytest.approx(20 * np.log10(255 / 5), abs=0.01)
    real, *memories = cells(figure.picture)
    assert [level(cell) for cell in real] == [0, 20, 60, 100, 140]
    assert [level(row[0]) for row in memories] == [60, 30, 5]


def test_a_trainings_sheet_is_taken_apart_as_it_was_laid_out() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 8, H, W, 3)).astype(np.uint8)
    footage, memory = pairs_of(sheet(*pictures))
    np.testing.assert_array_equal(np.stack(footage), pictures[0][[0, 1, 3, 5, 7]])
    np.testing.assert_array_equal(np.stack(memory), pictures[1][[0, 1, 3, 5, 7]])


def test_without_sheets_there_are_no_epochs(model: Path) -> None:
    with pytest.raises(ModelError, match="no sheets of epochs"):
        epochs(model)
