"""ImageNetV2, TopImages: 10,000 new images for ImageNet's validation.

Collected as ImageNet was (Recht et al. 2019); the images that workers selected most often;
version imagenetv2-c-12.
All 1000 classes are scored, ten images each.

The folders are named 0 to 999 without leading zeros. Sorted as text (0, 1, 10, 100, ...)
nearly every label is wrong; here they are sorted as numbers.
"""

from ..dataset import Dataset
from ..imagenetv2 import declare

DATASET: Dataset = declare("imagenetv2_top_images", "TopImages", "imagenetv2-top-images-format-val")
