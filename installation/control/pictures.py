"""Previews as browsers want them."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

from PIL import Image

from installation.show.pictures import Preview

QUALITY = 80  # of 100: a 320x180 preview is about 10 kB


@lru_cache(maxsize=1)
def jpeg(preview: Preview) -> bytes:
    """A preview as a JPEG. The newest one is remembered: however many ask for it, it is encoded once."""
    encoded = BytesIO()
    Image.frombytes("RGB", preview.size, preview.pixels).save(encoded, "JPEG", quality=QUALITY)
    return encoded.getvalue()
