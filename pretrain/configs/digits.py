"""Handwritten digits."""

from dataclasses import replace

from ...checkpoints.spec import Preprocessing, ResNetSpec
from ..config import PretrainConfig, Recipe, ViewSettings

SIDE = 16
VIEW = ViewSettings(
    side=SIDE,
    area=(0.4, 1.0),
    aspect=(0.6, 1.6),
    flip_probability=0.0,
    brightness=0.4,
    contrast=0.4,
    saturation=0.0,
    hue=0.0,
    grayscale_probability=0.0,
    blur_probability=0.5,
    blur_sigma=(0.1, 1.5),
)
_SUPERVISED = PretrainConfig(
    method="supervised",
    spec=ResNetSpec(depth=18, width_multiplier=0.25, padding="same"),
    preprocessing=Preprocessing(image_size=SIDE, resize=SIDE, mean=(0.3,) * 3, std=(0.35,) * 3),
    views=(VIEW,),
    epochs=20,
    batch_size=64,
    optimizer="adamw",
    base_learning_rate=2e-3,
    warmup_epochs=2,
    weight_decay=1e-4,
    projector_hidden=(256,),
    predictor_hidden=(256,),
    embedding_dim=64,
    target_decay=0.9,
    temperature=0.2,
)
_TWO = replace(_SUPERVISED, views=(VIEW, VIEW), epochs=40)
CONFIG = Recipe(
    configs={
        "simclr": replace(_TWO, method="simclr"),
        "byol": replace(_TWO, method="byol"),
        "relic": replace(_TWO, method="relic"),
        "relicv2": replace(_TWO, method="relicv2", small_views=(replace(VIEW, area=(0.2, 0.5)),)),
        "supervised": _SUPERVISED,
    },
    data="digits",
    expected="",
)
