"""Barlow Twins' full checkpoints: a backbone, a projector and a last normalisation `bn`.

facebookresearch/barlowtwins: main.py saves `model` under `module.`. Its resnet50.pth is the
backbone alone, with torchvision's names and no mark of its origin: it is detected as
`torchvision`; `--format barlow_twins` says whose it is.
"""

from ..torch_family import Family, family_format

FORMAT = family_format(
    Family(
        networks={"backbone": ("backbone.",)},
        is_theirs=lambda beside: beside.parts == {"backbone", "projector", "bn"},
        method=lambda beside: "barlow_twins",
        tables=("model.", ""),
    ),
    description="Barlow Twins' full checkpoints (backbone, projector, bn)",
    source="facebookresearch/barlowtwins: main.py, hubconf.py",
)
