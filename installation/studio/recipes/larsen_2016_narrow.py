"""`larsen_2016` with all widths times 2/5, for comparisons on a processor: about a sixth of the arithmetic, everything
else as there.
"""

from __future__ import annotations

from dataclasses import replace

from installation.studio.networks.larsen import LarsenShape
from installation.studio.recipes import larsen_2016

PRESET = replace(
    larsen_2016.PRESET,
    name="larsen-2016-narrow",
    title=f"{larsen_2016.PRESET.title}, widths times 2/5",
    networks=LarsenShape(
        width=256,
        height=144,
        latent_size=200,
        encoder_widths=(24, 48, 104, 104),
        hidden=816,
        decoder_widths=(104, 104, 48, 24, 16),
        discriminator_widths=(16, 24, 48, 104, 104),
        verdict_hidden=208,
    ),
)
