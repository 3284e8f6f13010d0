"""CIFAR-100-C: CIFAR-100's 10,000 test images under 15 corruptions, at 5 severities each.

Made by Hendrycks and Dietterich (2019) as CIFAR-10-C was. The hundred fine classes are
scored, at 32 pixels; the archive does not name them, so that they are called 0 to 99, in
CIFAR-100's order. There is no mCE: plain mean accuracy.

`cifar100_c` is all of them, for `--evaluators corruption_errors`; `cifar100_c:fog/3` is one.
"""

from ..cifar_c import declare
from ..dataset import Dataset

DATASET: Dataset = declare(
    "cifar100_c", "CIFAR-100-C", tuple(map(str, range(100))), 3555552, "cifar100"
)
