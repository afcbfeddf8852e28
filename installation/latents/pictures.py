"""Where footage comes from: decoded pictures and their times, out of a file or a folder of images.

The rim of `footage`: everything here touches PyAV or the disk. Damage is counted, not raised, as long as anything can
be decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
from av.codec.context import ThreadType
from av.container.input import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from installation.errors import FootageError
from installation.latents.framing import sample_aspect_of
from installation.latents.timeline import Timeline, counted, timeline_of

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".dpx", ".exr"})
MAX_DEAD_READS = 100  # read errors in a row after which the rest of a file is given up

Timed = tuple[Fraction | None, VideoFrame]


class Pictures(Protocol):
    """Decoded pictures in the order they are shown. Times are seconds of the source's own clock."""

    title: str
    codec: str
    sample_aspect: Fraction
    lost_packets: int
    broken_frames: int

    def timeline(self) -> Timeline:
        """The rate and the number of pictures, found without decoding."""

    def first_frame(self) -> VideoFrame:
        """The first picture that decodes; FootageError if none does."""

    def decode(self, seek_s: Fraction | None) -> Iterator[Timed]:
        """All pictures, or those from a key picture at or before `seek_s` on. Counts damage from zero."""


class FilePictures:
    """One video stream of one file."""

    def __init__(self, path: Path) -> None:
        """Open once to learn what is in it. FootageError if it is not footage."""
        self._path = path
        self.lost_packets = 0
        self.broken_frames = 0
        with self._container() as container:
            stream = _video_stream(path, container)
            self.title = container.metadata.get("title", "").strip() or path.stem
            self.codec = stream.codec_context.name
            self.sample_aspect = sample_aspect_of(stream)
            self._declared = (stream.guessed_rate, stream.average_rate, stream.base_rate)

    def timeline(self) -> Timeline:
        """Read every packet's time without decoding. Hidden reference pictures have packets too; `timeline_of` allows
        for them."""
        times: list[Fraction | None] = []
        ends: list[tuple[Fraction, Fraction]] = []
        with self._container() as container:
            for packet in self._packets(container, _video_stream(self._path, container)):
                if packet.size == 0 or packet.is_discard:
                    continue
                time = packet.pts * packet.time_base if packet.pts is not None else None
                times.append(time)
                if time is not None:
                    ends.append((time, (packet.duration or 0) * packet.time_base))
        if not times:
            raise FootageError(f"{self._path}: its video stream ({self.codec}) is empty")
        return timeline_of(times, max(ends)[1] if ends else None, self._declared)

    def first_frame(self) -> VideoFrame:
        """The first picture that decodes."""
        for _, frame in self.decode(None):
            return frame
        raise FootageError(f"{self._path}: not one picture of its video stream ({self.codec}) can be decoded")

    def decode(self, seek_s: Fraction | None) -> Iterator[Timed]:
        """See `Pictures.decode`."""
        if seek_s is not None and not self._lands_before(seek_s):
            seek_s = None
        self.lost_packets = self.broken_frames = 0
        with self._container() as container:
            yield from self._frames(container, seek_s)

    def _container(self) -> InputContainer:
        try:
            return av.open(str(self._path), mode="r", metadata_errors="replace")
        except (av.error.FFmpegError, OSError) as error:
            raise FootageError(
                f"{self._path}: cannot be opened as footage ({error.strerror}); "
                "allowed is any video, GIF or image that FFmpeg reads"
            ) from error

    def _lands_before(self, seek_s: Fraction) -> bool:
        """Whether seeking gives a picture at or before the time, as it should: a broken index does not."""
        with self._container() as container:
            time, _ = next(self._frames(container, seek_s), (None, None))
        return time is not None and time <= seek_s

    def _frames(self, container: InputContainer, seek_s: Fraction | None) -> Iterator[Timed]:
        stream = _video_stream(self._path, container)
        stream.thread_type = ThreadType.AUTO
        if seek_s is not None and not _seek(container, stream, seek_s):
            return
        for packet in self._packets(container, stream):
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self.lost_packets += 1
                continue
            for frame in frames:
                self.broken_frames += frame.is_corrupt
                time = frame.pts * frame.time_base if frame.pts is not None and frame.time_base is not None else None
                yield time, frame

    def _packets(self, container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
        """Packets to the end of the file, past places that cannot be read. Ends with the packet that flushes the
        decoder."""
        for _ in range(MAX_DEAD_READS):
            try:
                yield from container.demux(stream)
                return
            except (av.error.FFmpegError, IndexError):  # IndexError: damage that looks like a new stream
                self.lost_packets += 1


class FolderPictures:
    """A folder of images, one picture each, in natural order: frame2.png before frame10.png."""

    def __init__(self, path: Path) -> None:
        """List the folder. FootageError if there is no image in it."""
        self._path = path
        self._files = sorted((f for f in path.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES), key=_natural_key)
        if not self._files:
            allowed = " ".join(sorted(IMAGE_SUFFIXES))
            raise FootageError(f"{path}: there is no image in this folder; allowed are {allowed}")
        self.title = path.name
        self.codec = "images"
        self.sample_aspect = Fraction(1)
        self.lost_packets = 0
        self.broken_frames = 0

    def timeline(self) -> Timeline:
        """One slot for every image, 24 a second."""
        return counted(len(self._files), ())

    def first_frame(self) -> VideoFrame:
        """The first image that decodes."""
        for _, frame in self.decode(None):
            return frame
        raise FootageError(f"{self._path}: not one of its {len(self._files)} images can be decoded")

    def decode(self, seek_s: Fraction | None) -> Iterator[Timed]:
        """See `Pictures.decode`; images have no clock, so there is nothing to seek."""
        self.lost_packets = self.broken_frames = 0
        for file in self._files:
            try:
                with av.open(str(file)) as container:
                    frame = next(container.decode(video=0))
            except (av.error.FFmpegError, IndexError, StopIteration):
                self.lost_packets += 1
                continue
            yield None, frame


def _natural_key(path: Path) -> tuple[tuple[int, str], ...]:
    """Runs of digits compare as numbers."""
    return tuple((int(part), "") if part.isdigit() else (-1, part.lower()) for part in re.split(r"(\d+)", path.name))


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    """The stream to read: FFmpeg's own choice, but never a cover picture beside music."""
    # PyAV gives a stream without a codec context when FFmpeg has no decoder for it.
    known = [stream for stream in container.streams.video if getattr(stream, "codec_context", None) is not None]
    if container.streams.video and not known:
        raise FootageError(f"{path}: FFmpeg has no decoder for its video stream; convert it to H.264 or FFV1 first")
    moving = [stream for stream in known if not stream.disposition & Disposition.attached_pic]
    best = container.streams.best("video")
    for stream in moving:
        if best is not None and stream.index == best.index:
            return stream
    if moving:
        return moving[0]
    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
    raise FootageError(f"{path}: there is no video stream in it, only {kinds}")


def _seek(container: InputContainer, stream: VideoStream, seek_s: Fraction) -> bool:
    """Go to the last key picture at or before a time. False if the container cannot."""
    if stream.time_base is None:
        return False
    try:
        container.seek(int(seek_s / stream.time_base), stream=stream)
    except av.error.FFmpegError:
        return False
    return True
