"""The VAE/GAN itself.

Source: Anders Boesen Lindbo Larsen, Soren Kaae Sonderby, Hugo Larochelle, Ole Winther, "Autoencoding beyond pixels
using a learned similarity metric", ICML 2016: one layer of the discriminator measures likeness, RMSprop 3e-4, unit
normal prior, noise never annealed; the equilibrium rule is that of the authors' code. Otherwise than there: frames of
a film (`networks.larsen`) with 200 latent numbers instead of 128, so that figures compare with the others; batches of
16 instead of 64, because frames are nine times larger; gamma weighs a mean over features where theirs weighed a sum
over the features of smaller pictures.
"""

from __future__ import annotations

from installation.studio.frames.sampling import Sampling
from installation.studio.networks.larsen import LarsenShape
from installation.studio.objectives.vaegan import Equilibrium, NormalPrior, SummedDivergence, VaeGan
from installation.studio.preset import Preset
from installation.studio.training.learners import Learner, RMSprop
from installation.studio.training.schedules import Constant

LEARNERS = tuple(Learner(name, (name,), RMSprop(), Constant(3e-4)) for name in ("encoder", "decoder", "discriminator"))

PRESET = Preset(
    name="larsen-2016",
    title="VAE/GAN with learned similarity in one layer",
    source="Larsen, Sonderby, Larochelle and Winther 2016",
    networks=LarsenShape(
        width=256,
        height=144,
        latent_size=200,
        encoder_widths=(64, 128, 256, 256),
        hidden=2048,
        decoder_widths=(256, 256, 128, 64, 32),
        discriminator_widths=(32, 64, 128, 256, 256),
        verdict_hidden=512,
    ),
    objective=VaeGan(
        likeness_layers=1,
        gamma=2.5,
        divergence=SummedDivergence(),
        prior=NormalPrior(),
        referee=Equilibrium(centre=0.68, margin=0.35),
    ),
    learners=LEARNERS,
    batch=16,
    noise=Constant(1.0),
    sampling=Sampling(),
    ema=None,
    seed=2016,
    wide=True,
)
