"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from installation.errors import UnavailableError


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file in one step, flushed to disk. Raises UnavailableError."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UnavailableError(f"{path}: cannot be written: {error.strerror or error}") from error
