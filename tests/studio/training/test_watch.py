"""Collapse is noticed, slow learning and ordinary wavering are not taken for it."""

from __future__ import annotations

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from installation.studio.training.watch import Watch


def figures(psnr: float, spread: float = 1.0) -> dict[str, float]:
    return {"psnr": psnr, "spread": spread}


def learned(psnr: float = 25.0) -> Watch:
    watch = Watch()
    for step in range(200):
        assert watch.look(figures(10.0 + (psnr - 10.0) * min(1.0, step / 100), min(1.0, step / 100))) == ""
    assert watch.well
    return watch


def test_pictures_that_dissolve_are_noticed_soon_and_not_saved_on_the_way() -> None:
    watch, unwell = learned(), 0
    for _ in range(100):
        wrong = watch.look(figures(9.0))
        if wrong:
            break
        unwell += not watch.well
    assert wrong.startswith("pictures dissolved")
    assert unwell > 5


def test_pictures_that_become_one_are_noticed() -> None:
    watch = learned()
    found = [watch.look(figures(23.0, 0.01)) for _ in range(300)]
    assert "all pictures became one" in found


def test_a_slow_decline_is_no_collapse() -> None:
    watch = learned()
    assert not any(watch.look(figures(25.0 - step * 0.0008)) for step in range(12_000))


@given(st.lists(st.floats(20.0, 25.0), min_size=100, max_size=300))
def test_wavering_is_no_collapse(levels: list[float]) -> None:
    watch = Watch()
    assert not any(watch.look(figures(level, 0.5)) for level in levels)


def test_pictures_that_were_never_different_have_nothing_to_lose() -> None:
    watch = Watch()
    assert not any(watch.look(figures(12.0, 0.1 / (step + 1))) for step in range(300))


def test_it_survives_a_checkpoint() -> None:
    watch = learned()
    assert Watch(**asdict(watch)) == watch
