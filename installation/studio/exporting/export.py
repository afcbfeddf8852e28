"""A checkpoint -> a model folder that plays: graphs, references, the decoder's variants, card.

`export` can be repeated at any time; each file is replaced whole. The averaged weights are exported. torch and
onnxruntime are compared on the way, and the figures go into the graphs' metadata and the card.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import ModelProto
from safetensors.numpy import save

from installation.errors import ModelError
from installation.studio.exporting.about import About, read_about
from installation.studio.exporting.card import Card, read_scores
from installation.studio.exporting.facts import described
from installation.studio.exporting.graphs import decoder_graph, encoder_graph
from installation.studio.exporting.material import of_pictures
from installation.studio.exporting.publish import publish
from installation.studio.exporting.rewrite import stored_as_half
from installation.studio.exporting.sessions import session
from installation.studio.exporting.variants import Kind
from installation.studio.files import write_whole
from installation.studio.frames.dataset import map_store
from installation.studio.networks.interface import Decoder, Encoder, as_pictures
from installation.studio.pair import open_encoder
from installation.studio.preset import Preset
from installation.studio.training import checkpoint as checkpoints
from installation.studio.training.checkpoint import Checkpoint

REFERENCES = 4  # latents and frames kept for the self-test
REFERENCE_PSNR_DB = 40.0  # a decoder that differs more than this from the stored frames is not the same work
PARITY_DB = 45.0  # torch and onnxruntime must agree at least so well
ENCODER_PARITY = 0.05  # largest difference of a latent number


@dataclass(frozen=True, slots=True)
class Parity:
    """How well torch and onnxruntime agree: PSNR of decoded references in dB, largest difference of an encoded
    number.
    """

    decoder_db: float
    encoder_max: float

    def __str__(self) -> str:
        return f"decoder {self.decoder_db:.1f} dB, encoder {self.encoder_max:.2g}"


@dataclass(frozen=True, slots=True)
class Exported:
    """What `export` made."""

    folder: Path
    card: Card
    parity: Parity

    @property
    def space(self) -> str:
        """The id of the latent space."""
        return self.card.facts["space"]


def export(model_dir: Path, kinds: Iterable[Kind] = tuple(Kind)) -> Exported:
    """Write decoder.onnx, encoder.onnx, reference.safetensors, variants of these kinds and card.md from the checkpoint
    in `model_dir/train`.

    Raises ModelError if there is no checkpoint or the graphs do not agree with torch,
    UnavailableError if a file cannot be written.
    """
    resting = checkpoints.load(model_dir / "train")
    if resting is None or not resting.trainer:
        raise ModelError(
            f"{model_dir}: there is nothing to export; `afterimage train FOOTAGE -m {model_dir}` makes a checkpoint"
        )
    preset = resting.recipe()
    about = read_about(model_dir, About(film=model_dir.name, footage="unknown"))
    encoder, decoder = averaged(preset, resting)
    latents, frames = references(model_dir / "train", resting, preset, encoder)
    graphs = {
        "decoder.onnx": stored_as_half(decoder_graph(decoder, preset.networks.latent_size)),
        "encoder.onnx": stored_as_half(encoder_graph(encoder, preset.networks.width, preset.networks.height)),
    }
    parity = compared(graphs, encoder, decoder, latents, frames)
    facts = _facts(resting, preset, about, space_id(encoder, decoder), parity)
    files = {name: described(graph, facts).SerializeToString() for name, graph in graphs.items()}
    files["reference.safetensors"] = _reference_bytes(files["decoder.onnx"], latents)
    for name, content in files.items():
        write_whole(model_dir / name, content)
    sizes = {name: len(content) / 1e6 for name, content in files.items()}
    store = map_store(model_dir / "train", resting.frames, preset.networks.width, preset.networks.height)
    material = of_pictures(len(store), store.take, open_encoder(model_dir, "cpu"))
    variants = publish(model_dir, material, kinds)
    card = Card(about, preset, facts, sizes, read_scores(model_dir / "train", facts["space"]), variants)
    write_whole(model_dir / "card.md", card.text().encode())
    return Exported(model_dir, card, parity)


def _facts(resting: Checkpoint, preset: Preset, about: About, space: str, parity: Parity) -> dict[str, str]:
    """What the graphs carry as metadata_props."""
    noise = f"latent noise {preset.noise.at(resting.progress):.2g} at the end"
    length = f"{resting.step} steps of {preset.batch} frames in {resting.elapsed_s / 60:.0f} min, {noise}"
    return {
        "space": space,
        "latent_size": str(preset.networks.latent_size),
        "resolution": f"{preset.networks.width}x{preset.networks.height}",
        "film": about.film,
        "licence": about.licence,
        "recipe": f"{preset.name}: {preset.title}; {length}",
        "commit": commit(),
        "parity": str(parity),
    }


def averaged(preset: Preset, resting: Checkpoint) -> tuple[Encoder, Decoder]:
    """The averaged networks of a checkpoint, ready to use."""
    encoder, decoder = preset.networks.encoder(), preset.networks.decoder()
    weights = resting.trainer["average"]
    for prefix, net in (("0.", encoder), ("1.", decoder)):
        net.load_state_dict({k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)})
        net.eval().requires_grad_(False)
    return encoder, decoder


def space_id(encoder: Encoder, decoder: Decoder) -> str:
    """First 16 hex digits of the sha256 over the weights: names sorted, values as little-endian float32."""
    digest = hashlib.sha256()
    nets = {"decoder": decoder, "encoder": encoder}
    tensors = {f"{net}.{name}": value for net, module in nets.items() for name, value in module.state_dict().items()}
    for name in sorted(tensors):
        digest.update(name.encode() + b"\0")
        digest.update(tensors[name].detach().contiguous().numpy().astype("<f4").tobytes())
    return digest.hexdigest()[:16]


@torch.no_grad()
def references(
    folder: Path, resting: Checkpoint, preset: Preset, encoder: Encoder
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Latents (4, D) and the footage frames (4, H, W, 3) they come from, evenly spread over the store in `folder`."""
    store = map_store(folder, resting.frames, preset.networks.width, preset.networks.height)
    frames = store.take(np.linspace(0, len(store) - 1, REFERENCES + 2).astype(np.int64)[1:-1])
    mean = encoder.locate(as_pictures(frames))
    # Rounded to what a stream stores, so that a reference is exactly a frame of a film.
    return mean.numpy().astype(np.float16).astype(np.float32), frames


