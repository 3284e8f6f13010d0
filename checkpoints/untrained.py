"""What untrained networks see: the canary's reference, kept for published architectures.

An untrained ResNet-50 costs half a second of the one that a conversion takes, and for one
architecture and one preprocessing it is always the same network. So what the zoo's
architectures see is kept in untrained.csv; any other network is drawn and tried.

    python -m relicheck.checkpoints.untrained > checkpoints/untrained.csv
"""

import csv
import sys
from functools import cache
from importlib.resources import files

from torch import Tensor

from .canary import Spread, photographs, untrained_spread
from .spec import Preprocessing, ResNetSpec
from .zoo import published_names, read_published

Key = tuple[str, ...]
FIELDS = ("depth", "width", "stem", "shortcut", "padding", "bn_epsilon", "side", "mean", "std")


def reference(spec: ResNetSpec, preprocessing: Preprocessing, images: Tensor) -> Spread:
    """Return the spread of an untrained network, seed 0, on the canary's photographs.

    Args:
        images: `photographs(preprocessing)`, for an architecture that is not in the table.
    """
    kept = table().get(key_of(spec, preprocessing))
    return untrained_spread(spec, images) if kept is None else kept


def key_of(spec: ResNetSpec, preprocessing: Preprocessing) -> Key:
    """Return all that decides what an untrained network sees, as the table writes it."""
    values = (
        spec.depth,
        f"{spec.width_multiplier:g}",
        spec.stem,
        spec.shortcut,
        spec.padding,
        f"{spec.bn_epsilon:g}",
        preprocessing.image_size,
        " ".join(f"{value:g}" for value in preprocessing.mean),
        " ".join(f"{value:g}" for value in preprocessing.std),
    )
    return tuple(map(str, values))


@cache
def table() -> dict[Key, Spread]:
    """Return the spreads that are kept."""
    text = files(__package__).joinpath("untrained.csv").read_text("utf-8")
    return {
        tuple(row[name] for name in FIELDS): Spread(
            rank=float(row["rank"]), spread=float(row["spread"])
        )
        for row in csv.DictReader(text.splitlines())
    }


def published() -> dict[Key, tuple[ResNetSpec, Preprocessing]]:
    """Return the architectures of the zoo, each with each preprocessing it is published with."""
    entries = [read_published(name) for name in published_names()]
    found = {
        key_of(entry.spec, entry.preprocessing): (entry.spec, entry.preprocessing)
        for entry in entries
        if entry.spec is not None and entry.preprocessing is not None
    }
    return dict(sorted(found.items(), key=lambda item: (int(item[0][0]), item[0])))


def main() -> None:
    """Write the table to standard output. Takes minutes and, for ResNet-200 2x, 2 GB."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow((*FIELDS, "rank", "spread"))
    for key, (spec, preprocessing) in published().items():
        seen = untrained_spread(spec, photographs(preprocessing))
        writer.writerow((*key, seen.rank, seen.spread))


if __name__ == "__main__":
    main()
