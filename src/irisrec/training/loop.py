"""The one training loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor

from irisrec.budget import memory_budget
from irisrec.clock import Stopwatch
from irisrec.errors import TrainingError
from irisrec.models.features import held_modalities, masked, replaced
from irisrec.models.histories import Histories
from irisrec.models.pair_kernel import fused
from irisrec.models.products import rounding
from irisrec.models.trainable import Trainable
from irisrec.progress import Task, progress, say
from irisrec.training.checkpoints import (
    Progress,
    State,
    load_state,
    optimizer_tensors,
    restore_optimizer,
    save_state,
)
from irisrec.training.config import TrainingConfig
from irisrec.training.lazy_adam import LazyAdamW, gradient_norm
from irisrec.training.losses import best_bias
from irisrec.training.negatives import draw_chances
from irisrec.training.precision import Precision, precision_of
from irisrec.training.steps import Step

Validate = Callable[[Trainable], dict[str, float]]
_RISING = 0.3  # share of a one-cycle schedule in which the learning rate rises
# pair activations of a whole training above which compiling saves more than it costs
_WORTH_FUSING = {"cpu": 1e10, "cuda": 1e11}


def fit(
    model: Trainable,
    train: csr_matrix,
    config: TrainingConfig,
    validate: Validate | None = None,
    checkpoint: Path | None = None,
    after_epoch: Callable[[Progress], None] | None = None,
    begin: Callable[[Trainable], None] | None = None,
    new: NDArray[np.bool_] | None = None,
) -> Progress:
    """Fit a model in place and return how it went; the model ends with the weights of ``config.keep``'s epoch.

    Args:
        model: changed in place.
        train: (n_users, n_items), what each user had: histories and positives at once, for a positive is never
            part of its own history.
        config: how to train.
        validate: gives validation metrics, of which ``ndcg@10`` chooses the best epoch; the last epoch without it.
        checkpoint: file to leave after every epoch; training goes on from it where it exists. What is fitted before
            the model leaves files of its own beside it.
        after_epoch: told how far training has come, for example to write the metrics down.
        begin: sets the weights that training begins with, instead of any pretraining.
        new: (n_items,), which items nobody could have had yet: what stands for a new item stands for them, where the
            model has that. Items without interactions that are not new are what few people want, and are learned
            as such. None where all of them are new.
    """
    if not train.nnz:
        raise TrainingError("there is nothing to train on: the training part of the split has no interaction")
    if config.history_dropout and not model.reads_histories:
        raise TrainingError(
            f"training.history_dropout = {config.history_dropout:g} hides history items, and "
            f"{type(model).__name__} reads none, it learns a user instead; set it to 0"
        )
    if config.modality_dropout and not held_modalities(model):
        raise TrainingError(
            f"training.modality_dropout = {config.modality_dropout:g} hides what items look and read like, and "
            f"{type(model).__name__} reads no modality; set it to 0"
        )
    device = _device(config.device)
    precision = precision_of(config.precision, model, device)
    model.to(device)
    watch = Stopwatch()
    if new is None:
        new = np.bincount(train.indices, minlength=train.shape[1]) == 0
    model.begin_training(train, new)
    model.is_probabilistic = config.loss == "log" and config.negatives_by == "uniform"
    trainer = _Trainer(model, train, config, device, new, precision)
    if checkpoint is not None and checkpoint.exists():
        trainer.restore(load_state(checkpoint))
    elif begin is not None:
        begin(model)
        trainer.progress.add(watch)
    else:
        trainer.progress.add(watch)
        _pretrain(model, train, config, validate, checkpoint, trainer.progress)
    trainer.progress.precision = precision
    if config.precision != "float32":
        say(
            f"precision: the inputs of products are {'rounded to ' if precision == 'bfloat16' else ''}{precision}"
        )
    with memory_budget(config.memory_budget), fused(trainer.worth_fusing):
        trainer.run(validate, checkpoint, after_epoch or (lambda progress: None))
    return trainer.progress


def _pretrain(
    model: Trainable,
    train: csr_matrix,
    config: TrainingConfig,
    validate: Validate | None,
    checkpoint: Path | None,
    progress: Progress,
) -> None:
    """Fit what the model begins from, each part to its own best epoch; the time it takes goes to the progress."""
    parts = model.pretraining()
    for name, part in parts.items():
        say(f"pretraining {name}")
        beside = checkpoint and checkpoint.with_stem(f"{checkpoint.stem}-{name}")
        progress.add(fit(part, train, config, validate, beside))
    if parts:
        model.after_pretraining(parts)
        say("pretraining is over, the whole model follows")


class _Trainer:
    """State of one training: model, optimizer, best weights, progress."""

    def __init__(
        self,
        model: Trainable,
        train: csr_matrix,
        config: TrainingConfig,
        device: torch.device,
        new: NDArray[np.bool_] | None = None,
        precision: Precision = "float32",
    ) -> None:
        self.model, self.train, self.config, self.device = model, train, config, device
        self.rounds = precision == "bfloat16"
        self.users = np.flatnonzero(np.diff(train.indptr))  # a user without training items teaches nothing
        self.steps_per_epoch = math.ceil(len(self.users) / config.batch_users)
        self.modalities = held_modalities(model)
        self.names = {id(p): name for name, p in model.named_parameters()}
        self.best: dict[str, Tensor] = {}
        self.progress = Progress()
        chances = draw_chances(train, config.negatives_by, None if model.new_are_negatives else new)
        if config.bias_start == "fitted" and model.bias is not None:
            model.start_bias(best_bias(train, config.n_negatives, chances, config.loss))
        self.step = Step(model, train, config, chances.to(device))
        self.optimizers = self._optimizers()

    def _optimizers(self) -> list[torch.optim.Optimizer]:
        """Return Adam for all weights, in a lazy form for tables of which a step reads few rows."""
        rate, decay = self.config.learning_rate, self.config.weight_decay
        rows = self.model.row_parameters() if self.step.has_few_rows and not self.config.l2_embeddings else []
        self.model.sparse_gradients = bool(rows)
        lazy = {id(p) for p in rows}
        others = [p for p in self.model.parameters() if id(p) not in lazy]
        groups = [
            {"params": [p for p in others if p.ndim > 1], "weight_decay": decay},
            {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0},
        ]
        adam = torch.optim.AdamW([group for group in groups if group["params"]], lr=rate)
        return [adam, LazyAdamW(rows, rate, decay)] if rows else [adam]

    @property
    def worth_fusing(self) -> bool:
        """Whether the whole training's pairs are worth compiling for; the same in a resumed run."""
        if self.config.fuse != "auto":
            return self.config.fuse == "on"
        steps = self.config.epochs * self.steps_per_epoch
        return steps * self.model.pair_activations * self.step.share_of_pairs > _WORTH_FUSING.get(
            self.device.type, 1e11
        )

    def restore(self, state: State) -> None:
        self.model.load_state_dict(state.weights)
        for optimizer in self.optimizers:
            restore_optimizer(optimizer, self.names, state.optimizer)
        self.best = state.best
        self.progress = state.progress

    def run(
        self, validate: Validate | None, checkpoint: Path | None, after_epoch: Callable[[Progress], None]
    ) -> None:
        self.step.plan(self._bytes_to_come())
        while not self._is_done():
            record = self._epoch(self.progress.epoch + 1)
            self.progress.epoch += 1
            last = self.progress.epoch == self.config.epochs
            if validate and (last or self.progress.epoch % self.config.validate_every == 0):
                record["validation"] = validate(self.model)
            self.progress.epochs.append(record)
            self._keep_best(record, is_judged=validate is not None)
            self._say(record)
            if checkpoint is not None:
                self._save(checkpoint)
            after_epoch(self.progress)
        self.progress.finished = True
        self.model.load_state_dict(self.best)
        self.model.eval()
        if checkpoint is not None:
            self._save(checkpoint)

    def _bytes_to_come(self) -> int:
        """Return the bytes that gradients, moments and best weights will take and do not yet."""
        of_weights = sum(p.nbytes for p in self.model.parameters())
        of_lazy = sum(p.nbytes for p in self.model.row_parameters()) if self.model.sparse_gradients else 0
        moments = 0 if self.progress.epoch else 2 * of_weights
        return moments + (0 if self.best else of_weights) + of_weights - of_lazy

    def _is_done(self) -> bool:
        p, patience = self.progress, self.config.patience
        # while the learning rate still rises the metric may fall and come back: patience begins at its peak
        rising = _RISING * self.config.epochs if self.config.schedule == "one-cycle" else 0
        waited = p.epoch - max(p.best_epoch, rising)
        return (
            p.finished
            or p.epoch >= self.config.epochs
            or bool(patience and p.best_epoch and waited >= patience)
        )

    def _epoch(self, epoch: int) -> dict[str, object]:
        """Pass once over the users; all randomness comes from seed and epoch, so a resumed run repeats it."""
        watch = Stopwatch()
        torch.manual_seed(self.config.seed * 100_003 + epoch)
        generator = torch.Generator().manual_seed(self.config.seed * 100_019 + epoch)
        self.model.begin_epoch(epoch)
        self.model.train()
        total = weight = 0.0
        with progress(f"epoch {epoch}/{self.config.epochs}", self.steps_per_epoch) as task:
            for step, users in enumerate(self._batches(generator)):
                loss, n = self._step(epoch, step, users, generator)
                total, weight = total + loss * n, weight + n
                _show(task, total / weight)
        for optimizer in self.optimizers:
            if isinstance(optimizer, LazyAdamW):
                optimizer.settle()
        self.model.end_epoch()
        self.progress.add(watch)
        return {
            "epoch": epoch,
            "loss": total / weight,
            "learning_rate": self._learning_rate(epoch * self.steps_per_epoch - 1),
            "seconds": watch.seconds,
        }

    def _batches(self, generator: torch.Generator) -> Iterator[np.ndarray]:
        order = self.users[torch.randperm(len(self.users), generator=generator).numpy()]
        yield from (
            order[i : i + self.config.batch_users] for i in range(0, len(order), self.config.batch_users)
        )

    def _step(
        self, epoch: int, step: int, users: np.ndarray, generator: torch.Generator
    ) -> tuple[float, int]:
        rate = self._learning_rate((epoch - 1) * self.steps_per_epoch + step)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
        histories = Histories.from_matrix(self.train, users).to(self.device)
        self.model.zero_grad(set_to_none=True)
        value, n_samples = self._backward(histories, generator)
        penalty = self._penalty()
        if penalty.requires_grad:
            penalty.backward()  # type: ignore[no-untyped-call]
        norm = self._clipped_norm()
        if not (math.isfinite(value) and math.isfinite(float(norm))):
            raise TrainingError(
                f"loss {value:g} with gradient norm {float(norm):g} in epoch {epoch}, step {step + 1}: not finite; "
                f"lower training.learning_rate (now {rate:.3g}) or set training.clip_norm"
            )
        for optimizer in self.optimizers:
            optimizer.step()
        return value, n_samples

    def _backward(self, had: Histories, generator: torch.Generator) -> tuple[float, int]:
        """Add the gradients of a step's loss, some history items and modalities being hidden."""
        known = self._known(had, generator)
        with replaced(self.model, masked(self.model, self._kept(generator))), rounding(self.rounds):
            return self.step.backward(known, had, generator)

    def _known(self, had: Histories, generator: torch.Generator) -> Histories:
        """Return what is left of the histories when some of their items are hidden."""
        if not self.config.history_dropout:
            return had
        kept = torch.rand(len(had.items), generator=generator) >= self.config.history_dropout
        return had.only(kept.to(self.device))

    def _kept(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw which items (N,) keep each modality in a step; nothing is drawn without modality dropout."""
        rate = self.config.modality_dropout
        if not rate:
            return {}
        draws = (torch.rand(self.model.n_items, generator=generator) for _ in self.modalities)
        return {
            name: (draw >= rate).to(self.device) for name, draw in zip(self.modalities, draws, strict=True)
        }

    def _penalty(self) -> Tensor:
        """Return the four L2 groups of equation (12)."""
        total = torch.zeros((), device=self.device)
        for name, parameters in self.model.parameter_groups().items():
            if strength := getattr(self.config, f"l2_{name}"):
                total = total + strength * sum(p.square().sum() for p in parameters)
        return total

    def _clipped_norm(self) -> Tensor:
        """Return the norm of the gradients, which are scaled down where it is above the one allowed."""
        parameters = list(self.model.parameters())
        norm, limit = gradient_norm(parameters), self.config.clip_norm
        if limit and float(norm) > limit:
            for parameter in parameters:
                if parameter.grad is not None:
                    parameter.grad *= limit / norm
        return norm

    def _learning_rate(self, step: int) -> float:
        """Learning rate of a step counted from 0 over the whole training."""
        top, n_steps = self.config.learning_rate, self.config.epochs * self.steps_per_epoch
        if self.config.schedule == "constant":
            return top
        peak = max(1, round(_RISING * n_steps))  # up from a 25th, then down to nothing, both along a cosine
        if step < peak:
            return top * (1 / 25 + (1 - 1 / 25) * (1 - math.cos(math.pi * step / peak)) / 2)
        return top * (1 + math.cos(math.pi * (step - peak) / max(n_steps - peak, 1))) / 2

    def _keep_best(self, record: dict[str, object], is_judged: bool) -> None:
        """Keep the weights if they are the best by validation; without it, or if asked, the last epoch's count."""
        validation = record.get("validation")
        if is_judged and not isinstance(validation, dict):
            return  # an epoch between two validations
        value = validation["ndcg@10"] if isinstance(validation, dict) else float(self.progress.epoch)
        if self.config.keep == "last" or value > self.progress.best_value:
            self.progress.best_value, self.progress.best_epoch = value, self.progress.epoch
            self.best = {name: w.detach().clone() for name, w in self.model.state_dict().items()}

    def _save(self, checkpoint: Path) -> None:
        moments: dict[str, Tensor] = {}
        for optimizer in self.optimizers:
            moments |= optimizer_tensors(optimizer, self.names)
        save_state(checkpoint, State(dict(self.model.state_dict()), self.best, moments, self.progress))

    def _say(self, record: dict[str, object]) -> None:
        done = self.progress.epochs
        spent = sum(float(r["seconds"]) for r in done)
        left = spent / len(done) * (self.config.epochs - len(done))
        validation = record.get("validation")
        metric = f"  validation ndcg@10 {validation['ndcg@10']:.4f}" if isinstance(validation, dict) else ""
        star = " *" if self.progress.best_epoch == self.progress.epoch else ""
        say(
            f"epoch {record['epoch']:>3}/{self.config.epochs}  loss {record['loss']:.5f}{metric}{star}  "
            f"{record['seconds']:.1f} s, at most {left / 60:.1f} min left"
        )


def _show(task: Task, loss: float) -> None:
    task.advance(1, f"loss {loss:.4f}")


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)
