"""CIFAR ResNets whose classifier is called `linear`, or their shortcuts `shortcut`.

akamaster/pytorch_resnet_cifar10 (resnet.py, trainer.py): 20 to 110 layers, three stages,
parameter-free shortcuts (He et al., arXiv:1512.03385, Sec. 4.2, option A). The `best_prec1`
stored beside the tensors is the best epoch of training on the test set, not the accuracy of the
tensors. kuangliu/pytorch-cifar (models/resnet.py, main.py): ResNet-18 to -152 with a 3x3 stem,
saved as `net`. HobbitLong/SupContrast (networks/resnet_big.py): the same under model.encoder.

The first normalises its input by the ImageNet statistics, kuangliu's by CIFAR's own (main.py):
a file does not tell which, and the manifest says ImageNet's.
"""

from ..container import Opened
from ..format import Format, Upstream
from ..torch_places import lone_place, network_at, with_classifier
from ..torch_table import Table, torch_tensors, upstream_of

# Everything is also under `module.`, which is taken away before.
_PLACES = ("state_dict.", "net.", "model.encoder.", "encoder.", "model.", "")


def matches(opened: Opened) -> bool:
    """Return whether a ResNet lies here with a `linear` classifier or a `shortcut`."""
    return _place(torch_tensors(opened)) is not None


def _place(tensors: Table) -> str | None:
    found = (place for place in _PLACES if network_at(tensors, place))
    place = next(found, None)
    if place is None:
        return None
    of_network = (name for name in tensors if name.startswith(f"{place}layer"))
    named = f"{place}linear.weight" in tensors or any(".shortcut." in name for name in of_network)
    return place if named else None


def read(opened: Opened, network: str | None) -> Upstream:
    """Return the network with its classifier as `fc`.

    Raises:
        BadCheckpoint: no ResNet lies here, or several.
    """
    tensors = torch_tensors(opened)
    place = _place(tensors)
    place = lone_place(opened, tensors) if place is None else place
    table = with_classifier(network_at(tensors, place), tensors, (f"{place}linear.",))
    return upstream_of(opened, table)


FORMAT = Format(
    matches=matches,
    read=read,
    description="CIFAR ResNets: option-A 20 to 110 layers (.th), 3x3 stems (linear, shortcut)",
    source="akamaster/pytorch_resnet_cifar10: resnet.py; kuangliu/pytorch-cifar: models/resnet.py",
)
