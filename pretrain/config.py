"""What a pretraining run is: one frozen dataclass, its view settings, its overrides.

A value that the papers do not print, or that was only recalled, says so in its
comment; such a value is a choice of ours and never presented as the paper's.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Literal

from ..checkpoints.errors import UnknownName, UsageError
from ..checkpoints.spec import Preprocessing, ResNetSpec


@dataclass(frozen=True, kw_only=True)
class ViewSettings:
    """How one random view of an image is made. Defaults: BYOL (arXiv:2006.07733), Table 6, view 1.

    Order: crop and resize, flip, colour jitter, grayscale, blur, solarise.
    """

    side: int = 224  # pixels of the view
    area: tuple[float, float] = (0.08, 1.0)  # fraction of the image that the crop keeps
    aspect: tuple[float, float] = (3 / 4, 4 / 3)  # width over height, log-uniform
    flip_probability: float = 0.5
    jitter_probability: float = 0.8
    brightness: float = 0.4  # additive, uniform in +-
    contrast: float = 0.4  # factor uniform in 1 +-, about the mean of each channel
    saturation: float = 0.2  # factor uniform in 1 +-, of S in HSV
    hue: float = 0.1  # turns of the colour circle, uniform in +-
    grayscale_probability: float = 0.2
    blur_probability: float = 1.0
    blur_sigma: tuple[float, float] = (0.1, 2.0)  # pixels; the kernel is a tenth of the side
    solarise_probability: float = 0.0
    solarise_threshold: float = 0.5  # of values in [0, 1]


@dataclass(frozen=True, kw_only=True)
class PretrainConfig:
    """One pretraining run. Defaults: BYOL's 1000-epoch run unless a comment says otherwise."""

    method: str
    spec: ResNetSpec
    preprocessing: Preprocessing  # normalisation of the views, and what evaluation must do
    views: tuple[ViewSettings, ...]  # large views; through the online and the target network
    small_views: tuple[ViewSettings, ...] = ()  # ReLICv2: through the online network only
    seed: int = 0
    # optimisation
    epochs: float = 1000
    batch_size: int = 4096  # images, not views
    optimizer: Literal["lars", "sgd", "adamw"] = "lars"
    base_learning_rate: float = 0.2  # per 256 images for lars and sgd; as it is for adamw
    warmup_epochs: float = 10
    momentum: float = 0.9
    weight_decay: float = 1.5e-6  # not of biases and BatchNorm
    trust_coefficient: float = 1e-3  # lars
    # networks
    projector_hidden: tuple[int, ...] = (4096,)
    predictor_hidden: tuple[int, ...] = (4096,)
    embedding_dim: int = 256
    projection_norm: bool = False  # BatchNorm after the projector: SimCLR's, not BYOL's
    zero_init_last_gamma: bool = False  # the released BYOL weights: False; its public code: True
    batch_norm_momentum: float = 0.9
    target_decay: float = 0.996  # EMA base; rises to 1 along a cosine
    # Convolutions and matrix products; parameters, statistics and losses stay float32.
    compute_dtype: Literal["float32", "bfloat16"] = "float32"
    remat: bool = False  # compute every block again on the way back, to save memory
    # losses
    temperature: float = 0.1  # SimCLR's code; ReLIC and ReLICv2 print none
    contrastive_weight: float = 1.0  # ReLICv2 weighs both terms; the weights were not seen
    invariance_weight: float = 1.0  # alpha of ReLIC, Eq. 3; no value seen
    negatives: int = 10  # ReLICv2, sampled per image; recalled
    include_self_pairs: bool = True  # ReLICv2's listing compares a large crop with itself
    mask_probability: float = 0.1  # p_m of ReLICv2; recalled
    carry_mask: bool = False  # ReLICv2's listing overwrites the image; True reads it literally
    background: float = 0.5  # value in [0, 1] that replaces a removed background; not seen
    label_smoothing: float = 0.0  # supervised

    def __post_init__(self) -> None:
        for each in fields(self):
            # 30 and 30.0 epochs are one config and must have one digest.
            if each.type is float:
                object.__setattr__(self, each.name, float(getattr(self, each.name)))
        for field, wrong, wanted in (
            ("epochs", self.epochs <= 0, "above 0"),
            ("batch_size", self.batch_size < 2, "at least 2: the losses compare images"),
            ("temperature", self.temperature <= 0, "above 0"),
            ("target_decay", not 0 <= self.target_decay <= 1, "in [0, 1]"),
            ("mask_probability", not 0 <= self.mask_probability <= 1, "in [0, 1]"),
            ("negatives", self.negatives < 1, "at least 1"),
            ("optimizer", self.optimizer not in ("lars", "sgd", "adamw"), "lars, sgd or adamw"),
            ("views", len(self.views) < 1, "at least one view"),
            (
                "compute_dtype",
                self.compute_dtype not in ("float32", "bfloat16"),
                "float32 or bfloat16",
            ),
        ):
            if wrong:
                raise UsageError(f"config.{field}", f"is {getattr(self, field)!r}", wanted)

    @property
    def learning_rate(self) -> float:
        """Peak rate. Linear scaling rule for lars and sgd: base times batch size over 256."""
        if self.optimizer == "adamw":
            return self.base_learning_rate
        return self.base_learning_rate * self.batch_size / 256

    @property
    def digest(self) -> str:
        """SHA-256 over every field: runs of equal digest on equal images give equal weights."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A file of `configs/`: the same networks and images under one or more methods."""

    configs: Mapping[str, PretrainConfig]  # by method
    data: str  # data set that the recipe was made for: a name of evaluations/datasets
    expected: str  # time and result, in words

    def config(self, method: str | None = None) -> PretrainConfig:
        """Return the config of `method`, which may be left out where there is only one.

        Raises:
            UnknownName: the recipe has no such method.
            UsageError: several methods and none was named.
        """
        if method is None and len(self.configs) == 1:
            return next(iter(self.configs.values()))
        if method is None:
            raise UsageError(
                "recipe",
                "no method was named",
                f"one of {', '.join(self.configs)}",
                "Add --method.",
            )
        if method not in self.configs:
            raise UnknownName("method of this recipe", method, self.configs)
        return self.configs[method]
