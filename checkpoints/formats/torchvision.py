"""ResNets with torchvision's names: torchvision, timm, DataParallel and kin.

Sources of the prefixes: facebookresearch/swav hubconf.py, facebookresearch/moco
main_lincls.py, facebookresearch/moco-v3 main_lincls.py, facebookresearch/vicreg
evaluate.py, facebookresearch/vissl extra_scripts/convert_vissl_to_torchvision.py.
"""

from ..container import Opened
from ..format import Format, Upstream
from ..torch_table import Table, is_resnet, table_at, under, upstream_of

_TABLES = ((), ("state_dict",), ("model",), ("resnet",), ("teacher",))
# Longest first: the first prefix under which a stem lies is taken. MoCo keeps the network
# that is evaluated as encoder_q (v1, v2) or base_encoder (v3), never the momentum copy.
_PREFIXES = (
    "module.encoder_q.",
    "module.base_encoder.",
    "module.backbone.",
    "module.",
    "backbone.",
    "_feature_blocks.",
    "",
)


def matches(opened: Opened) -> bool:
    """Return whether the file holds a stem and a first block by torchvision's names."""
    table = _table(opened)
    return is_resnet(table) and "linear.weight" not in table


def _table(opened: Opened) -> Table:
    tables = (under(table_at(opened, *keys), p) for keys in _TABLES for p in _PREFIXES)
    return next((table for table in tables if is_resnet(table)), {})


def read(opened: Opened, network: str | None) -> Upstream:
    """Return the backbone, with `fc` where it is a classifier.

    Heads that are not one linear layer (projectors, predictors, prototypes) are
    dropped and listed.
    """
    return upstream_of(opened, _table(opened) or table_at(opened))


FORMAT = Format(
    matches=matches,
    read=read,
    description="ResNets with torchvision's names (.pth, .pt, .tar, .th, .safetensors)",
    source="pytorch/vision: torchvision/models/resnet.py",
)
