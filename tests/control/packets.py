"""Datagrams written by hand, byte by byte, for what no library would build."""

from __future__ import annotations

import struct


def padded(text: str | bytes) -> bytes:
    """A string with its zeros."""
    raw = text.encode() if isinstance(text, str) else text
    return raw + b"\0" * (4 - len(raw) % 4)


def message(address: str, tags: str = "", payload: bytes = b"") -> bytes:
    """A message with any tags and any payload."""
    return padded(address) + padded("," + tags) + payload


def floats(address: str, *numbers: float) -> bytes:
    """A message of floats."""
    return message(address, "f" * len(numbers), struct.pack(f">{len(numbers)}f", *numbers))


def ints(address: str, *numbers: int) -> bytes:
    """A message of ints."""
    return message(address, "i" * len(numbers), struct.pack(f">{len(numbers)}i", *numbers))


def bundle(tag: int, *elements: bytes) -> bytes:
    """A bundle."""
    return b"#bundle\0" + struct.pack(">Q", tag) + b"".join(struct.pack(">i", len(e)) + e for e in elements)
