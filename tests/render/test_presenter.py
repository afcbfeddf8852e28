"""The headless presenter, fences, and waits that can be woken."""

from __future__ import annotations

import threading
import time

import numpy as np

from installation.render.compose import Renderer, WeightedFrame
from installation.render.egl import EglPresenter, offscreen_target
from installation.render.gl import Graphics
from installation.render.presenter import Readback, Waiter, finish_drawing
from installation.show.frameplan import Look
from tests.render.reference import random_frame


def test_egl_presents_what_was_drawn() -> None:
    presenter = EglPresenter((64, 36))
    try:
        assert presenter.size == (64, 36)
        assert presenter.attached
        assert presenter.refresh_hz is None
        assert list(presenter.poll(0)) == []
        frame = np.ones((9, 16, 4), np.float16)
        Renderer(presenter.graphics).draw([WeightedFrame(frame, "white", 1.0)], Look(), 0, presenter.target)
        presenter.present()
        assert (Readback(presenter.graphics.calls, (64, 36)).read(presenter.target) >= 254).all()
    finally:
        presenter.close()


def test_other_threads_run_while_frames_are_drawn(graphics: Graphics) -> None:
    """Python's lock is free in dispatches and waits: a counting thread is not shut out for a whole frame."""
    renderer, target = Renderer(graphics), offscreen_target(graphics, (1920, 1080))
    frame = random_frame(144, 256, 1)
    renderer.draw([WeightedFrame(frame, 0, 1.0)], Look(), 0, target)
    finish_drawing(graphics.calls)
    drawn = threading.Event()
    gaps: list[float] = []

    def count() -> None:
        last = time.thread_time(), time.monotonic()
        while not drawn.is_set():
            now = time.thread_time(), time.monotonic()
            gaps.append(now[1] - last[1])
            last = now

    thread = threading.Thread(target=count)
    thread.start()
    started = time.monotonic()
    for k in range(1, 6):
        renderer.draw([WeightedFrame(frame, k, 1.0)], Look(), k, target)
        finish_drawing(graphics.calls)
    elapsed = time.monotonic() - started
    drawn.set()
    thread.join()
    assert len(gaps) > 100
    assert sum(gap for gap in gaps if gap < 0.004) > 0.2 * elapsed


def test_waits_end_on_wake_and_on_time() -> None:
    waiter = Waiter()
    waiter.wake()
    waiter.wait(60_000_000_000)  # was woken before: returns at once
    waiter.wait(1_000_000)
    thread = threading.Thread(target=waiter.wake)
    thread.start()
    waiter.wait(60_000_000_000)
    thread.join()


def test_readback_uses_the_same_memory(graphics: Graphics) -> None:
    target = offscreen_target(graphics, (8, 4))
    readback = Readback(graphics.calls, (8, 4))
    first = readback.read(target)
    target.framebuffer.clear(1.0, 0.0, 0.0, 1.0)
    second = readback.read(target)
    assert first.base is second.base
    assert second[0, 0].tolist() == [255, 0, 0]
