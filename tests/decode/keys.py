"""Keys, plans, shows and decoders for the tests of decoding."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from installation.decode.decoders import Decoders
from installation.latents.mix import LiveFilm
from installation.latents.stream import read_stream
from installation.nets.decoder import Decoder
from installation.nets.model import read_model
from installation.show.frameplan import FULL, FrameKey, FramePlan, LatentTerm, Look, Picture
from installation.show.timebase import FRAME_Q32, JOTS_PER_NS, Instant

MS = 1_000_000
PERIOD = 40 * MS


def key(frame: float, film: str = "one", steering: int = 0) -> FrameKey:
    position = round(frame * FRAME_Q32)
    return FrameKey((LatentTerm(film, position, FULL),), ((0, steering),) if steering else ())


def plan(k: int, *keys: FrameKey) -> FramePlan:
    """Instant k, due at k periods, of the given pictures; frame k of film "one" if none are given."""
    pictures = tuple(Picture(each, FULL // max(1, len(keys))) for each in (keys or (key(k),)))
    return FramePlan(Instant(0, k, k * PERIOD * JOTS_PER_NS), PERIOD, pictures, Look())


def plans(first: int, count: int = 9) -> Sequence[FramePlan]:
    return [plan(k) for k in range(first, first + count)]


def open_decoders(folder: Path, live: Mapping[str, LiveFilm] | None = None) -> Decoders:
    """All films of a model folder."""
    model = read_model(folder)
    decoder = Decoder.open(model.decoders[0], "cpu")
    return Decoders({model.space: decoder}, {name: read_stream(path) for name, path in model.films.items()}, live)


class Watched(Decoders):
    """Real decoders that tell what was decoded, and that a test may hold up or break."""

    def __init__(self, real: Decoders) -> None:
        self.__dict__.update(real.__dict__)
        self.keys: list[FrameKey] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.fault: Exception | None = None
        self._done = threading.Condition()

    def decode(self, key: FrameKey, out: np.ndarray) -> bool:
        self.entered.set()
        assert self.gate.wait(10)
        if self.fault is not None:
            raise self.fault
        done = super().decode(key, out)
        with self._done:
            if done:
                self.keys.append(key)
            self._done.notify_all()
        return done

    def wait_for(self, condition: Callable[[list[FrameKey]], bool]) -> bool:
        """Until what was decoded fulfils a condition; False if it never does."""
        with self._done:
            return self._done.wait_for(lambda: condition(self.keys), 10)
