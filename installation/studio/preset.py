"""A recipe: everything that decides how a model is trained, as data and small strategy objects."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from installation.errors import InputError
from installation.studio.frames.sampling import Sampling
from installation.studio.networks.interface import Architecture
from installation.studio.training.learners import Learner
from installation.studio.training.lesson import Objective
from installation.studio.training.schedules import Schedule, noise_schedule


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person may choose otherwise than the recipe. noise: a schedule as the command line writes it, empty for
    the recipe's own. black: how many times as often black frames are seen.
    """

    noise: str = ""
    black: float = 1.0

    def stored(self) -> dict[str, str | float]:
        """As plain values, for a checkpoint."""
        return asdict(self)

    def __str__(self) -> str:
        noise = f" --noise {self.noise}" if self.noise else ""
        return noise + (f" --black {self.black:g}" if self.black != 1.0 else "")


@dataclass(frozen=True, slots=True)
class Preset:
    """One recipe.

    source: where it comes from. batch: frames a step. noise: standard deviation of the injected latent noise, in units
    of the posterior's own. sampling: which frames are seen how often. ema: decay of the averaged weights that are
    exported; None exports the weights themselves. seed: of everything drawn. wide: see `compute.fastest_precision`;
    `afterimage bench --training` measures it.
    """

    name: str
    title: str
    source: str
    networks: Architecture
    objective: Objective
    learners: tuple[Learner, ...]
    batch: int
    noise: Schedule
    sampling: Sampling
    ema: float | None
    seed: int
    wide: bool

    def chosen(self, choices: Choices) -> Preset:
        """The recipe with what a person chose. Raises InputError."""
        if not 0.0 <= choices.black <= 1000.0:
            raise InputError(f"--black {choices.black:g}: how many times as often, from 0 to 1000")
        sampling = replace(self.sampling, black=self.sampling.black * choices.black)
        noise = noise_schedule(choices.noise) if choices.noise else self.noise
        return replace(self, noise=noise, sampling=sampling)

    def story(self) -> str:
        """How a model of this recipe learns, for its card."""
        learners = "; ".join(str(learner) for learner in self.learners)
        weights = "averaged weights are exported" if self.ema is not None else "the last weights are exported"
        return (
            f"{self.title} ({self.source}). {self.objective}. Latent noise, in posterior deviations: {self.noise}. "
            f"Frames: {self.sampling}. Learning: {learners}. Batch {self.batch}, seed {self.seed}; {weights}, "
            "stored as float16."
        )
