"""A pretraining run: from images to a checkpoint in the common format, resumable."""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from ..checkpoints.common import is_common, read_manifest, write_checkpoint
from ..checkpoints.errors import TrainingFailed, UsageError
from ..checkpoints.files import check_writable
from ..checkpoints.manifest import Manifest
from ..checkpoints.progress import Bar, progress_bar
from . import methods
from .cache import use_compilation_cache
from .config import PretrainConfig
from .export import to_canonical
from .heads import Network
from .initial import initial_state
from .inputs import Images, Labels, batch_indices, check_inputs, fingerprint, total_steps
from .method import Method
from .optimizers import make_optimizer
from .saliency import foreground_masks
from .state import TrainState, load_state, save_state, state_path
from .step import Step, make_step

LICENCE = "Apache-2.0"  # of weights made here; the images' terms are theirs
_SAVE_SECONDS = 5.0
_COLLAPSED = 1e-4  # spread of unit-length outputs in a batch; a healthy one lies near 1


class Position(NamedTuple):
    """Where a run stands."""

    state: TrainState
    step: int  # steps taken
    loss: float  # of the last one


def pretrain(
    config: PretrainConfig,
    images: Images,
    labels: Labels,
    output: Path,
    progress: bool = True,
    source: str = "",
) -> Path:
    """Return `output` after training the backbone and writing it there.

    An interrupted run keeps its state in `<output>.state`; the same call goes on from it
    and gives the same weights, bit for bit on the same machine. A finished run of the
    same config and images is not repeated.

    Args:
        config: the run. images: [images, height, width, 3] uint8. labels: [images]
            integers from 0; only `supervised` looks at them.
        output: a .safetensors file. progress: whether to show a bar on standard error.
        source: for the manifest: the command that makes these weights.

    Raises:
        UsageError: `output` or its state is of another run, or the config does not fit.
        BadData: the arrays cannot be trained on.
        TrainingFailed: the loss is not finite, or the features collapsed.
    """
    output = Path(output)
    method = methods.load(config.method)
    check_inputs(images, labels, config)
    _check_views(config, method)
    facts = training_facts(config, images, labels)
    if is_finished(output, facts):
        return output
    check_writable(output)
    use_compilation_cache()
    run = _Run(config, method, images, labels, output, str(facts["run_sha256"]))
    try:
        state, loss = run.train(progress)
    except TrainingFailed:
        # Going on from there would fail again, and block a run with a better config.
        state_path(output).unlink(missing_ok=True)
        raise
    backbone = {
        "params": state.params["backbone"],
        "batch_stats": state.batch_stats["backbone"],
    }
    facts |= {"steps": run.total, "final_loss": loss}
    write(output, config, backbone, facts, config.method, source)
    state_path(output).unlink(missing_ok=True)
    return output


def _check_views(config: PretrainConfig, method: Method) -> None:
    wanted = method.views
    if wanted is not None and (len(config.views) != wanted or config.small_views):
        raise UsageError(
            f"config of {config.method}",
            f"{len(config.views)} large and {len(config.small_views)} small views",
            f"{wanted} large and no small ones",
        )


def training_facts(config: PretrainConfig, images: Images, labels: Labels) -> dict[str, Any]:
    """Return what identifies a run, for the manifest: config, images, and a digest of both."""
    data = fingerprint(images, labels)
    facts = {
        "config": asdict(config),
        "config_sha256": config.digest,
        "data_sha256": data,
        "images": len(images),
        "seed": config.seed,
        "epochs": config.epochs,
    }
    return {**facts, "run_sha256": f"{config.digest[:32]}{data[:32]}"}


def is_finished(output: Path, facts: Mapping[str, Any]) -> bool:
    """Return whether `output` already holds this run.

    Raises:
        UsageError: it holds something else.
    """
    if not output.exists():
        return False
    training = (read_manifest(output).training or {}) if is_common(output) else {}
    if training.get("run_sha256") != facts["run_sha256"]:
        raise UsageError(
            output,
            "exists and is not this run: another config, seed or images",
            "a new file, or the finished run itself",
            "Name another --output or delete the file.",
        )
    return True


