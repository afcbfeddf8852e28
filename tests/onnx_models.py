"""Tiny ONNX networks and model folders for tests: no training, and pictures that say which latent they show.

The decoder is linear, so the numpy function `decoded` gives the same pictures. Red, green and blue are
0.5 + z[0..2] / 4; z[3], where there is one, adds a horizontal ramp of +-1/4 to all three. The encoder is its inverse
for flat pictures: z[0..2] = 4 (mean - 0.5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

SPACE = "feedc0ffee123456"
OPSET = [helper.make_opsetid("", 17)]
IR_VERSION = 9


def make_decoder(
    path: Path,
    d: int = 8,
    h: int = 9,
    w: int = 16,
    metadata: Mapping[str, str] | None = None,
    *,
    batch: str | int = "B",
    work: int = 0,
) -> Path:
    """`z` float32 [B, d] -> `frame` float16 [B, h, w, 4]. `work` adds that many matrix products, to make it slow.

    `metadata` replaces the usual one; {} leaves none.
    """
    constants = {
        "weights": _weights(d, h, w),
        "bias": np.tile(np.array([0.5, 0.5, 0.5, 1.0], np.float32), h * w),
        "low": np.float32(0),
        "high": np.float32(1),
        "shape": np.array([-1, h, w, 4], np.int64),
    }
    nodes = [
        helper.make_node("Gemm", ["z", "weights", "bias"], ["linear"]),
        helper.make_node("Clip", ["linear", "low", "high"], ["clipped"]),
        helper.make_node("Reshape", ["clipped", "shape"], ["pixels"]),
        helper.make_node("Cast", ["pixels"], ["frame"], to=TensorProto.FLOAT16),
    ]
    _add_work(nodes, constants, work)
    return _save(
        path,
        nodes,
        constants,
        ("z", TensorProto.FLOAT, [batch, d]),
        ("frame", TensorProto.FLOAT16, [batch, h, w, 4]),
        usual_metadata(d, h, w) if metadata is None else metadata,
    )


def make_encoder(
    path: Path,
    d: int = 8,
    h: int = 9,
    w: int = 16,
    metadata: Mapping[str, str] | None = None,
    *,
    batch: str | int = "B",
) -> Path:
    """`frame` uint8 [B, h, w, 3] -> `z` float32 [B, d]."""
    constants = {
        "scale": np.float32(4 / 255),
        "shift": np.float32(2),
        "axes": np.eye(3, d, dtype=np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["frame"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["levels"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Mul", ["mean", "scale"], ["scaled"]),
        helper.make_node("Sub", ["scaled", "shift"], ["colour"]),
        helper.make_node("MatMul", ["colour", "axes"], ["z"]),
    ]
    return _save(
        path,
        nodes,
        constants,
        ("frame", TensorProto.UINT8, [batch, h, w, 3]),
        ("z", TensorProto.FLOAT, [batch, d]),
        usual_metadata(d, h, w) if metadata is None else metadata,
    )


def make_model(
    folder: Path,
    films: Mapping[str, int | np.ndarray] | None = None,
    *,
    d: int = 8,
    h: int = 9,
    w: int = 16,
    fps: str = "24",
    cuts: Sequence[int] = (0,),
    space: str = SPACE,
) -> Path:
    """A whole model folder: decoder, encoder, references, card and films.

    `films`: id -> number of frames (of `latents`) or the latents themselves, (N, d). Left out: "one" and "two", 48
    frames each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {**usual_metadata(d, h, w), "space": space}
    make_decoder(folder / "decoder.onnx", d, h, w, metadata)
    make_encoder(folder / "encoder.onnx", d, h, w, metadata)
    write_reference(folder / "reference.safetensors", d, h, w)
    (folder / "card.md").write_text("# A model for tests\n", "utf-8")
    for index, (name, film) in enumerate((films or {"one": 48, "two": 48}).items()):
        z = latents(film, d, seed=index) if isinstance(film, int) else film
        write_stream_file(folder / "films" / f"{name}.safetensors", z, space=space, title=name, fps=fps, cuts=cuts)
    return folder


def usual_metadata(d: int, h: int, w: int) -> dict[str, str]:
    """What an exported network says about itself."""
    return {
        "space": SPACE,
        "latent_size": str(d),
        "resolution": f"{w}x{h}",
        "film": "test film",
        "licence": "CC0",
        "recipe": "none",
        "commit": "0000000",
    }


