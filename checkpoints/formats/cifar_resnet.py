"""CIFAR ResNets of 20 to 110 layers as akamaster/pytorch_resnet_cifar10 saves them.

Three stages, parameter-free shortcuts (He et al., arXiv:1512.03385, Sec. 4.2, option
A), a classifier called `linear`, everything under `module.`; input normalised by the
ImageNet statistics (that repository: trainer.py). The `best_prec1` stored beside the
tensors is the best epoch of training on the test set, not the accuracy of the tensors.
"""

from ..container import Opened
from ..format import Format, Upstream
from ..torch_table import Table, is_resnet, table_at, under, upstream_of


def matches(opened: Opened) -> bool:
    """Return whether the file holds a ResNet whose classifier is called `linear`."""
    table = _table(opened)
    return is_resnet(table) and "linear.weight" in table


def _table(opened: Opened) -> Table:
    tables = [under(table_at(opened, *keys), "module.") for keys in (("state_dict",), ())]
    tables += [table_at(opened, *keys) for keys in (("state_dict",), ())]
    return next((table for table in tables if is_resnet(table)), {})


def read(opened: Opened, network: str | None) -> Upstream:
    """Return the network with its classifier as `fc`."""
    renamed = {
        f"fc.{name.removeprefix('linear.')}" if name.startswith("linear.") else name: tensor
        for name, tensor in _table(opened).items()
    }
    return upstream_of(opened, renamed)


FORMAT = Format(
    matches=matches,
    read=read,
    description="CIFAR ResNet-20/32/44/56/110 with option-A shortcuts (.th)",
    source="akamaster/pytorch_resnet_cifar10: resnet.py, trainer.py",
)
