"""One encoder: framed pictures -> latents, for live sources and for encoding films."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from installation.errors import ModelError
from installation.nets.model import check_encoder
from installation.nets.session import NetSession, Provider, input_of, one_line, open_session


class Encoder:
    """Encodes pictures of one size into latents of one length."""

    def __init__(self, session: NetSession, latent_size: int, size: tuple[int, int]) -> None:
        """ModelError unless the session encodes pictures of `size` (width, height) into `latent_size` numbers."""
        check_encoder(session, latent_size, size)
        self.session = session
        self.latent_size = latent_size
        self.size = size
        self._one_by_one = input_of(session)[1][0] == 1

    @classmethod
    def open(
        cls, path: Path, latent_size: int, size: tuple[int, int], provider: str = "auto", threads: int | None = None
    ) -> Encoder:
        """Open an encoder file; errors as `open_session`."""
        return cls(open_session(path, provider, threads), latent_size, size)

    @property
    def provider(self) -> Provider:
        """What it really runs on."""
        return self.session.provider

    def encode(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (B, H, W, 3) -> float32 (B, D). ModelError if the pictures do not fit or the network fails."""
        width, height = self.size
        if pictures.shape[1:] != (height, width, 3) or pictures.dtype != np.uint8:
            got = f"{pictures.dtype} {list(pictures.shape)}"
            raise ModelError(f"{self.session.path}: got {got} to encode, not uint8 [B, {height}, {width}, 3]")
        batches = [pictures[i : i + 1] for i in range(len(pictures))] if self._one_by_one else [pictures]
        try:
            return np.concatenate([self.session.run(batch) for batch in batches])
        except Exception as error:  # onnxruntime's own types have no common base but this
            raise ModelError(f"{self.session.path}: encoding failed: {one_line(error)}") from error
