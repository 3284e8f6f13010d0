"""CIFAR-10 at its own 32 pixels: ResNet-18 with the CIFAR stem, batch 512.

    relicheck pretrain cifar10 --method byol --output byol.safetensors

For one accelerator. This run has not been made: its rates, decays and epochs are a
starting point of ours and come from no paper. Views are BYOL's without the blur.
"""

from dataclasses import replace

from ...checkpoints.spec import Preprocessing, ResNetSpec
from ..config import PretrainConfig, Recipe, ViewSettings

_VIEW = ViewSettings(side=32, blur_probability=0.0)
_BYOL = PretrainConfig(
    method="byol",
    spec=ResNetSpec(depth=18, stem="cifar", padding="same"),
    # Means and deviations of CIFAR-10's training images.
    preprocessing=Preprocessing(
        image_size=32, resize=32, mean=(0.4914, 0.4822, 0.4465), std=(0.2470, 0.2435, 0.2616)
    ),
    views=(_VIEW, replace(_VIEW, solarise_probability=0.2)),
    epochs=200,
    batch_size=512,
    optimizer="sgd",  # LARS was made for batches of thousands
    base_learning_rate=0.03,
    weight_decay=4e-4,
    projector_hidden=(2048,),
    predictor_hidden=(2048,),
    target_decay=0.99,
    temperature=0.2,
)
CONFIG = Recipe(
    configs={
        "simclr": replace(
            _BYOL, method="simclr", views=(_VIEW, _VIEW), embedding_dim=128, projection_norm=True
        ),
        "byol": _BYOL,
        "relic": replace(_BYOL, method="relic"),
        "relicv2": replace(
            _BYOL,
            method="relicv2",
            views=tuple(replace(view, area=(0.14, 1.0)) for view in (*_BYOL.views, *_BYOL.views)),
            small_views=(replace(_VIEW, side=16, area=(0.05, 0.3)),) * 2,
        ),
        "supervised": replace(
            _BYOL,
            method="supervised",
            views=(replace(_VIEW, jitter_probability=0.0, grayscale_probability=0.0),),
            base_learning_rate=0.05,
        ),
    },
    data="cifar10",
    expected="not run here; needs an accelerator",
)
