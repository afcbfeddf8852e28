"""A recipe: everything that decides how a model is trained, as data and small strategy objects."""

from __future__ import annotations

from dataclasses import dataclass, replace

from installation.studio.learners import Learner
from installation.studio.lesson import Objective
from installation.studio.networks.interface import Architecture
from installation.studio.schedules import Schedule, noise_schedule


@dataclass(frozen=True, slots=True)
class Preset:
    """One recipe.

    source: where it comes from. noise: standard deviation of the injected latent noise, in units of the posterior's
    own. batch: frames a step. ema: decay of the averaged weights that are exported; None exports the weights
    themselves. seed: of everything drawn.
    """

    name: str
    title: str
    source: str
    networks: Architecture
    objective: Objective
    learners: tuple[Learner, ...]
    batch: int
    noise: Schedule
    ema: float | None
    seed: int

    def with_noise(self, text: str) -> Preset:
        """The recipe with another noise schedule, as the command line writes it; an empty text keeps its own.

        Raises InputError.
        """
        return replace(self, noise=noise_schedule(text)) if text else self

    def story(self) -> str:
        """How a model of this recipe learns, for its card."""
        learners = "; ".join(str(learner) for learner in self.learners)
        weights = "averaged weights are exported" if self.ema is not None else "the last weights are exported"
        return (
            f"{self.title} ({self.source}). {self.objective}. Latent noise, in posterior deviations: {self.noise}. "
            f"Learning: {learners}. Batch {self.batch}, seed {self.seed}; {weights}, stored as float16."
        )
