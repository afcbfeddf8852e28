"""One training step of any recipe, and everything that has to survive an interruption.

`Trainer.step` is deterministic: what it draws depends on (seed, step) only. The order of a step: the objective leaves
gradients in the networks, processes that train together average them, the learners it names step, the averaged
weights follow.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from installation.errors import InputError, ModelError
from installation.studio.networks.batchnorm import MOMENTUM, batch_norms
from installation.studio.networks.interface import Decoder, Encoder, Networks, as_pictures
from installation.studio.preset import Preset
from installation.studio.training.compute import FULL, Precision
from installation.studio.training.learners import Learner
from installation.studio.training.lesson import Draw, Lesson, Moment
from installation.studio.world import ALONE, World

_COARSE = 4  # every so many-th pixel along each side tells how different pictures are from each other

Figures = Mapping[str, float]  # what one step measured, by name


class BrokenError(ArithmeticError):
    """A step's numbers are not finite; the networks have not learned from it."""


class Trainer:
    """Networks, optimisers and averaged weights of one training."""

    def __init__(self, preset: Preset, precision: Precision = FULL, world: World = ALONE) -> None:
        """Raises InputError if the processes cannot share a batch."""
        if preset.batch % world.size:
            raise InputError(f"{preset.name}: {world.size} processes cannot share a batch of {preset.batch}")
        torch.manual_seed(preset.seed)
        self.preset = preset
        self.precision = precision
        self.world = world
        self.networks = Networks.of(preset.networks)
        for network in self.networks.all():
            network.to(world.device, memory_format=precision.layout)  # type: ignore[call-overload]  # a stub's gap
            for norm in batch_norms(network):
                norm.world = world
        self._average = _copies(self.networks) if preset.ema is not None else None
        self._optimisers = {learner.name: learner.rule.over(self._parameters(learner)) for learner in preset.learners}

    @property
    def memory(self) -> tuple[Encoder, Decoder]:
        """The networks that are exported: averaged weights where the recipe has them."""
        if self._average is None:
            return self.networks.encoder, self.networks.decoder
        encoder, decoder = self._average
        assert isinstance(encoder, Encoder) and isinstance(decoder, Decoder)
        return encoder, decoder

    def step(self, frames: NDArray[np.uint8], step: int, progress: float, caution: float = 1.0) -> Figures:
        """Learn from this process's part of a batch, uint8 (B, H, W, 3). `progress` is the share of the training
        done, 0..1; rates are multiplied by `caution`.

        Returns the objective's losses and `noise`, `psnr` (dB, of this batch's reconstructions) and `spread` (how
        different they are from each other, next to footage), of the whole batch. Raises BrokenError.
        """
        real = as_pictures(frames).to(self.world.device, memory_format=self.precision.layout)
        noise = self.preset.noise.at(progress)
        for optimiser in self._optimisers.values():
            optimiser.zero_grad()
        moment = Moment(real, step, progress, noise, Draw(self.preset.seed, step, self.world), self.world)
        with self._autocast():
            lesson = self.preset.objective.learn(self.networks, moment)
        figures = self._figures(lesson, moment)
        learning = [learner for learner in self.preset.learners if learner.name in lesson.learning]
        self._agree(learning, step)
        for learner in learning:
            self._move(learner, learner.rate_at(step, progress) * caution)
        self._follow(step)
        return figures

    def _agree(self, learning: Iterable[Learner], step: int) -> None:
        """Average, check and bound the gradients of everything that learns. Raises BrokenError."""
        for learner in learning:
            parameters = self._parameters(learner)
            self.world.average_gradients(parameters)
            bound = learner.largest_gradient if learner.largest_gradient is not None else float("inf")
            if not torch.nn.utils.clip_grad_norm_(parameters, bound, foreach=True).isfinite():
                raise BrokenError(f"step {step + 1}: a gradient of the {learner.name} is not a finite number")

    def _move(self, learner: Learner, rate: float) -> None:
        optimiser = self._optimisers[learner.name]
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()

    def _parameters(self, learner: Learner) -> list[nn.Parameter]:
        return [p for name in learner.networks for p in self.networks.named(name).parameters()]

    @torch.no_grad()
    def _figures(self, lesson: Lesson, moment: Moment) -> Figures:
        """Numbers for people and for the watch, the same in every process. Raises BrokenError."""
        error = (lesson.made - moment.real).square().mean()
        made, real = (pictures[..., ::_COARSE, ::_COARSE] for pictures in (lesson.made, moment.real))
        spread = made.var(0).mean() / real.var(0).mean().clamp_min(1e-8)
        found = torch.stack([error, spread, *lesson.figures.values()])
        error_, spread_, *losses = self.world.mean(found).tolist()
        named = dict(zip(lesson.figures, losses, strict=True))
        if not np.isfinite([error_, *losses]).all():
            raise BrokenError(f"step {moment.step + 1}: a loss is not a finite number ({named})")
        return named | {"noise": moment.noise, "psnr": decibels(error_), "spread": spread_}

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.world.device.type, self.precision.dtype, enabled=self.precision.reduced)

    @torch.no_grad()
    def _follow(self, step: int) -> None:
        """Move the averaged weights towards the present ones; faster at first."""
        if self._average is None or self.preset.ema is None:
            return
        decay = min(self.preset.ema, (1 + step) / (10 + step))
        theirs: list[Tensor] = list(self._average.parameters())
        ours = [p.detach() for net in (self.networks.encoder, self.networks.decoder) for p in net.parameters()]
        torch._foreach_lerp_(theirs, ours, 1.0 - decay)
        for kept, now in zip(
            self._average.buffers(),
            [b for net in (self.networks.encoder, self.networks.decoder) for b in net.buffers()],
            strict=True,
        ):
            kept.copy_(now)

    @torch.no_grad()
    def settle(self, batches: Iterable[NDArray[np.uint8]]) -> None:
        """Take the batch norms' running statistics anew from footage (B, H, W, 3) as it will be played: without
        noise. Nothing happens to networks without batch norm.
        """
        encoder, decoder = self.memory
        norms = batch_norms(encoder) + batch_norms(decoder)
        if not norms:
            return
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum, norm.world = None, ALONE  # a plain mean over all batches
        for frames in batches:
            with self._autocast():
                decoder(encoder.locate(as_pictures(frames).to(self.world.device)))
        for norm in norms:
            norm.momentum, norm.world = MOMENTUM, self.world

    @torch.no_grad()
    def remember(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What the exported networks make of uint8 (B, H, W, 3), without noise: uint8 (B, H, W, 3)."""
        encoder, decoder = self.memory
        with _at_rest(encoder, decoder):
            made = decoder(encoder.locate(as_pictures(frames).to(self.world.device)))
        picture: NDArray[np.uint8] = made.mul(255.0).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        return np.ascontiguousarray(picture)

    def state(self) -> dict[str, Any]:
        """Everything a checkpoint needs to go on, as tensors and plain values."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`. Raises ModelError if it is of an earlier version, with other parts."""
        missing = self._parts().keys() - state.keys()
        if missing:
            raise ModelError(
                f"the checkpoint lacks {', '.join(sorted(missing))}: an earlier version wrote it. It can be exported, "
                "but not trained further"
            )
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        """`average` holds what is exported: [encoder, decoder]. Where that is the networks themselves, a file stores
        their tensors once.
        """
        networks = self.networks
        return {
            "encoder": networks.encoder,
            "decoder": networks.decoder,
            "discriminator": networks.discriminator,
            "average": self._average if self._average is not None else nn.ModuleList([*self.memory]),
            **{f"{name}_optimiser": optimiser for name, optimiser in self._optimisers.items()},
        }


@contextmanager
def _at_rest(*networks: nn.Module) -> Iterator[None]:
    """Inside, the networks behave as they do when played."""
    for network in networks:
        network.eval()
    try:
        yield
    finally:
        for network in networks:
            network.train()


def decibels(mean_square_error: float) -> float:
    """Of an error in [0, 1] pictures, at most 60."""
    return float(-10.0 * np.log10(max(mean_square_error, 1e-6)))


def _copies(networks: Networks) -> nn.ModuleList:
    """Frozen copies that hold the averaged weights: [encoder, decoder]."""
    copies = nn.ModuleList([copy.deepcopy(networks.encoder), copy.deepcopy(networks.decoder)])
    return copies.requires_grad_(False)
