"""The latent stream: a film as numbers, in one safetensors file, `films/<id>.safetensors`.

Tensors: `z` [N, D] float16, one row per frame; `cuts` [K] int32, the first frame of every shot, `cuts[0] = 0`; `mean`
[D], `components` [8, D], `std` [8] float32, the principal axes of the film's own latents, which performers lean
along. Metadata strings: `format`, `fps`, `space`, `title`, `source_sha256`, `framing`, `colour`, `licence`. Reading
checks everything once, so that nobody else has to; writing cannot leave half a file behind, and equal streams are
equal bytes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from installation.errors import StreamError

FORMAT = "afterimage-latents-1"
AXES = 8  # principal axes in every stream
MAX_FPS = 1000
MAX_FRAMES = 2**31 - 1  # cuts are int32
_DTYPES = {"z": "F16", "cuts": "I32", "mean": "F32", "components": "F32", "std": "F32"}
_REQUIRED = ("format", "fps", "space")
_OPTIONAL = ("title", "source_sha256", "framing", "colour", "licence")
_CHUNK = 8192  # rows of z turned into float64 at a time


@dataclass(frozen=True, slots=True, eq=False)
class LatentStream:
    """A film's latents and what belongs to them. Checked when made: StreamError says what is wrong.

    z [N, D] float16; cuts [K] int32; mean [D], components [8, D] (unit rows, zero where the film has fewer axes), std
    [8] float32; fps frames a second; space: the id of the latent space; source_sha256: of the footage file; framing:
    `256x144 contain`; colour: `bt709/limited`.
    """

    z: NDArray[np.float16]
    cuts: NDArray[np.int32]
    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    std: NDArray[np.float32]
    fps: Fraction
    space: str
    title: str = ""
    source_sha256: str = ""
    framing: str = ""
    colour: str = ""
    licence: str = ""
    format: str = FORMAT

    def __post_init__(self) -> None:
        arrays = {name: np.asarray(getattr(self, name)) for name in _DTYPES}
        _check_kinds({name: _KINDS.get(array.dtype.str, array.dtype.name) for name, array in arrays.items()})
        _check_shapes({name: array.shape for name, array in arrays.items()})
        _check_names(self.format, self.space)
        _check_fps(self.fps)
        _check_cuts(self.cuts, len(self.z))
        for name in ("z", "mean", "components", "std"):
            _check_finite(name, arrays[name])
        if (self.std < 0).any():
            raise StreamError(f"`std` holds {float(self.std.min()):g}; allowed are numbers from 0 up")

    @property
    def frames(self) -> int:
        """N, the number of frames."""
        return int(self.z.shape[0])

    @property
    def size(self) -> int:
        """D, the length of one latent."""
        return int(self.z.shape[1])


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """What a library needs to know of a stream, without its latents."""

    frames: int
    size: int
    cuts: tuple[int, ...]
    fps: Fraction
    space: str
    title: str
    source_sha256: str
    framing: str
    colour: str
    licence: str
    format: str


@dataclass(frozen=True, slots=True, eq=False)
class PrincipalAxes:
    """mean [D], components [8, D], std [8], float32."""

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    std: NDArray[np.float32]


def read_stream(path: Path) -> LatentStream:
    """Read and check a whole stream; its arrays are read-only. StreamError names the file and what is wrong."""
    with _opened(path) as file:
        metadata, _ = _describe(file)
        tensors = {name: np.array(file.get_tensor(name)) for name in _DTYPES}
        for tensor in tensors.values():
            tensor.flags.writeable = False
        return LatentStream(
            z=tensors["z"],
            cuts=tensors["cuts"],
            mean=tensors["mean"],
            components=tensors["components"],
            std=tensors["std"],
            fps=_fps(metadata["fps"]),
            **_words(metadata),
        )


def read_header(path: Path) -> StreamHeader:
    """Read and check everything but the latents; a few kilobytes are read, whatever the film's length."""
    with _opened(path) as file:
        metadata, shapes = _describe(file)
        cuts = file.get_tensor("cuts")
        frames, size = shapes["z"]
        _check_cuts(cuts, frames)
        return StreamHeader(frames, size, tuple(int(cut) for cut in cuts), _fps(metadata["fps"]), **_words(metadata))


def write_stream(path: Path, stream: LatentStream) -> None:
    """Write a stream; whoever reads `path` finds the old file or the whole new one, even after a power cut."""
    metadata = {name: str(getattr(stream, name)) for name in (*_REQUIRED, *_OPTIONAL)}
    tensors = {name: np.ascontiguousarray(getattr(stream, name)) for name in _DTYPES}
    data = _canonical(save(tensors, metadata))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def principal_axes(z: NDArray[np.float16]) -> PrincipalAxes:
    """The eight directions a film's latents [N, D] vary along most, strongest first, each component's largest
    coefficient positive.

    Where there are fewer (N or D below 9, or a film that stands still), the rest is zero. StreamError if a latent is
    not finite.
    """
    _check_finite("z", z)
    count, size = z.shape
    mean = z.mean(axis=0, dtype=np.float64)  # (D,)
    covariance = np.zeros((size, size))
    for start in range(0, count, _CHUNK):
        rows = z[start : start + _CHUNK].astype(np.float64) - mean
        covariance += rows.T @ rows
    variances, vectors = np.linalg.eigh(covariance / count)  # ascending; vectors in columns
    components, std = np.zeros((AXES, size)), np.zeros(AXES)
    floor = max(float(variances[-1]) * 1e-9, 1e-12)  # below it an axis is rounding, not film
    for axis in range(min(AXES, size)):
        variance, vector = float(variances[-1 - axis]), vectors[:, -1 - axis]
        if variance > floor:
            components[axis] = vector * np.sign(vector[np.argmax(np.abs(vector))])
            std[axis] = np.sqrt(variance)
    return PrincipalAxes(mean.astype(np.float32), components.astype(np.float32), std.astype(np.float32))


