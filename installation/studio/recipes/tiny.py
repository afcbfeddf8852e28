"""`compact` at the size of a stamp, for trying things out."""

from __future__ import annotations

from dataclasses import replace

from installation.studio.networks.compact import CompactShape
from installation.studio.objectives.balanced import Balanced, Pull
from installation.studio.recipes import compact
from installation.studio.training.learners import Adam, Learner
from installation.studio.training.schedules import Constant, Cosine

PRESET = replace(
    compact.PRESET,
    name="tiny",
    title="the compact recipe at the size of a stamp, for trying things out",
    networks=CompactShape(
        width=64,
        height=32,
        latent_size=16,
        encoder_bottleneck=8,
        decoder_bottleneck=8,
        encoder_widths=(8, 16),
        decoder_widths=(16, 16, 8),
        discriminator_widths=(8, 16),
        sigma_floor=0.3,
    ),
    objective=Balanced(
        pull=Pull(likeness=0.3, realism=0.1, imagination=0.05, kl=1e-6, free_nats=0.05),
        blur=0.5,
        adversary_every=3,
        adversary_from=0.0,
        imagined_of=2,
    ),
    learners=(
        Learner(
            "memory",
            ("encoder", "decoder"),
            Adam(beta2=0.99),
            Cosine(first=2e-3, last=2e-5, begin=0.0, end=1.0),
            warm_up_steps=20,
            largest_gradient=0.5,
        ),
        Learner("adversary", ("discriminator",), Adam(beta1=0.0, beta2=0.99), Constant(4e-4)),
    ),
    batch=8,
    ema=0.99,
)
