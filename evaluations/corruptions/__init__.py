"""Generated corruptions: the fifteen types of ImageNet-C and its four extra ones.

Written here from their definitions (Hendrycks and Dietterich, arXiv:1903.12261) with the
constants of the authors' generator (github.com/hendrycks/robustness). These are not the
images of ImageNet-C or CIFAR-10-C: the random draws differ, frost is a texture and not a
photograph, sizes other than 224 and 32 pixels have scaled constants, and an image is
corrupted as it lies on disk, before it is resized. Numbers on them are labelled
`generated`, and never called mCE.
"""

from .apply import (
    CORRUPTIONS,
    EXTRA_CORRUPTIONS,
    SEVERITIES,
    TEST_CORRUPTIONS,
    corrupt_image,
    parse,
)

__all__ = [
    "CORRUPTIONS",
    "EXTRA_CORRUPTIONS",
    "SEVERITIES",
    "TEST_CORRUPTIONS",
    "corrupt_image",
    "parse",
]