# numpy's name -> safetensors' name, for the kinds a stream may hold
_KINDS = {"<f2": "F16", "<i4": "I32", "<f4": "F32"}


class _Part(Protocol):
    """One tensor in an open file, not yet read."""

    def get_dtype(self) -> str: ...

    def get_shape(self) -> list[int]: ...


class _File(Protocol):
    """What we use of `safetensors.safe_open`, which comes without types."""

    def metadata(self) -> dict[str, str] | None: ...

    def keys(self) -> list[str]: ...

    def get_slice(self, name: str) -> _Part: ...

    def get_tensor(self, name: str) -> NDArray[Any]: ...


@contextmanager
def _opened(path: Path) -> Iterator[_File]:
    """The file open for reading; whatever goes wrong inside becomes a StreamError that names it."""
    try:
        with safe_open(path, framework="np") as file:
            yield cast(_File, file)
    except StreamError as error:
        raise StreamError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise StreamError(f"{path}: there is no such file") from error
    except OSError as error:
        raise StreamError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (SafetensorError, ValueError) as error:
        raise StreamError(f"{path}: not a whole safetensors file ({error})") from error


def _describe(file: _File) -> tuple[Mapping[str, str], dict[str, tuple[int, ...]]]:
    """Metadata and shapes, checked."""
    metadata = file.metadata() or {}
    missing = [name for name in _REQUIRED if name not in metadata]
    if missing:
        raise StreamError(f"its metadata has no {', '.join(f'`{name}`' for name in missing)}: it is no latent stream")
    _check_names(metadata["format"], metadata["space"])
    absent = sorted(set(_DTYPES) - set(file.keys()))
    if absent:
        raise StreamError(f"tensor `{absent[0]}` is missing; a stream holds {', '.join(_DTYPES)}")
    parts = {name: file.get_slice(name) for name in _DTYPES}
    _check_kinds({name: part.get_dtype() for name, part in parts.items()})
    shapes = {name: tuple(part.get_shape()) for name, part in parts.items()}
    _check_shapes(shapes)
    return metadata, shapes


def _words(metadata: Mapping[str, str]) -> dict[str, str]:
    """The metadata that is plain text; what is optional and absent is empty."""
    return {name: metadata.get(name, "") for name in ("space", *_OPTIONAL, "format")}


def _fps(text: str) -> Fraction:
    """`24` or `30000/1001`. Nothing else: a number such as 1e999999999 would keep a computer busy for hours."""
    if re.fullmatch(r"[0-9]{1,9}(/0*[1-9][0-9]{0,8})?", text) is None:
        raise StreamError(f"`fps` is {text[:40]!r}; allowed is a fraction such as 24 or 30000/1001")
    fps = Fraction(text)
    _check_fps(fps)
    return fps


def _check_fps(fps: Fraction) -> None:
    if not 0 < fps <= MAX_FPS:
        raise StreamError(f"`fps` is {fps}; allowed is more than 0, up to {MAX_FPS}")


def _check_names(form: str, space: str) -> None:
    if form != FORMAT:
        raise StreamError(f"`format` is {form[:40]!r}; this version reads {FORMAT!r}")
    if not space.strip():
        raise StreamError("`space` is empty; it must be the id of the model's latent space")


def _check_kinds(kinds: Mapping[str, str]) -> None:
    for name, kind in _DTYPES.items():
        if kinds[name] != kind:
            raise StreamError(f"tensor `{name}` is {kinds[name]}, it must be {kind}")


def _check_shapes(shapes: Mapping[str, tuple[int, ...]]) -> None:
    z, cuts = shapes["z"], shapes["cuts"]
    if len(z) != 2 or 0 in z or z[0] > MAX_FRAMES:
        raise StreamError(f"tensor `z` has shape {list(z)}; it must be [frames, latent size], neither of them 0")
    if len(cuts) != 1 or cuts[0] == 0:
        raise StreamError(f"tensor `cuts` has shape {list(cuts)}; it must be a list that begins with 0")
    for name, shape in (("mean", z[1:]), ("components", (AXES, *z[1:])), ("std", (AXES,))):
        if shapes[name] != shape:
            raise StreamError(
                f"tensor `{name}` has shape {list(shapes[name])}; beside this `z` it must be {list(shape)}"
            )


def _check_cuts(cuts: NDArray[np.int32], frames: int) -> None:
    if cuts[0] != 0:
        raise StreamError(f"`cuts` begins with {cuts[0]}; it must begin with 0")
    steps = np.diff(cuts.astype(np.int64))
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0))
        raise StreamError(f"`cuts` goes from {cuts[at]} to {cuts[at + 1]}; every cut must come after the one before")
    if cuts[-1] >= frames:
        raise StreamError(f"`cuts` holds {cuts[-1]}, but the film has {frames} frames, counted from 0")


def _check_finite(name: str, values: NDArray[np.floating]) -> None:
    """Names the first bad place; one pass where all is well."""
    if np.isfinite(values).all():
        return
    place = [int(index) for index in np.argwhere(~np.isfinite(values))[0]]
    value = float(values[tuple(place)])
    raise StreamError(f"tensor `{name}` holds {value} at {place}; only finite numbers are allowed")


def _canonical(data: bytes) -> bytes:
    """The same safetensors file with its header sorted: the library writes metadata in an order that changes from run
    to run."""
    length = int.from_bytes(data[:8], "little")
    entries = json.loads(data[8 : 8 + length])
    header = json.dumps(entries, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[8 + length :]
