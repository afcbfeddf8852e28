"""Footage: the pictures of a source film, framed for the network, at a constant rate.

    with Footage.open(Path("film.mkv"), Framing(256, 144)) as footage:
        print(footage.info.fps, footage.info.frames)
        for picture in footage:            # uint8 (144, 256, 3) RGB
            ...

Any container PyAV opens, a GIF, a single image, or a folder of images (in natural order, 24 a second). `open` reads
the file's timestamps once without decoding (`timeline`) and decodes one picture; iterating decodes from the start, or
from the last key picture before `start_s`. What does not decode is counted in `damage` and the picture before it
holds, so that time never shifts. Studio and bench read through this; live sources use `framing.Framer`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from av.video.frame import VideoFrame

from installation.errors import FootageError
from installation.latents.framing import Colour, Fit, Framer, Framing, Picture, colour_of, displayed_size
from installation.latents.pictures import FilePictures, FolderPictures, Pictures
from installation.latents.timeline import Timeline, in_slots

__all__ = ["Damage", "Fit", "Footage", "FootageInfo", "Framer", "Framing", "Picture", "footage_sha256"]

_CHUNK = 1 << 20  # bytes hashed at a time


@dataclass(frozen=True, slots=True)
class FootageInfo:
    """What is known of footage before it is read.

    width, height: in square pixels as displayed (after pixel aspect and rotation). frames: slots between start and
    stop; exact for whole files. constant_rate: False where pictures are sampled from variable-rate footage. notes:
    what a person should know, in plain words.
    """

    path: Path
    title: str
    fps: Fraction
    width: int
    height: int
    frames: int
    colour: str
    codec: str
    pixel_format: str
    constant_rate: bool
    start_frame: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Damage:
    """What the last complete reading could not decode: packets lost, pictures broken or of no usable kind."""

    packets: int = 0
    pictures: int = 0

    def __bool__(self) -> bool:
        return self.packets + self.pictures > 0

    def __str__(self) -> str:
        return f"{self.packets} damaged packets, {self.pictures} damaged pictures"


class Footage:
    """Footage opened for reading; iterate as often as you like, each time from the start. Not for sharing between
    threads."""

    def __init__(self, pictures: Pictures, info: FootageInfo, framing: Framing, timeline: Timeline) -> None:
        """Use `Footage.open`."""
        self.info = info
        self.framing = framing
        self._pictures = pictures
        self._timeline = timeline
        self._running: Generator[Picture, None, None] | None = None
        self._unusable = 0

    @classmethod
    def open(
        cls, path: Path, framing: Framing, start_s: Fraction | None = None, stop_s: Fraction | None = None
    ) -> Footage:
        """Open a file or a folder of images. Times are seconds from its first picture; frames n with start <= n/fps <
        stop are read.

        Raises FootageError when there is no such file, no picture in it, or nothing between start and stop.
        """
        pictures = open_pictures(path)
        timeline = pictures.timeline()
        first, stop = _selection(path, timeline, start_s, stop_s)
        frame = pictures.first_frame()
        try:
            colour = colour_of(frame, pictures.codec)
        except FootageError as error:
            raise FootageError(f"{path}: {error}") from error
        width, height = displayed_size(frame, pictures.sample_aspect)
        info = FootageInfo(
            path=path,
            title=pictures.title,
            fps=timeline.fps,
            width=width,
            height=height,
            frames=stop - first,
            colour=str(colour),
            codec=pictures.codec,
            pixel_format=frame.format.name,
            constant_rate=timeline.constant,
            start_frame=first,
            notes=_notes(frame, colour, timeline),
        )
        return cls(pictures, info, framing, timeline)

    @property
    def damage(self) -> Damage:
        """What could not be decoded in the latest iteration so far."""
        return Damage(self._pictures.lost_packets, self._pictures.broken_frames + self._unusable)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End an iteration under way, which closes the file."""
        if self._running is not None:
            self._running.close()
            self._running = None

    def __iter__(self) -> Iterator[Picture]:
        """Start reading again; an earlier iteration ends. See `_read`."""
        self.close()
        self._running = self._read()
        return self._running

    def _read(self) -> Generator[Picture, None, None]:
        """uint8 (H, W, 3) RGB pictures. A held picture is the same array again: do not write into it."""
        framer = Framer(self.framing, self._pictures.sample_aspect, self._pictures.codec)
        first, stop = self.info.start_frame, self.info.start_frame + self.info.frames
        self._unusable = 0
        seen: VideoFrame | None = None
        picture: Picture | None = None
        for frame in in_slots(self._due(first), first, stop):
            if frame is not seen:
                seen = frame
                picture = self._framed(framer, frame, picture)
            if picture is not None:
                yield picture
        if picture is None:
            raise FootageError(f"{self.info.path}: no frame from {first} to {stop - 1} could be decoded")

    def _framed(self, framer: Framer, frame: VideoFrame, before: Picture | None) -> Picture | None:
        """The picture, or the one before where damage made it something nobody can convert."""
        try:
            return framer(frame)
        except FootageError:
            self._unusable += 1
            return before

    def _due(self, first: int) -> Iterator[tuple[int, VideoFrame]]:
        """Decoded pictures with the slot each is due in. The very last one of the file holds for its own duration."""
        timeline = self._timeline
        if timeline.start is None:
            yield from enumerate(frame for _, frame in self._pictures.decode(None))
            return
        seek_to = timeline.start + first / timeline.fps if first else None
        slot, last = -1, None
        for time, frame in self._pictures.decode(seek_to):
            slot = timeline.slot_of(time) if time is not None else slot + 1
            last = frame
            yield slot, frame
        if last is not None and slot >= timeline.last_slot:
            yield timeline.slots, last


