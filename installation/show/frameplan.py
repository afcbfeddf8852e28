"""What `plan` decides: which pictures, how mixed, with what look. Small, hashable, free of arrays."""

from __future__ import annotations

from dataclasses import dataclass

from installation.show.timebase import Instant

FULL = 65535  # weights and steering are counted in 1/65535


@dataclass(frozen=True, slots=True)
class LatentTerm:
    """One film at one position (q32 frames), weighing `weight` / 65535 in the latent mix it belongs to."""

    film: str
    position: int
    weight: int


@dataclass(frozen=True, slots=True)
class FrameKey:
    """Names a decoded frame: latents of one space, mixed, leaning along axes.

    `terms` weigh 65535 together; `steering` is (axis index from 0, amount in 1/65535 from -1 to 1), without zeros,
    sorted.
    """

    terms: tuple[LatentTerm, ...]
    steering: tuple[tuple[int, int], ...] = ()

    @property
    def films(self) -> tuple[str, ...]:
        """Ids of the films in it, bottom to top."""
        return tuple(term.film for term in self.terms)


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame and its share, `weight` / 65535, of the sum that is shown. What the shares leave is black."""

    key: FrameKey
    weight: int


@dataclass(frozen=True, slots=True)
class Look:
    """How the canvas is made from frames. `brightness` 0-1 has every master in it: 0 is exactly black."""

    fit: str = "contain"
    upscale: str = "lanczos"
    brightness: float = 1.0
    grain: float = 0.0


@dataclass(frozen=True, slots=True)
class FramePlan:
    """The picture of one decode instant: the sum of `pictures` (bottom to top), seen with `look`. Grain and dither
    are seeded by `instant.k`.
    """

    instant: Instant
    period_ns: float
    pictures: tuple[Picture, ...]
    look: Look
