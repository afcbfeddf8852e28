"""A show's films made decodable: decoders opened, streams read, live sources started."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from installation.clock import Clock, SystemClock
from installation.control.inbox import Inbox
from installation.decode.decoders import Decoders
from installation.decode.thumbnails import thumbnails
from installation.errors import CommandRefused
from installation.latents.framing import Framing
from installation.latents.live import LiveSource, PostedSource
from installation.latents.mix import LiveFilm
from installation.latents.stream import LatentStream, read_stream
from installation.nets.choose import open_decoder
from installation.nets.decoder import Decoder
from installation.nets.encoder import Encoder
from installation.nets.model import ModelInfo
from installation.nets.variant import told
from installation.show.commands import Command, Origin, Rank
from installation.show.pictures import PictureBoard
from installation.wiring.loading import FilmFiles, LoadedWork

# The live source that is not looked at but told: latents from /ai/latent.
OSC_SOURCE = "osc"


@dataclass(frozen=True, slots=True)
class OpenedFilms:
    """Decoders by space and streams by film id, ready to use."""

    decoders: Mapping[str, Decoder]
    streams: Mapping[str, LatentStream]

    @property
    def provider(self) -> str:
        """What the decoders really run on, in plain words."""
        return ", ".join(sorted({str(decoder.provider) for decoder in self.decoders.values()}))

    @property
    def decoding(self) -> str:
        """The same, with the variants that decode and what they lose."""
        return ", ".join(sorted({told(decoder) for decoder in self.decoders.values()}))

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(width, height) of every kind of frame there can be."""
        return tuple(sorted({decoder.size for decoder in self.decoders.values()}))


def open_films(work: LoadedWork) -> OpenedFilms:
    """Open what a show needs. Slow enough (network, memory) to be done beside something else."""
    models: dict[str, ModelInfo] = {film.model.space: film.model for film in work.films.values()}
    clock = SystemClock()
    config = work.config
    decoders = {
        space: open_decoder(model, config.provider, clock, precision=config.precision)
        for space, model in models.items()
    }
    streams = {id_: read_stream(film.stream) for id_, film in work.films.items() if film.stream is not None}
    return OpenedFilms(decoders, streams)


class LiveFilms:
    """A show's live sources, by film. Closing stops them."""

    def __init__(self, sources: Mapping[str, LiveSource | PostedSource]) -> None:
        self.films: Mapping[str, LiveFilm] = sources
        self._sources = sources

    def put(self, z: tuple[float, ...]) -> None:
        """A latent from outside, for every film whose source is "osc". Raises CommandRefused."""
        posted = [source for source in self._sources.values() if isinstance(source, PostedSource)]
        if not posted:
            raise CommandRefused("latent", 'this show has no film with live = "osc" to show a latent with')
        for source in posted:
            source.put(np.array(z, np.float32))

    def close(self) -> None:
        """Stop capturing and encoding."""
        for source in self._sources.values():
            if isinstance(source, LiveSource):
                source.close()

    def __enter__(self) -> LiveFilms:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def spare_work(work: LoadedWork, decoders: Decoders, pictures: PictureBoard) -> Iterable[None]:
    """What the decode worker does when it has nothing to decode: thumbnails, if there is a page to show them on."""
    return () if work.config.page.port is None else thumbnails(work.show.library, decoders, pictures)


def start_live(work: LoadedWork, clock: Clock, inbox: Inbox, report: Callable[[str], None]) -> LiveFilms:
    """Start every live source of a show; what becomes of them is posted as commands. None of them is waited for."""
    return LiveFilms(
        {
            id_: _live_source(id_, film, film.live, work.config.provider, clock, inbox, report)
            for id_, film in work.films.items()
            if film.live is not None
        }
    )


def _live_source(
    id_: str, film: FilmFiles, source: str, provider: str, clock: Clock, inbox: Inbox, report: Callable[[str], None]
) -> LiveSource | PostedSource:
    origin = Origin(Rank.SCHEDULE, id_)

    def post(command: Command) -> None:
        inbox.post((command,), origin)

    if source == OSC_SOURCE:
        return PostedSource(id_, film.model.space, film.model.latent_size, clock, post)
    assert film.model.encoder is not None
    encoder = Encoder.open(film.model.encoder, film.model.latent_size, film.model.size, provider, threads=1)
    framing = Framing(*film.model.size)
    return LiveSource(id_, source, film.model.space, encoder, framing, film.info.fps, clock, post, report)
