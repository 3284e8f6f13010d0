"""A pretraining run: from images to a checkpoint in the common format, resumable."""

from pathlib import Path

from ..checkpoints.errors import TrainingFailed, UsageError
from ..checkpoints.files import check_writable
from . import methods
from .cache import use_compilation_cache
from .config import PretrainConfig
from .feed import Feed
from .finished import is_finished, training_facts, write
from .inputs import Images, Labels, check_inputs
from .loop import run
from .method import Method
from .options import RunOptions
from .resident import Resident
from .store import Store


def pretrain(
    config: PretrainConfig,
    images: Images,
    labels: Labels,
    output: Path,
    options: RunOptions | None = None,
    source: str = "",
) -> Path:
    """Return `output` after training the backbone on arrays and writing it there.

    Args:
        config: the run. images: [images, height, width, 3] uint8. labels: [images]
            integers from 0; only `supervised` looks at them.
        output: a .safetensors file. options: how the run is carried out.
        source: for the manifest: the command that makes these weights.

    Raises:
        UsageError: `output` or its state is of another run, or the config does not fit.
        BadData: the arrays cannot be trained on.
        TrainingFailed: the loss is not finite, or the features collapsed.
    """
    check_inputs(images, labels, config)
    _check_views(config, methods.load(config.method))
    return pretrain_on(Resident(images, labels, config), config, output, options, source)


def pretrain_on(
    feed: Feed,
    config: PretrainConfig,
    output: Path,
    options: RunOptions | None = None,
    source: str = "",
) -> Path:
    """Return `output` after training the backbone on what `feed` gives, and writing it there.

    An interrupted run keeps its state in `<output>.state`; the same call goes on from it
    and gives the same weights, bit for bit on the same machine. A finished run of the
    same config and images is not repeated.

    Raises:
        UsageError: `output` or its state is of another run, or the config does not fit.
        TrainingFailed: the loss is not finite, or the features collapsed.
    """
    output, options = Path(output), options or RunOptions()
    method = methods.load(config.method)
    _check_views(config, method)
    facts = training_facts(config, feed.fingerprint, feed.images)
    if is_finished(output, facts):
        return output
    check_writable(output)
    use_compilation_cache()
    store = Store(output, config, options, str(facts["run_sha256"]))
    try:
        end = run(config, method, feed, options, store)
    except TrainingFailed:
        # Going on from there would fail again, and block a run with a better config.
        store.forget()
        raise
    backbone = {
        "params": end.state.params["backbone"],
        "batch_stats": end.state.batch_stats["backbone"],
    }
    facts |= {"steps": end.step, "final_loss": end.loss}
    write(output, config, backbone, facts, config.method, source)
    store.forget()
    return output


def _check_views(config: PretrainConfig, method: Method) -> None:
    wanted = method.views
    if wanted is not None and (len(config.views) != wanted or config.small_views):
        raise UsageError(
            f"config of {config.method}",
            f"{len(config.views)} large and {len(config.small_views)} small views",
            f"{wanted} large and no small ones",
        )
