"""DINO's full checkpoints of ResNets: the teacher, which is evaluated, and the student.

facebookresearch/dino: main_dino.py saves both, each a `backbone` and a `head`; eval_linear.py
takes the teacher unless told otherwise, and resizes bicubically. A file with the backbone alone
has torchvision's names and nothing else: it is detected as `torchvision`; `--format dino` says
whose it is.
"""

from ..spec import Preprocessing
from ..torch_family import Family, family_format

FORMAT = family_format(
    Family(
        networks={"teacher": ("teacher.backbone.",), "student": ("student.backbone.",)},
        is_theirs=lambda beside: {"teacher", "student"} <= beside.parts,
        method=lambda beside: "dino",
        tables=("",),
        preprocessing={
            "imagenet": Preprocessing(image_size=224, resize=256, interpolation="bicubic")
        },
    ),
    description="DINO's full checkpoints (teacher, student)",
    source="facebookresearch/dino: main_dino.py, utils.py, eval_linear.py",
)
