"""Pictures for people who are elsewhere: what is on the canvas, small, made only while somebody watches; and what each
thing that can be played looks like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """The canvas as it was at show time `at_ns`: `size` (width, height) pixels of three bytes, RGB, row 0 on top.

    `serial` rises with every preview of a board.
    """

    pixels: bytes
    size: tuple[int, int]
    serial: int
    at_ns: int


class PictureBoard:
    """Where the player's pictures hang. Writing and reading a reference is atomic, so nobody waits for anybody.

    Previews cost something, so they are made for a while after somebody asked, and then no more.
    """

    def __init__(self) -> None:
        self._preview: Preview | None = None
        self._asked = 0
        self._thumbnails: Mapping[str, bytes] = MappingProxyType({})

    def ask(self) -> None:
        """Somebody watches. Say it again at least once a second for as long as that is so. Control thread only."""
        self._asked += 1

    @property
    def asked(self) -> int:
        """How often somebody has asked: another number than before means that somebody watches."""
        return self._asked

    def publish(self, pixels: bytes, size: tuple[int, int], at_ns: int) -> None:
        """Hang up a new preview. Main thread only."""
        serial = 1 if self._preview is None else self._preview.serial + 1
        self._preview = Preview(pixels, size, serial, at_ns)

    def preview(self) -> Preview | None:
        """The newest preview, from any thread; None before the first."""
        return self._preview

    def hang(self, name: str, thumbnail: bytes) -> None:
        """Hang up a thumbnail. Decode worker only."""
        self._thumbnails = MappingProxyType({**self._thumbnails, name: thumbnail})

    @property
    def thumbnails(self) -> Mapping[str, bytes]:
        """JPEG files by what they are of: "scene/visit", "film/tramp", "programme/day". Those there are now."""
        return self._thumbnails
