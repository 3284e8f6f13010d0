"""The published recipes on ImageNet at 224: ResNet-50, batch 4096, 1000 epochs.

    relicheck pretrain imagenet --method relicv2 --data DIR --output relicv2.safetensors

For accelerators: on 512 TPU v3 cores BYOL's run took about 8 hours (arXiv:2006.07733,
Sec. 3.3); images are still read into memory at once, so only parts of ImageNet fit.
None of these runs has been made here; the papers' results are in the registry of claims.
What the papers do not print is marked in `pretrain/config.py`.
"""

from dataclasses import replace

from ...checkpoints.spec import Preprocessing, ResNetSpec
from ..config import PretrainConfig, Recipe, ViewSettings

# BYOL (arXiv:2006.07733), Table 6; ReLIC (arXiv:2010.07922), App. E.1, lists the same.
VIEWS = (
    ViewSettings(),
    ViewSettings(blur_probability=0.1, solarise_probability=0.2),
)
# SimCLR (arXiv:2002.05709), App. A: full-strength jitter, blur for half of the images.
_SIMCLR_VIEW = ViewSettings(
    brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2, blur_probability=0.5
)
_BYOL = PretrainConfig(
    method="byol",
    spec=ResNetSpec(depth=50, padding="same"),
    preprocessing=Preprocessing(image_size=224, resize=256),
    views=VIEWS,
)
CONFIG = Recipe(
    configs={
        "simclr": replace(
            _BYOL,
            method="simclr",
            preprocessing=replace(_BYOL.preprocessing, mean=(0.0,) * 3, std=(1.0,) * 3),
            views=(_SIMCLR_VIEW, _SIMCLR_VIEW),
            base_learning_rate=0.3,
            weight_decay=1e-6,  # the paper's; the released code has 1e-4
            projector_hidden=(2048,),
            embedding_dim=128,
            projection_norm=True,
        ),
        "byol": _BYOL,
        "relic": replace(_BYOL, method="relic"),
        # Four large crops and two small ones of 96: recalled. The areas were not seen;
        # these are SwAV's (arXiv:2006.09882), from which the multi-crop comes.
        "relicv2": replace(
            _BYOL,
            method="relicv2",
            views=tuple(replace(view, area=(0.14, 1.0)) for view in (*VIEWS, *VIEWS)),
            small_views=(ViewSettings(side=96, area=(0.05, 0.14)),) * 2,
        ),
        # BYOL, App. C.2, without its RandAugment: crop and flip, 200 epochs.
        "supervised": replace(
            _BYOL,
            method="supervised",
            views=(
                ViewSettings(jitter_probability=0, grayscale_probability=0, blur_probability=0),
            ),
            epochs=200,
            optimizer="sgd",
            base_learning_rate=0.1,
            warmup_epochs=5,
            weight_decay=1e-4,
            label_smoothing=0.1,
        ),
    },
    data="imagenet",
    expected="the papers' numbers; needs accelerators and has not been run here",
)
