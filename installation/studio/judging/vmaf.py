"""VMAF, Netflix's measure of how good a picture looks beside its original: through the ffmpeg of `imageio-ffmpeg`.

Footage and memory are scored as they are projected: magnified to 1080 lines (Lanczos), as 4:2:0 in BT.709, with the
model v0.6.1 that libvmaf carries, for television at three times its height. Every `EVERY`th frame is scored. Pictures
go to ffmpeg one over the other through one pipe, so that nothing is stored and no order of reading can block.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
from numpy.typing import NDArray

from installation.errors import UnavailableError
from installation.nets.processor import usable_cores

PACKAGE = "imageio_ffmpeg"
LINES = 1080
EVERY = 8
METHOD = f"libvmaf v0.6.1 at {LINES} lines, mean of every {EVERY}th frame"
_LOG = "vmaf.json"

Pictures = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class VmafScore:
    """Mean over the frames scored, and the least of them; 0 to 100."""

    mean: float
    least: float


class Vmaf:
    """Takes footage and memory batch by batch, and has a score at the end. `folder`: an empty one for its log."""

    def __init__(self, size: tuple[int, int], fps: Fraction, folder: Path) -> None:
        """Start ffmpeg for pictures of `size` (width, height). Raises UnavailableError where it is not installed."""
        command = [_ffmpeg(), "-hide_banner", "-nostdin", "-loglevel", "error", *_arguments(size, fps)]
        self._log = folder / _LOG
        self._errors = (folder / "errors.txt").open("w+b")
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=self._errors, cwd=folder)

    def feed(self, footage: Pictures, memory: Pictures) -> None:
        """(B, H, W, 3) twice. Raises UnavailableError if ffmpeg has given up."""
        try:
            self._pipe.write(np.ascontiguousarray(np.concatenate([footage, memory], axis=1)).data)
        except BrokenPipeError:
            raise self._failure() from None

    def score(self) -> VmafScore:
        """Of everything fed. Raises UnavailableError if ffmpeg failed."""
        with suppress(BrokenPipeError):  # the exit code says it too
            self._pipe.close()
        if self._process.wait() != 0:
            raise self._failure()
        scores = [frame["metrics"]["vmaf"] for frame in json.loads(self._log.read_text("utf-8"))["frames"]]
        return VmafScore(float(np.mean(scores)), float(min(scores)))

    @property
    def _pipe(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    def _failure(self) -> UnavailableError:
        self._errors.seek(0)
        said = " ".join(self._errors.read().decode(errors="replace").split())[-300:]
        return UnavailableError(f"VMAF: ffmpeg failed: {said or 'it says nothing'}")

    def __enter__(self) -> Vmaf:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):  # closing sends what was buffered
            self._pipe.close()
        self._errors.close()


def _ffmpeg() -> str:
    if find_spec(PACKAGE) is None:
        raise UnavailableError("VMAF needs imageio-ffmpeg: pip install 'afterimage[vmaf]', or leave --vmaf out")
    import imageio_ffmpeg  # noqa: PLC0415 - an extra that is not always there

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _arguments(size: tuple[int, int], fps: Fraction) -> list[str]:
    width, height = size
    wide = round(LINES * width / height / 2) * 2
    prepared = f"scale={wide}:{LINES}:flags=lanczos:out_color_matrix=bt709,format=yuv420p"
    graph = (
        f"split[a][b];[a]crop={width}:{height}:0:0,{prepared}[footage];[b]crop={width}:{height}:0:{height},{prepared}"
        f"[memory];[memory][footage]libvmaf=log_fmt=json:log_path={_LOG}:n_subsample={EVERY}:n_threads={usable_cores()}"
    )
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{2 * height}", "-r", str(fps)]
    return [*raw, "-i", "pipe:0", "-lavfi", graph, "-f", "null", "-"]
