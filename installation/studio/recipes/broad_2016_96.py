"""The first resolution of Broad and Grierson 2016: the network of `broad_2016` for frames of 96x64."""

from __future__ import annotations

from dataclasses import replace

from installation.studio.networks.broad import BroadShape
from installation.studio.recipes import broad_2016

PRESET = replace(
    broad_2016.PRESET,
    name="broad-2016-96",
    networks=BroadShape(width=96, height=64, latent_size=200, widths=(80, 160, 320, 640)),
)
