"""The contract of an upstream checkpoint format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .container import Opened
from .spec import Preprocessing, ResNetSpec
from .stored import Stored


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """What a format found in a file: canonical tensors and what they describe."""

    tensors: Mapping[str, Stored]  # canonical names, OIHW
    spec: ResNetSpec
    preprocessing: Preprocessing
    classes: int | None = None  # rows of fc.weight, where a head came along
    dropped: tuple[str, ...] = ()  # names in the file that are not part of the network
    stored: Mapping[str, Any] | None = None  # other facts in the file: epoch, best accuracy
    network: str | None = None  # which of the file's networks this is: online, target, ema
    method: str | None = None  # where the format tells it: byol, moco_v2, dino


@dataclass(frozen=True, kw_only=True)
class Format:
    """One upstream format. `matches` must be cheap and must not raise."""

    matches: Callable[[Opened], bool]
    read: Callable[[Opened, str | None], Upstream]  # the network's name; None: the default
    description: str
    source: str
    # Where a file holds several copies of the network: their names, the default first.
    networks: tuple[str, ...] = ()
