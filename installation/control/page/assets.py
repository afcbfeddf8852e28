"""The files of the page, read once and kept in memory. Nothing a browser says becomes a path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).with_name("assets")
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: what it is, what is in it, and a tag that tells its version."""

    type: str
    body: bytes
    tag: str


def read_assets(folder: Path = FOLDER) -> Mapping[str, Asset]:
    """Every file by the path it is served at; "/" is the page itself."""
    assets = {f"/{path.name}": _asset(path) for path in sorted(folder.iterdir()) if path.suffix in TYPES}
    return {"/": assets.pop("/index.html"), **assets}


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(TYPES[path.suffix], body, sha256(body).hexdigest()[:16])
