"""A grid of settings, each measured once and kept, so that an interrupted sweep goes on."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..checkpoints.errors import BadCheckpoint
from ..checkpoints.files import write_text
from .streamed_training import Diverged

Point = Mapping[str, float]


def sweep(
    points: Sequence[Point],
    measure: Callable[[Point], float],
    folder: Path | None,
    identity: Mapping[str, Any],
) -> list[float | None]:
    """Return the score of every point, in order; None where training diverged.

    Args:
        points: settings by name.
        measure: a point's score, higher is better; may raise `Diverged`.
        folder: that finished points are kept in, one small file each; None: nowhere.
        identity: everything else that the score depends on: weights, images, protocol, code.

    Raises:
        BadCheckpoint: every point diverged.
    """
    scores = [_kept(point, measure, folder, identity) for point in points]
    if all(score is None for score in scores):
        raise BadCheckpoint(
            "fine-tuning",
            f"the loss became infinite for all {len(scores)} settings of the sweep",
            "one that trains",
            "Set smaller learning rates with --set.",
        )
    return scores


def best_of(points: Sequence[Point], scores: Sequence[float | None]) -> tuple[Point, float]:
    """Return the point of the highest score and that score; ties to the earlier point."""
    known = [(score, -index) for index, score in enumerate(scores) if score is not None]
    score, place = max(known)
    return points[-place], score


def _kept(
    point: Point,
    measure: Callable[[Point], float],
    folder: Path | None,
    identity: Mapping[str, Any],
) -> float | None:
    path = _path(folder, point, identity) if folder is not None else None
    if path is not None and path.is_file():
        score = json.loads(path.read_text(encoding="utf-8"))["score"]
        return None if score is None else float(score)
    try:
        found: float | None = measure(point)
    except Diverged:
        found = None
    if path is not None:
        write_text(path, json.dumps({"score": found, **point}, sort_keys=True) + "\n")
    return found


def _path(folder: Path, point: Point, identity: Mapping[str, Any]) -> Path:
    text = json.dumps({"point": dict(point), **identity}, sort_keys=True)
    return folder / "sweeps" / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
