"""CIFAR-10-C: CIFAR-10's 10,000 test images under 15 corruptions, at 5 severities each.

Made by Hendrycks and Dietterich (2019) with milder constants than ImageNet-C's, and four
extra corruptions for choosing settings. All ten classes are scored, at 32 pixels. One
array for each corruption holds the severities one after the other. No AlexNet was ever
published on it, so that there is no mCE: plain mean accuracy.

`cifar10_c` is all of them, for `--evaluators corruption_errors`; `cifar10_c:fog/3` is one.
"""

from ..cifar_c import declare
from ..dataset import Dataset
from .cifar10 import CLASSES

DATASET: Dataset = declare("cifar10_c", "CIFAR-10-C", CLASSES, 2535967, "cifar10")
