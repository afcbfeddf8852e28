"""Opens ONNX networks: which provider runs them, and said in plain words why.

onnxruntime-gpu imports cleanly on a machine without CUDA and still lists CUDA; asked for it, it prints a block of red
text and quietly uses the CPU. So the driver is looked for first, the log is silenced, and what counts is what the
session says it got. On the CPU one thread that does not spin is the default: the renderer and the decoder share the
cores, and look-ahead hides the time (measured with a software renderer on two cores: one thread a steady 44 ms, two
spinning ones 55 to 70).
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import onnxruntime as ort
from numpy.typing import NDArray

from installation.errors import InputError, ModelError, UnavailableError

_SILENT = 4  # onnxruntime severity: fatal errors only; everything else reaches us as an exception
_CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"
_CUDA_OPTIONS = {
    "cudnn_conv_algo_search": "HEURISTIC",  # the exhaustive search takes seconds at every start
    "arena_extend_strategy": "kSameAsRequested",  # shapes never change: no reserve is needed
}
_INSTALL = "install the CUDA libraries with `pip install afterimage[cuda]`"
_DRIVERS = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}


class Provider(StrEnum):
    """What networks run on. AUTO is CUDA if it truly loads, else the CPU."""

    AUTO = "auto"
    CUDA = "cuda"
    CPU = "cpu"


@dataclass(frozen=True, slots=True)
class NetSession:
    """An open network. `provider` is "cuda" or "cpu", what it really runs on; `note` says so and why, in one line."""

    runtime: Any
    path: Path
    provider: Provider
    note: str

    def run(self, batch: NDArray[Any]) -> NDArray[Any]:
        """The first output for the first input; allocates it. For playing use `Decoder`."""
        output: NDArray[Any] = self.runtime.run(None, {self.runtime.get_inputs()[0].name: batch})[0]
        return output


def open_session(path: Path, provider: str = "auto", threads: int | None = None) -> NetSession:
    """Open an ONNX file.

    `provider` is auto, cuda or cpu; `threads` counts CPU threads inside an operator, 1 if left out. Raises ModelError
    for a file that is missing or not ONNX, UnavailableError for CUDA that was demanded and does not load.
    """
    try:
        wanted = Provider(provider)
    except ValueError:
        raise InputError(f"provider: got {provider!r}, pick one of {', '.join(Provider)}") from None
    if not path.is_file():
        raise ModelError(f"{path}: there is no such file")
    ort.set_default_logger_severity(_SILENT)
    if wanted is Provider.CPU:
        return NetSession(_open(path, [_CPU], threads), path, Provider.CPU, "the CPU, as asked for")
    missing = _why_no_cuda()
    if not missing:
        runtime = _open_cuda(path, threads)
        if runtime is not None:
            return NetSession(runtime, path, Provider.CUDA, "the GPU, through CUDA")
        missing = f"an NVIDIA driver is here, but its CUDA libraries do not load; {_INSTALL}"
    if wanted is Provider.CUDA:
        open_for_reading(path)  # a file that is not ONNX is the better explanation
        raise UnavailableError(f"provider: cuda was asked for, but {missing}; or use `cpu` or `auto`")
    return NetSession(_open(path, [_CPU], threads), path, Provider.CPU, f"the CPU: {missing}")


def input_of(session: NetSession) -> tuple[str, tuple[int | str | None, ...], str]:
    """Name, shape and type of the first input; dimensions that may vary are names or None."""
    node = session.runtime.get_inputs()[0]
    return node.name, tuple(node.shape), node.type


def output_of(session: NetSession) -> tuple[str, tuple[int | str | None, ...], str]:
    """Name, shape and type of the first output."""
    node = session.runtime.get_outputs()[0]
    return node.name, tuple(node.shape), node.type


def metadata_of(session: NetSession) -> dict[str, str]:
    """The file's own metadata_props."""
    return dict(session.runtime.get_modelmeta().custom_metadata_map)


def one_line(error: Exception) -> str:
    """What onnxruntime says, which may be pages, for one line."""
    return " ".join(str(error).split())[:200]


def runtime_version() -> str:
    """Of onnxruntime."""
    return str(ort.__version__)


def open_for_reading(path: Path) -> NetSession:
    """Open an ONNX file only to look at its signature and metadata: no optimisation, so it is quick."""
    if not path.is_file():
        raise ModelError(f"{path}: there is no such file")
    ort.set_default_logger_severity(_SILENT)
    options = _options(1)
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_prepacking", "1")
    return NetSession(_create(path, options, [_CPU]), path, Provider.CPU, "the CPU")


def _options(threads: int | None) -> Any:
    options = ort.SessionOptions()
    options.log_severity_level = _SILENT
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.intra_op_num_threads = threads or 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _open(path: Path, providers: list[Any], threads: int | None) -> Any:
    return _create(path, _options(threads), providers)


def _create(path: Path, options: Any, providers: list[Any]) -> Any:
    try:
        # Its own fallback prints and hides what happened.
        return ort.InferenceSession(str(path), options, providers=providers, enable_fallback=0)
    except Exception as error:  # onnxruntime's own types have no common base but this
        wrong = f"onnxruntime {ort.__version__} cannot open it as an ONNX model: {one_line(error)}"
        raise ModelError(f"{path}: {wrong}") from error


def _open_cuda(path: Path, threads: int | None) -> Any | None:
    """A session that runs on CUDA, or None."""
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not find
        ort.preload_dlls()
    try:
        runtime = _open(path, [(_CUDA, _CUDA_OPTIONS), _CPU], threads)
    except ModelError:
        return None
    return runtime if _CUDA in runtime.get_providers() else None


def _why_no_cuda() -> str:
    """Empty when there is a driver and an onnxruntime that could use it; else what is missing."""
    if _CUDA not in ort.get_available_providers():
        return f"this onnxruntime has no CUDA in it; {_INSTALL}"
    try:
        ctypes.CDLL(_DRIVERS.get(sys.platform, "libcuda.so.1"))
    except OSError:
        return "this machine has no NVIDIA driver"
    return ""
