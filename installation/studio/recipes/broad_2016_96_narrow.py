"""`broad_2016_96` with the widths of `broad_2016_narrow`: what a processor can train to the end within the hour."""

from __future__ import annotations

from dataclasses import replace

from installation.studio.networks.broad import BroadShape
from installation.studio.recipes import broad_2016_narrow

PRESET = replace(
    broad_2016_narrow.PRESET,
    name="broad-2016-96-narrow",
    networks=BroadShape(width=96, height=64, latent_size=200, widths=(32, 64, 128, 256)),
)