@torch.no_grad()
def compared(
    graphs: Mapping[str, ModelProto],
    encoder: Encoder,
    decoder: Decoder,
    latents: NDArray[np.float32],
    frames: NDArray[np.uint8],
) -> Parity:
    """torch against onnxruntime on the references. Raises ModelError if they disagree."""
    made = session(graphs["decoder.onnx"].SerializeToString()).run(None, {"z": latents})[0][..., :3].astype(np.float32)
    wanted = decoder(torch.from_numpy(latents)).permute(0, 2, 3, 1).numpy()
    decoder_db = float(-10.0 * np.log10(max(float(np.square(made - wanted).mean()), 1e-12)))
    z = session(graphs["encoder.onnx"].SerializeToString()).run(None, {"frame": frames})[0]
    mean = encoder.locate(as_pictures(frames))
    parity = Parity(decoder_db, float(np.abs(z - mean.numpy()).max()))
    if parity.decoder_db < PARITY_DB or parity.encoder_max > ENCODER_PARITY:
        raise ModelError(f"export: onnxruntime does not agree with torch ({parity}); the model is not written")
    return parity


def _reference_bytes(decoder: bytes, latents: NDArray[np.float32]) -> bytes:
    """reference.safetensors: what this decoder makes of the reference latents today."""
    made = session(decoder).run(None, {"z": latents})[0][..., :3].astype(np.float32)
    frames = np.round(np.clip(made, 0.0, 1.0) * 255.0).astype(np.uint8)
    return save({"z": latents, "frames": np.ascontiguousarray(frames)}, {"psnr": f"{REFERENCE_PSNR_DB:g}"})


def commit() -> str:
    """The commit of the code that exports, or `unknown` outside a checkout."""
    here = Path(__file__).resolve().parent
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return asked.stdout.strip() or "unknown"
