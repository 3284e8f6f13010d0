"""ImageNetV2, MatchedFrequency: 10,000 new images for ImageNet's validation.

Collected as ImageNet was (Recht et al. 2019) and sampled to match how often workers
selected the images of ImageNet's own validation set; version imagenetv2-b-33.
All 1000 classes are scored, ten images each.

The folders are named 0 to 999 without leading zeros. Sorted as text (0, 1, 10, 100, ...)
nearly every label is wrong; here they are sorted as numbers.
"""

from ..dataset import Dataset
from ..imagenetv2 import declare

DATASET: Dataset = declare(
    "imagenetv2_matched_frequency", "MatchedFrequency", "imagenetv2-matched-frequency-format-val"
)
