"""Signs that a run is lost: a loss that is no number, outputs that fell into one point."""

import math
from collections.abc import Mapping

from ..checkpoints.errors import TrainingFailed

COLLAPSED = 1e-4  # spread of unit-length outputs in a batch; a healthy one lies near 1


def check_health(where: str, facts: Mapping[str, float]) -> None:
    """Return if the step's facts are those of a run that can go on.

    Args:
        where: for the message: method and step. facts: by name; `loss` and `spread` among them.

    Raises:
        TrainingFailed: the loss is not finite, or the outputs collapsed.
    """
    loss, spread = facts["loss"], facts["spread"]
    if not math.isfinite(loss):
        raise TrainingFailed(
            where,
            f"the loss is {loss}",
            "a finite loss",
            "Lower base_learning_rate or raise warmup_epochs.",
        )
    if spread < COLLAPSED:
        raise TrainingFailed(
            where,
            f"the outputs collapsed to one point: their spread is {spread:.1e}",
            f"at least {COLLAPSED:.0e}",
            "Lower base_learning_rate; for methods with a target network raise target_decay.",
        )
