"""ImageNetV2, Threshold0.7: 10,000 new images for ImageNet's validation.

Collected as ImageNet was (Recht et al. 2019); at least 70 % of the workers selected
each image for its class; version imagenetv2-a-44.
All 1000 classes are scored, ten images each.

The folders are named 0 to 999 without leading zeros. Sorted as text (0, 1, 10, 100, ...)
nearly every label is wrong; here they are sorted as numbers.
"""

from ..dataset import Dataset
from ..imagenetv2 import declare

DATASET: Dataset = declare(
    "imagenetv2_threshold07", "Threshold0.7", "imagenetv2-threshold0.7-format-val"
)
