"""One decoder, ready to decode into buffers that already exist.

Input and output are bound to memory: nothing is allocated per frame, and on CUDA the picture is copied straight into
the slot it is shown from. onnxruntime releases the GIL while it works.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from installation.errors import ModelError
from installation.nets.model import decoder_signature
from installation.nets.session import NetSession, Provider, one_line, open_session

Latent = NDArray[np.float32]
Frame = NDArray[np.float16]


class Decoder:
    """Decodes one latent at a time; callers take turns."""

    def __init__(self, session: NetSession) -> None:
        """Raises ModelError if the session is no decoder."""
        signature = decoder_signature(session)
        self.latent_size = signature.latent_size
        self.size = signature.size
        self.session = session
        self._lock = threading.Lock()
        self._z = np.zeros((1, signature.latent_size), np.float32)
        self._shape = (1, signature.size[1], signature.size[0], 4)
        self._binding = session.runtime.io_binding()
        self._binding.bind_input("z", "cpu", 0, np.float32, self._z.shape, self._z.ctypes.data)

    @classmethod
    def open(cls, path: Path, provider: str = "auto", threads: int | None = None) -> Decoder:
        """Open a decoder file; errors as `open_session`."""
        return cls(open_session(path, provider, threads))

    @property
    def provider(self) -> Provider:
        """What it really runs on."""
        return self.session.provider

    def decode(self, z: Latent, out: Frame) -> None:
        """z (D,) -> out (H, W, 4), which must be C-contiguous float16; raises ModelError if either does not fit or the
        network fails."""
        if z.shape != (self.latent_size,):
            raise ModelError(f"{self.session.path}: got a latent of shape {list(z.shape)}, not [{self.latent_size}]")
        if out.shape != self._shape[1:] or out.dtype != np.float16 or not out.flags.c_contiguous:
            raise ModelError(f"{self.session.path}: got {out.dtype} {list(out.shape)} to decode into, not a frame")
        with self._lock:
            self._z[0] = z
            self._binding.bind_output("frame", "cpu", 0, np.float16, self._shape, out.ctypes.data)
            try:
                self.session.runtime.run_with_iobinding(self._binding)
            except Exception as error:  # onnxruntime's own types have no common base but this
                raise ModelError(f"{self.session.path}: decoding failed: {one_line(error)}") from error

    def frame(self) -> Frame:
        """An empty frame of this decoder's size."""
        width, height = self.size
        return np.zeros((height, width, 4), np.float16)
