"""The recipe the first demo was made with. Kept as it was, so that its checkpoints stay readable; `modern` is its heir.

Source: ours. VAE/GAN with learned similarity (Larsen et al. 2016) and annealed latent noise (Broad and Grierson 2016);
hinge loss and spectral norm without batch norm (Miyato et al. 2018), free bits (Kingma et al. 2016), averaged weights.
"""

from __future__ import annotations

from installation.studio.frames.sampling import Sampling
from installation.studio.networks.compact import CompactShape
from installation.studio.objectives.balanced import Balanced, Pull
from installation.studio.preset import Preset
from installation.studio.training.learners import Adam, Learner
from installation.studio.training.schedules import Constant, Cosine

PRESET = Preset(
    name="compact",
    title="VAE/GAN with learned similarity and annealed latent noise, compact",
    source="ours, as the first demo was trained",
    networks=CompactShape(
        width=256,
        height=144,
        latent_size=200,
        encoder_bottleneck=48,
        decoder_bottleneck=80,
        encoder_widths=(48, 96, 192),
        decoder_widths=(256, 96, 48, 24),
        discriminator_widths=(32, 64, 128),
        sigma_floor=0.3,
    ),
    objective=Balanced(
        pull=Pull(likeness=0.3, realism=0.1, imagination=0.2, kl=3e-6, free_nats=0.05),
        blur=0.5,
        adversary_every=3,
        adversary_from=0.0,
        imagined_of=3,
    ),
    learners=(
        Learner(
            "memory",
            ("encoder", "decoder"),
            Adam(beta2=0.99),
            Cosine(first=1e-3, last=1e-5, begin=0.0, end=1.0),
            warm_up_steps=200,
            largest_gradient=0.5,
        ),
        Learner("adversary", ("discriminator",), Adam(beta1=0.0, beta2=0.99), Constant(4e-4)),
    ),
    batch=6,
    noise=Cosine(first=1.0, last=0.0, begin=0.3, end=0.9),
    sampling=Sampling(),
    ema=0.999,
    seed=2016,
    wide=False,
)