def latents(n: int, d: int, seed: int = 0) -> np.ndarray:
    """(n, d) float16. Red rises from -1.5 to 1.5 over the film, so that it tells the frame; green is the seed's."""
    z = np.zeros((n, d), np.float32)
    z[:, 0] = np.linspace(-1.5, 1.5, n)
    z[:, 1] = -1.0 + 0.5 * (seed % 5)
    z[:, 2] = 0.25
    return z.astype(np.float16)


def decoded(z: np.ndarray, h: int = 9, w: int = 16) -> np.ndarray:
    """What `make_decoder` makes of one latent (d,): float16 (h, w, 4)."""
    linear = z.astype(np.float32) @ _weights(len(z), h, w) + np.tile(np.array([0.5, 0.5, 0.5, 1.0], np.float32), h * w)
    return np.clip(linear, 0, 1).reshape(h, w, 4).astype(np.float16)


def red_of(frame: np.ndarray) -> float:
    """z[0] of the latent a frame shows."""
    return float((frame[..., 0].astype(np.float32).mean() - 0.5) * 4)


def write_stream_file(
    path: Path,
    z: np.ndarray,
    *,
    space: str = SPACE,
    title: str = "a film",
    fps: str = "24",
    cuts: Sequence[int] = (0,),
) -> Path:
    """A latent stream; its eight components are the first axes of the space, each with std 1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    d = z.shape[1]
    tensors = {
        "z": np.ascontiguousarray(z, np.float16),
        "cuts": np.array(cuts, np.int32),
        "mean": z.astype(np.float32).mean(axis=0),
        "components": np.eye(8, d, dtype=np.float32),
        "std": np.ones(8, np.float32),
    }
    metadata = {
        "format": "afterimage-latents-1",
        "fps": fps,
        "space": space,
        "title": title,
        "source_sha256": "0" * 64,
        "framing": "16x9 contain",
        "colour": "bt709/limited",
        "licence": "CC0",
    }
    save_file(tensors, str(path), metadata)
    return path


def write_reference(path: Path, d: int = 8, h: int = 9, w: int = 16, psnr: float = 40.0) -> Path:
    """Four latents and the pictures `make_decoder` makes of them."""
    z = latents(4, d).astype(np.float32)
    frames = np.stack([np.round(decoded(row, h, w)[..., :3].astype(np.float32) * 255) for row in z]).astype(np.uint8)
    save_file({"z": z, "frames": frames}, str(path), {"psnr": str(psnr)})
    return path


def _weights(d: int, h: int, w: int) -> np.ndarray:
    """(d, h * w * 4)."""
    weights = np.zeros((d, h, w, 4), np.float32)
    for channel in range(min(3, d)):
        weights[channel, :, :, channel] = 0.25
    if d > 3:
        weights[3, :, :, :3] = np.linspace(-0.25, 0.25, w, dtype=np.float32)[None, :, None]
    return weights.reshape(d, h * w * 4)


def _add_work(nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], work: int) -> None:
    """Matrix products whose result, multiplied by 0, is added to the picture."""
    if not work:
        return
    constants["heavy"] = np.zeros((256, 256), np.float32)
    constants["one_latent"] = np.zeros((256, 256), np.float32)
    previous = "one_latent"
    for index in range(work):
        nodes.insert(index, helper.make_node("MatMul", [previous, "lively"], [f"product{index}"]))
        previous = f"product{index}"
    nodes.insert(0, helper.make_node("ReduceSum", ["z"], ["sum"], keepdims=0))
    nodes.insert(1, helper.make_node("Add", ["heavy", "sum"], ["lively"]))
    nodes.insert(work + 2, helper.make_node("ReduceMax", [previous], ["nothing"], keepdims=0))
    nodes.insert(work + 3, helper.make_node("Add", ["z", "nothing"], ["z_worked"]))
    for node in nodes:
        if node.op_type == "Gemm":
            node.input[0] = "z_worked"


def _save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    constants: Mapping[str, np.ndarray],
    source: tuple[str, int, Sequence[str | int]],
    target: tuple[str, int, Sequence[str | int]],
    metadata: Mapping[str, str],
) -> Path:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(*source)],
        [helper.make_tensor_value_info(*target)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=OPSET, ir_version=IR_VERSION)
    helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    return path
