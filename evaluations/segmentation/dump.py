"""A protocol written out as a configuration that mmsegmentation's own tools can train."""

from collections.abc import Mapping
from pathlib import Path

from ...checkpoints.errors import UsageError
from ..dataset import is_registered
from ..evaluator import evaluators
from ..overrides import apply_overrides
from ..subject import Subject, open_model
from .config import config_of, text_of
from .fine_tuning import described
from .protocol import FcnProtocol


def configuration(
    checkpoint: str | Path,
    data: str | Path,
    evaluator: str,
    *,
    data_root: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    seed: int = 0,
    limit: int | None = None,
) -> str:
    """Return the text of a configuration, in Python, of one training run and its scoring.

    Of a grid of learning rates it has the middle one, and names the others; it trains on all
    of the training images. Paths in it are absolute.

    Args:
        checkpoint: a file, or a published name.
        data: a registered data set, or a folder of images and masks.
        evaluator: one that fine-tunes for segmentation.
        data_root: where data sets lie; None: where RELICHECK_DATA says when it is trained.
        overrides: of the protocol, as `evaluate` takes them.
        seed: of the run.
        limit: score only so many images.

    Raises:
        UnknownName, UsageError: a name or a value that cannot be.
        MissingData, BadData, BadCheckpoint: see the message.
    """
    published = evaluators.load(evaluator).protocol
    if not isinstance(published, FcnProtocol):
        able = [
            n for n in evaluators.names() if isinstance(evaluators.load(n).protocol, FcnProtocol)
        ]
        raise UsageError(f"--dump-config of {evaluator}", "it does not train with mmsegmentation",
                         " or ".join(able))  # fmt: skip
    protocol = apply_overrides({evaluator: published}, overrides or {})[evaluator]
    assert isinstance(protocol, FcnProtocol)
    subject = Subject(
        model=open_model(checkpoint),
        data=data if is_registered(data) else Path(data).resolve(),
        data_root=None if data_root is None else data_root.resolve(),
        limit=limit,
    )
    path = Path(checkpoint)
    network, images = described(
        subject, protocol, str(path.resolve()) if path.exists() else str(checkpoint)
    )
    rates = protocol.learning_rates
    rate = sorted(rates)[len(rates) // 2]
    config = config_of(protocol, network, images, learning_rate=rate, seed=seed)
    return "\n".join([*_heading(protocol, subject, rate, seed), "", text_of(config)])


def _heading(protocol: FcnProtocol, subject: Subject, rate: float, seed: int) -> list[str]:
    others = [f"{r:g}" for r in protocol.learning_rates if r != rate]
    return [
        f"# {protocol.id} ({protocol.digest[:16]}) on {subject.dataset_name}, seed {seed},",
        f"# of {subject.model.name}: {subject.architecture}, {subject.method}.",
        "# For mmsegmentation's tools: tools/train.py FILE, with relicheck installed beside it.",
        f"# Learning rate {rate:g}"
        + (f"; the protocol also tries {', '.join(others)} and chooses." if others else "."),
    ]
