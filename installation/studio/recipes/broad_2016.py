"""The network that remembered Blade Runner.

Source: Terence Broad and Mick Grierson, "Autoencoding Blade Runner: Reconstructing films with artificial neural
networks", Leonardo 50(4), 2017, and the authors' repository Learned-Sim-Autoencoder-For-Video-Frames (facts only).
What the published code does otherwise than the paper, and what is done here, stands in `objectives.vaegan` and
`networks.batchnorm`. The pace of the annealing was the authors' hand; here it is a straight line.
"""

from __future__ import annotations

from installation.studio.frames.sampling import Sampling
from installation.studio.networks.broad import BroadShape
from installation.studio.objectives.vaegan import Everybody, MeanDivergence, UniformPrior, VaeGan
from installation.studio.preset import Preset
from installation.studio.training.learners import Adam, Learner
from installation.studio.training.schedules import Constant, Linear

RATE = Constant(2e-4)
RULE = Adam(beta1=0.5)
LEARNERS = tuple(Learner(name, (name,), RULE, RATE) for name in ("encoder", "decoder", "discriminator"))

PRESET = Preset(
    name="broad-2016",
    title="VAE/GAN with learned similarity in four layers and annealed latent noise",
    source="Broad and Grierson 2016",
    networks=BroadShape(width=256, height=144, latent_size=200, widths=(80, 160, 320, 640)),
    objective=VaeGan(
        likeness_layers=4,
        gamma=2.5,
        divergence=MeanDivergence(bound=5.0),
        prior=UniformPrior(),
        referee=Everybody(),
    ),
    learners=LEARNERS,
    batch=12,
    noise=Linear(first=1.0, last=0.0, begin=0.1, end=0.9),
    sampling=Sampling(),
    ema=None,
    seed=2016,
    wide=True,
)
