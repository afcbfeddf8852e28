"""A model folder: what is in it and whether it fits the contract.

`decoder.onnx` (`z` float32 [B, D] -> `frame` float16 [B, H, W, 4]) is all that is required; any ONNX decoder with
this signature plays. Beside it may lie its variants `decoder.int8.onnx` and `decoder.fp16.onnx`, `encoder.onnx`
(`frame` uint8 [B, H, W, 3] -> `z` float32 [B, D]), `reference.safetensors`, `card.md` and `films/`. Looking costs
milliseconds: nothing is optimised or decoded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from installation.errors import ModelError
from installation.nets.session import NetSession, input_of, metadata_of, open_for_reading, output_of

DECODER = "decoder.onnx"
INT8_DECODER = "decoder.int8.onnx"  # for CPUs
FP16_DECODER = "decoder.fp16.onnx"  # for GPUs
ENCODER = "encoder.onnx"
REFERENCE = "reference.safetensors"
FILMS = "films"
SPACE_DIGITS = 16  # hex digits of a sha256

Shape = tuple[int | str | None, ...]


@dataclass(frozen=True, slots=True)
class DecoderSignature:
    """What a decoder file says of itself: latent size D, picture size (width, height), metadata."""

    latent_size: int
    size: tuple[int, int]
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model folder as found. `size` is (width, height); `films`: id -> stream file; `decoders`: the decoder files
    present, the reference one first; `encoder` and `reference`: None where absent. Words are empty where the model
    does not say.
    """

    name: str
    path: Path
    space: str
    latent_size: int
    size: tuple[int, int]
    film: str
    licence: str
    recipe: str
    commit: str
    films: Mapping[str, Path]
    decoders: tuple[Path, ...]
    encoder: Path | None
    reference: Path | None


def read_model(folder: Path) -> ModelInfo:
    """Look at a model folder. ModelError names the file, what is wrong and what is allowed."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: there is no such model folder")
    decoder = folder / DECODER
    if not decoder.is_file():
        raise ModelError(f"{folder}: there is no {DECODER} in it; a model folder is what `afterimage train` makes")
    signature = read_decoder(decoder)
    metadata = signature.metadata
    streams = sorted((folder / FILMS).glob("*.safetensors"))
    return ModelInfo(
        name=folder.resolve().name,
        path=folder,
        space=metadata.get("space") or _space_of(decoder),
        latent_size=signature.latent_size,
        size=signature.size,
        film=metadata.get("film", ""),
        licence=metadata.get("licence", ""),
        recipe=metadata.get("recipe", ""),
        commit=metadata.get("commit", ""),
        films={path.stem: path for path in streams if not path.name.startswith(".")},
        decoders=(decoder, *_present(folder / INT8_DECODER), *_present(folder / FP16_DECODER)),
        encoder=next(iter(_present(folder / ENCODER)), None),
        reference=next(iter(_present(folder / REFERENCE)), None),
    )


def read_decoder(path: Path) -> DecoderSignature:
    """The signature of a decoder file; ModelError if it is another one than the contract's."""
    return decoder_signature(open_for_reading(path))


def decoder_signature(session: NetSession) -> DecoderSignature:
    """As `read_decoder`, of an open session."""
    _check(session, ("z", "float", "[B, D]", 2), ("frame", "float16", "[B, H, W, 4]", 4))
    _, (_, latent_size), _ = input_of(session)
    _, (_, height, width, channels), _ = output_of(session)
    wrong = [name for name, value in (("D", latent_size), ("H", height), ("W", width)) if not _counts(value)]
    if wrong:
        raise ModelError(f"{session.path}: {', '.join(wrong)} must be written into the graph as numbers above 0")
    if channels != 4:
        raise ModelError(f"{session.path}: `frame` has {channels} channels, it must have 4: red, green, blue, alpha")
    assert isinstance(latent_size, int) and isinstance(height, int) and isinstance(width, int)
    return DecoderSignature(latent_size, (width, height), metadata_of(session))


def check_encoder(session: NetSession, latent_size: int, size: tuple[int, int]) -> None:
    """ModelError unless this is an encoder for pictures of `size` (width, height) into `latent_size` numbers."""
    _check(session, ("frame", "uint8", "[B, H, W, 3]", 4), ("z", "float", "[B, D]", 2))
    _, (_, height, width, channels), _ = input_of(session)
    _, (_, numbers), _ = output_of(session)
    if (width, height, channels, numbers) != (*size, 3, latent_size):
        raise ModelError(
            f"{session.path}: it makes {numbers} numbers of a {width}x{height} picture with {channels} channels; its "
            f"decoder makes a {size[0]}x{size[1]} picture of {latent_size} numbers, and pictures here have 3 channels"
        )


def _check(session: NetSession, source: tuple[str, str, str, int], target: tuple[str, str, str, int]) -> None:
    """One input and one output of these names, types and ranks, with a batch that may be 1."""
    runtime = session.runtime
    if (len(runtime.get_inputs()), len(runtime.get_outputs())) != (1, 1):
        counts = f"{len(runtime.get_inputs())} inputs and {len(runtime.get_outputs())} outputs"
        raise ModelError(f"{session.path}: it has {counts}, it must have one of each")
    found = (("input", source, input_of(session)), ("output", target, output_of(session)))
    for kind, (name, dtype, dimensions, rank), (its_name, its_shape, its_type) in found:
        allowed = f"it must be `{name}` {_WORDS[dtype]} {dimensions}"
        is_type = _WORDS.get(its_type.removeprefix("tensor(").removesuffix(")"), its_type)
        if its_name != name or its_type != f"tensor({dtype})" or len(its_shape) != rank:
            raise ModelError(f"{session.path}: its {kind} is `{its_name}` {is_type} {list(its_shape)}; {allowed}")
        if isinstance(its_shape[0], int) and its_shape[0] != 1:
            raise ModelError(f"{session.path}: its {kind} has a fixed batch of {its_shape[0]}; B must be free, or 1")


_WORDS = {"float": "float32", "float16": "float16", "uint8": "uint8", "double": "float64"}


def _counts(value: int | str | None) -> bool:
    return isinstance(value, int) and value > 0


def _present(path: Path) -> tuple[Path, ...]:
    return (path,) if path.is_file() else ()


def _space_of(decoder: Path) -> str:
    """A decoder that names no space is a space of its own."""
    with decoder.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:SPACE_DIGITS]
