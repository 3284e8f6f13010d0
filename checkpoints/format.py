"""The contract of an upstream checkpoint format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .spec import Preprocessing, ResNetSpec


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """What a format read from a file: canonical tensors and what they describe."""

    tensors: Mapping[str, np.ndarray]  # canonical names, OIHW, float32
    spec: ResNetSpec
    preprocessing: Preprocessing
    classes: int | None = None  # rows of fc.weight, where a head came along
    dropped: tuple[str, ...] = ()  # names in the file that are not part of the backbone
    stored: Mapping[str, Any] | None = None  # other facts in the file: epoch, best accuracy


@dataclass(frozen=True, kw_only=True)
class Format:
    """One upstream format. `matches` must be cheap and must not raise."""

    matches: Callable[[Path], bool]
    read: Callable[[Path], Upstream]
    description: str
    source: str