def write(
    output: Path,
    config: PretrainConfig,
    backbone: Mapping[str, Any],
    facts: Mapping[str, Any],
    method: str,
    source: str,
) -> None:
    """Write the backbone's variables to `output` in the common format."""
    manifest = manifest_of(config, method, facts, source)
    write_checkpoint(output, to_canonical(backbone, config.spec), manifest)


def manifest_of(
    config: PretrainConfig, method: str, facts: Mapping[str, Any], source: str = ""
) -> Manifest:
    """Return the manifest of a backbone that `method` trained as `config` says."""
    return Manifest(
        spec=config.spec,
        preprocessing=config.preprocessing,
        method=method,
        source=source or f"relicheck pretrain, method {method}, seed {config.seed}",
        licence=LICENCE,
        training=facts,
    )


class _Silent:
    """A progress bar that shows nothing."""

    def update(self, n: float = 1) -> None:
        """Count nothing."""

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        """Show nothing."""


def _bar(description: str, total: int, shown: bool) -> AbstractContextManager[Bar]:
    return progress_bar(description, total, at_once=True) if shown else nullcontext(_Silent())


class _Run:
    """The loop of one run."""

    def __init__(
        self,
        config: PretrainConfig,
        method: Method,
        images: Images,
        labels: Labels,
        output: Path,
        digest: str,
    ) -> None:
        self.config, self.digest, self.count = config, digest, len(images)
        self.total = total_steps(len(images), config)
        self._path = state_path(output)
        self._images, self._labels = images, labels.astype(np.int32)
        masked = method.has_masks and config.mask_probability > 0
        self._masks = (
            foreground_masks(images) if masked else np.ones((len(images), 1, 1), dtype=bool)
        )
        network = Network(config, method, int(labels.max()) + 1)
        optimizer = make_optimizer(config, self.total, len(images) / config.batch_size)
        self._state = initial_state(network, optimizer)
        self._step: Step = make_step(network, optimizer, self.total)

    def train(self, progress: bool) -> tuple[TrainState, float]:
        """Return the final state and the loss of the last step."""
        # One object, so that an interruption finds state and count of the same step.
        now = Position(self._state, 0, float("nan"))
        if self._path.exists():
            now = Position(*load_state(self._path, self._state, self.digest))
        saved = time.monotonic()
        with _bar(self.config.method, self.total, progress) as bar:
            bar.update(now.step)
            # Nothing moves before the step is compiled, which takes many times a step.
            bar.set_postfix_str("compiling")
            try:
                while now.step < self.total:
                    started = time.monotonic()
                    now = self._advance(now)
                    rate = self.config.batch_size / (time.monotonic() - started)
                    bar.set_postfix_str(f"loss {now.loss:.3f}, {rate:.0f} images/s", refresh=False)
                    bar.update()
                    if time.monotonic() - saved > _SAVE_SECONDS:
                        self._save(now)
                        saved = time.monotonic()
            except KeyboardInterrupt:
                self._save(now)
                raise
        return now.state, now.loss

    def _advance(self, now: Position) -> Position:
        picked = batch_indices(now.step, self.count, self.config)
        state, facts = self._step(
            now.state,
            jnp.asarray(self._images[picked]),
            jnp.asarray(self._masks[picked]),
            jnp.asarray(self._labels[picked]),
            jnp.asarray(now.step, jnp.int32),
        )
        loss, spread = (float(fact) for fact in facts)
        self._check(now.step + 1, loss, spread)
        return Position(state, now.step + 1, loss)

    def _check(self, step: int, loss: float, spread: float) -> None:
        where = f"{self.config.method}, step {step} of {self.total}"
        if not np.isfinite(loss):
            raise TrainingFailed(
                where,
                f"the loss is {loss}",
                "a finite loss",
                "Lower base_learning_rate or raise warmup_epochs.",
            )
        if spread < _COLLAPSED:
            raise TrainingFailed(
                where,
                f"the outputs collapsed to one point: their spread is {spread:.1e}",
                f"at least {_COLLAPSED:.0e}",
                "Lower base_learning_rate; for methods with a target network raise target_decay.",
            )

    def _save(self, now: Position) -> None:
        if now.step:
            facts = {"step": now.step, "run_sha256": self.digest}
            manifest = manifest_of(self.config, self.config.method, facts)
            save_state(self._path, now.state, now.step, now.loss, self.digest, manifest)
