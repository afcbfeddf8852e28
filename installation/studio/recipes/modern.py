"""Ours, today: `compact` with everything the discriminator's likeness needs to be useful, and nothing before that.

Source: ours, see `compact`.
"""

from __future__ import annotations

from dataclasses import replace

from installation.studio.recipes import compact

PRESET = replace(
    compact.PRESET,
    name="modern",
    title="VAE/GAN with learned similarity and annealed latent noise, fidelity first",
    source="ours",
    batch=12,
)
