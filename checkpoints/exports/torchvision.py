"""torchvision's ResNets: a state dict (.pth) that loads strictly.

pytorch/vision: torchvision/models/resnet.py. Its constructors know symmetric padding, the
7x7 stem, projections where the shape changes, and BatchNorm's epsilon of 1e-5. Its
`width_per_group` widens the inner convolutions only, never the stem, so no width multiplier
but 1 can be built; its `resnetN` functions stop at 152, its `ResNet` class does not.
"""

from collections.abc import Mapping
from pathlib import Path

from ..export_format import Export, Limits
from ..manifest import Manifest
from ..stored import Stored
from ._state_dict import state_dict


def write(tensors: Mapping[str, Stored], manifest: Manifest, output: Path) -> None:
    """Write the state dict of `torchvision.models.resnetN`, as torch.save does."""
    import torch

    torch.save({n: torch.from_numpy(array) for n, array in state_dict(tensors).items()}, output)


def loads_with(manifest: Manifest, output: str) -> str:
    """Return the lines that build the network and load the file."""
    classes = f"num_classes={manifest.classes}" if manifest.classes is not None else ""
    build = f"model = torchvision.models.resnet{manifest.spec.depth}({classes})"
    if manifest.spec.depth == 200:
        rest = f", {classes}" if classes else ""
        build = (
            "from torchvision.models.resnet import Bottleneck, ResNet; "
            f"model = ResNet(Bottleneck, {list(manifest.spec.blocks)}{rest})"
        )
    headless = "" if classes else "model.fc = torch.nn.Identity(); "
    return f"{build}; {headless}model.load_state_dict(torch.load({output!r}, weights_only=True))"


EXPORT = Export(
    write=write,
    limits=Limits(
        paddings=("symmetric",),
        stems=("imagenet",),
        shortcuts=("projection",),
        depths=(18, 34, 50, 101, 152, 200),
        widths=(1.0,),
        epsilons=(1e-5,),
    ),
    is_folder=False,
    loads_with=loads_with,
    description="torchvision's state dict (.pth): load_state_dict, strict",
    source="pytorch/vision: torchvision/models/resnet.py",
)
