"""Everything that turns a frame's key into its picture: the decoders, and the films their latents come from."""

from __future__ import annotations

from collections.abc import Mapping

from installation.decode.slots import Frame, Size
from installation.errors import StreamError
from installation.latents.mix import LiveFilm, latent_of
from installation.latents.stream import LatentStream
from installation.nets.decoder import Decoder
from installation.show.frameplan import FrameKey


class Decoders:
    """A show's films and the decoders of their spaces. Used by one thread at a time."""

    def __init__(
        self,
        decoders: Mapping[str, Decoder],
        streams: Mapping[str, LatentStream],
        live: Mapping[str, LiveFilm] | None = None,
    ) -> None:
        """`decoders` by space, `streams` and `live` by film. StreamError if a film fits none of the decoders."""
        self._decoders = dict(decoders)
        self._streams = dict(streams)
        self._live = dict(live or {})
        self._spaces = {film: stream.space for film, stream in self._streams.items()}
        self._spaces.update({film: source.space for film, source in self._live.items()})
        for film, space in self._spaces.items():
            _check_space(film, space, self._decoders)
        for film, stream in self._streams.items():
            _check_length(film, stream, self._decoders[stream.space])

    @property
    def sizes(self) -> frozenset[Size]:
        """(width, height) of all pictures there can be."""
        return frozenset(decoder.size for decoder in self._decoders.values())

    def size_of(self, key: FrameKey) -> Size:
        """(width, height) of the picture of `key`."""
        return self._decoder(key).size

    def is_live(self, key: FrameKey) -> bool:
        """Whether a live film is in it, so that its picture depends on when it is decoded."""
        return any(film in self._live for film in key.films)

    def decode(self, key: FrameKey, out: Frame) -> bool:
        """Decode `key` into `out` (H, W, 4); False, and nothing done, while a live film of it has shown nothing yet."""
        z = latent_of(key, self._streams, self._live)
        if z is None:
            return False
        self._decoder(key).decode(z, out)
        return True

    def _decoder(self, key: FrameKey) -> Decoder:
        return self._decoders[self._spaces[key.terms[0].film]]


def _check_space(film: str, space: str, decoders: Mapping[str, Decoder]) -> None:
    if space not in decoders:
        raise StreamError(f"film {film}: it is of space {space}; this show's models are {', '.join(sorted(decoders))}")


def _check_length(film: str, stream: LatentStream, decoder: Decoder) -> None:
    if stream.size != decoder.latent_size:
        raise StreamError(
            f"film {film}: its latents have {stream.size} numbers, its decoder wants {decoder.latent_size}"
        )
