"""A decoder's variants as files of a model folder, and what the card says of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from installation.errors import ModelError
from installation.nets.model import DECODER, REFERENCE
from installation.nets.selftest import read_reference
from installation.studio.exporting.facts import described, facts_of
from installation.studio.exporting.rewrite import stored_as_half
from installation.studio.exporting.variants import Kind, Material, Variant, make, pictures_of
from installation.studio.files import write_whole
from installation.studio.judging.quality import psnr

SELF_TEST_MARGIN_DB = 3.0  # below what its pictures reach here: another processor's kernels may differ by that
CARD = "card.md"
_HEADING = "## Variants"


@dataclass(frozen=True, slots=True)
class VariantFile:
    """A variant that lies in a model folder, as its card tells it."""

    file: str
    size_mb: float
    told: str


def publish(folder: Path, material: Material, kinds: Iterable[Kind] = tuple(Kind)) -> tuple[VariantFile, ...]:
    """Make variants of a folder's decoder.onnx and write them beside it; those of other weights are taken away.

    Returns all variants that are there then. Raises ModelError, UnavailableError (disk).
    """
    decoder = onnx.load(folder / DECODER)
    facts = facts_of(decoder)
    for kind in Kind:
        stale = folder / kind.file
        if stale.exists() and facts_of(onnx.load(stale)).get("space") != facts.get("space"):
            stale.unlink()
    for kind in kinds:
        variant = make(kind, decoder, material)
        told = {**facts, **variant.facts, **_self_test(folder / REFERENCE, variant)}
        write_whole(folder / kind.file, described(stored_as_half(variant.graph), told).SerializeToString())
    return variants_in(folder)


def variants_in(folder: Path) -> tuple[VariantFile, ...]:
    """The variants in a model folder."""
    found = []
    for path in (folder / kind.file for kind in Kind):
        if path.exists():
            facts = facts_of(onnx.load(path))
            found.append(VariantFile(path.name, path.stat().st_size / 1e6, _told(facts)))
    return tuple(found)


def variants_section(variants: Iterable[VariantFile]) -> str:
    """What a card says of variants, as Markdown; empty if there are none."""
    rows = [f"| {each.file} | {each.size_mb:.2f} MB | {each.told} |" for each in variants]
    if not rows:
        return ""
    return "\n".join([_HEADING, "", "| file | size | beside decoder.onnx |", "|---|---|---|", *rows])


def with_variants(card: str, variants: Iterable[VariantFile]) -> str:
    """A card's text with this section about variants in the place of its old one, or before the known flaws."""
    section = variants_section(variants)
    parts = [part for part in re.split(r"(?m)^(?=## )", card) if not part.startswith(_HEADING)]
    place = next((index for index, part in enumerate(parts) if part.startswith("## Known flaws")), len(parts))
    if section:
        parts.insert(place, section + "\n\n")
    return "".join(parts).rstrip("\n") + "\n"


def _told(facts: Mapping[str, str]) -> str:
    if "bend" in facts:
        return f"the same pictures until it is bent: {facts['bend']}"
    if "alike_db" not in facts:
        return "it does not say what it loses"
    kept = facts.get("float32_layers", "none")
    but = "" if kept == "none" else f"; in float32: {kept}"
    return f"pictures alike to {facts['alike_db']} dB; loses {facts['loss_db']} dB, {facts['loss_basis']}{but}"


def _self_test(reference: Path, variant: Variant) -> dict[str, str]:
    """What the variant's reference pictures must reach; nothing where it makes the same pictures or there are none."""
    if variant.loss is None or not reference.exists():
        return {}
    wanted = read_reference(reference)
    made = np.round(pictures_of(variant.graph, wanted.z) * 255).astype(np.uint8)
    least = float(psnr(*(frames.astype(np.float32) / np.float32(255) for frames in (made, wanted.frames))).min())
    return {"self_test_db": f"{least - SELF_TEST_MARGIN_DB:.1f}"}


def refine(folder: Path, material: Material, kinds: Iterable[Kind] = tuple(Kind)) -> tuple[VariantFile, ...]:
    """`publish` for a model that was not trained here, and its card told. Raises ModelError, UnavailableError."""
    variants = publish(folder, material, kinds)
    card = folder / CARD
    try:
        text = card.read_text("utf-8") if card.exists() else f"# {folder.resolve().name}\n"
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{card}: cannot be read: {error}") from error
    write_whole(card, with_variants(text, variants).encode())
    return variants
