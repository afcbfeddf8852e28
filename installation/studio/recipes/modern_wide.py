"""`modern` for a GPU or a long night: everything twice as wide but the finest layers."""

from __future__ import annotations

from dataclasses import replace

from installation.studio.networks.compact import CompactShape
from installation.studio.recipes import modern

PRESET = replace(
    modern.PRESET,
    name="modern-wide",
    title=f"{modern.PRESET.title}, wide",
    networks=CompactShape(
        width=256,
        height=144,
        latent_size=200,
        encoder_bottleneck=96,
        decoder_bottleneck=128,
        encoder_widths=(64, 192, 384),
        decoder_widths=(512, 192, 96, 48),
        discriminator_widths=(64, 128, 256),
        sigma_floor=0.3,
    ),
    wide=True,
)
