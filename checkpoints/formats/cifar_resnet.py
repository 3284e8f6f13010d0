"""CIFAR ResNets of 20 to 110 layers as akamaster/pytorch_resnet_cifar10 saves them.

Three stages, parameter-free shortcuts (He et al., arXiv:1512.03385, Sec. 4.2, option
A), a classifier called `linear`, everything under `module.`; input normalised by the
ImageNet statistics (that repository: trainer.py). The `best_prec1` stored beside the
tensors is the best epoch of training on the test set, not the accuracy of the tensors.
"""

from pathlib import Path

from ..errors import RelicheckError
from ..format import Format, Upstream
from ..torch_file import read_torch_file, strip_prefixes
from .torch_resnet import canonical_upstream

_PREFIXES = ("module.", "")


def matches(path: Path) -> bool:
    """Return whether the file holds a ResNet whose classifier is called `linear`."""
    try:
        tensors = strip_prefixes(read_torch_file(path)[0], _PREFIXES)
    except RelicheckError:
        return False
    return {"conv1.weight", "layer1.0.conv1.weight", "linear.weight"} <= set(tensors)


def read(path: Path) -> Upstream:
    """Return the network with its classifier as `fc`. Raises: as `read_torch_file`."""
    stored_tensors, stored = read_torch_file(path)
    tensors = strip_prefixes(stored_tensors, _PREFIXES)
    renamed = {
        f"fc.{name.removeprefix('linear.')}" if name.startswith("linear.") else name: tensor
        for name, tensor in tensors.items()
    }
    return canonical_upstream(path, renamed, stored)


FORMAT = Format(
    matches=matches,
    read=read,
    description="CIFAR ResNet-20/32/44/56/110 with option-A shortcuts (.th)",
    source="akamaster/pytorch_resnet_cifar10: resnet.py, trainer.py",
)
