"""`broad_2016` with all widths times 2/5 (32-64-128-256), for comparisons on a processor: about a sixth of the
arithmetic, everything else as there.
"""

from __future__ import annotations

from dataclasses import replace

from installation.studio.networks.broad import BroadShape
from installation.studio.recipes import broad_2016

PRESET = replace(
    broad_2016.PRESET,
    name="broad-2016-narrow",
    title=f"{broad_2016.PRESET.title}, widths times 2/5",
    networks=BroadShape(width=256, height=144, latent_size=200, widths=(32, 64, 128, 256)),
)
