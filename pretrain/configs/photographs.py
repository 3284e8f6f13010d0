"""Small photographs at 32 pixels: what the demo uses for images that are not digits.

    relicheck pretrain photographs --method byol --data DIR --output byol.safetensors

The networks and the optimisation are those of `digits`; the views are the papers' (BYOL,
arXiv:2006.07733, Table 6; ReLIC, arXiv:2010.07922, App. E.1), except that crops keep at
least a fifth of the image: of 32 pixels, 0.08 would leave nine a side. On two CPU cores a
step of 64 images takes about 0.2 s, so 40 epochs of a thousand images take minutes and of
CIFAR-10 hours: set `epochs`.
"""

from dataclasses import replace

from ...checkpoints.spec import Preprocessing
from ..config import Recipe, ViewSettings
from . import digits

SIDE = 32  # pixels
_FIRST = ViewSettings(side=SIDE, area=(0.2, 1.0), blur_sigma=(0.1, 1.0))
_SECOND = replace(_FIRST, blur_probability=0.1, solarise_probability=0.2)
# The supervised baseline of the papers crops and flips, and changes no colour.
_PLAIN = replace(_FIRST, jitter_probability=0.0, grayscale_probability=0.0, blur_probability=0.0)
_PREPROCESSING = Preprocessing(image_size=SIDE, resize=SIDE)
_VIEWS = {"supervised": (_PLAIN,)}

CONFIG = Recipe(
    configs={
        method: replace(
            config,
            preprocessing=_PREPROCESSING,
            views=_VIEWS.get(method, (_FIRST, _SECOND)),
            small_views=tuple(replace(_FIRST, area=(0.05, 0.3)) for _ in config.small_views),
        )
        for method, config in digits.CONFIG.configs.items()
    },
    data="cifar10",
    expected="not measured at full length; the demo runs it for a few hundred steps",
)