def open_pictures(path: Path) -> Pictures:
    """The reader for a path: a folder of images or a file. FootageError if there is neither."""
    if path.is_dir():
        return FolderPictures(path)
    if not path.exists():
        raise FootageError(f"{path}: there is no such file")
    return FilePictures(path)


def _selection(path: Path, timeline: Timeline, start_s: Fraction | None, stop_s: Fraction | None) -> tuple[int, int]:
    """The frames [first, stop) between two times. Raises FootageError if that is nothing."""
    length = f"it is {float(timeline.slots / timeline.fps):.3f} s long"
    if start_s is not None and start_s < 0:
        raise FootageError(f"{path}: start {float(start_s):g} s is before the footage; {length}")
    first = math.ceil(start_s * timeline.fps) if start_s is not None else 0
    stop = min(math.ceil(stop_s * timeline.fps), timeline.slots) if stop_s is not None else timeline.slots
    if first >= stop:
        asked = f"from {float(start_s or 0):g} s to {f'{float(stop_s):g} s' if stop_s is not None else 'the end'}"
        raise FootageError(f"{path}: there is no frame {asked}; {length}")
    return first, stop


def _notes(frame: VideoFrame, colour: Colour, timeline: Timeline) -> tuple[str, ...]:
    """What a person should know before hours are spent on this footage."""
    notes = []
    if colour.transfer:
        kind = colour.transfer.upper()
        notes.append(f"HDR footage ({kind}): brought to BT.709; all that is brighter than its reference white is white")
    if frame.interlaced_frame:
        notes.append("interlaced footage: both fields are blended; deinterlace it first for clean motion")
    if not timeline.constant:
        notes.append(f"variable rate: sampled at {timeline.fps} frames a second")
    if timeline.start is None and timeline.slots > 1:
        notes.append(f"no usable timestamps: every picture is taken once, at {timeline.fps} frames a second")
    return tuple(notes)


def footage_sha256(path: Path) -> str:
    """sha256 of a file, or of the names and bytes of all files of a folder of images. Raises FootageError."""
    digest = hashlib.sha256()
    try:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if path.is_dir():
                digest.update(file.name.encode() + b"\0")
            with file.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
    except OSError as error:
        raise FootageError(f"{path}: cannot be read: {error.strerror}") from error
    return digest.hexdigest()
