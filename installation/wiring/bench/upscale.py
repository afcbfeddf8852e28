"""How long one picture takes to draw: the real renderer on the headless presenter, every kernel, to full size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from installation.nets.decoder import Decoder
from installation.nets.model import ModelInfo
from installation.render.compose import Renderer, WeightedFrame
from installation.render.kernels import KERNELS
from installation.render.presenter import Presenter
from installation.show.frameplan import Look
from installation.wiring.bench.decode import Latents
from installation.wiring.bench.timing import Timing, timed

FRAMES = 8  # different ones, taken in turn


@dataclass(frozen=True, slots=True)
class UpscaleRow:
    """One kernel. Sizes are (width, height) in pixels."""

    kernel: str
    source: tuple[int, int]
    target: tuple[int, int]
    time: Timing


def decoded_frames(model: ModelInfo, z: Latents) -> tuple[NDArray[np.float16], ...]:
    """Some frames (H, W, 4) of a model, as its decoder makes them."""
    decoder = Decoder.open(model.decoders[0])
    frames = []
    for latent in z[:FRAMES]:
        frame = decoder.frame()
        decoder.decode(latent, frame)
        frames.append(frame)
    return tuple(frames)


def upscale_rows(
    presenter: Presenter, frames: tuple[NDArray[np.float16], ...], look: Look, *, warm_up: int, samples: int
) -> Iterator[UpscaleRow]:
    """Each kernel with the show's other looks. Every picture is a new frame: its upload is in the time, and the wait
    until the GPU has drawn it.
    """
    renderer = Renderer(presenter.graphics)
    for kernel in KERNELS:
        look = replace(look, upscale=kernel)
        first = WeightedFrame(frames[0], (kernel, 0), 1.0)
        renderer.prepare([first.size], look, presenter.target)

        def once(number: int, look: Look = look) -> None:
            frame = WeightedFrame(frames[number % len(frames)], (look.upscale, number), 1.0)
            renderer.draw([frame], look, number, presenter.target)
            presenter.present()

        yield UpscaleRow(kernel, first.size, presenter.size, timed(once, warm_up=warm_up, samples=samples))
