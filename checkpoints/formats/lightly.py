"""lightly's models, as Lightning checkpoints or state dicts: a `backbone` with lightly's heads.

lightly-ai/lightly: benchmarks/imagenet/resnet50 and examples name the modules; the backbone is
torchvision's or Sequential(*children) of it, which numbers its modules (0 conv1, 1 bn1, 4 to 7
the stages). utils/benchmarking trains classifiers beside it (online_linear_classifier.py) or on
top of it (linear_classifier.py); they are kept.
DINO's benchmark evaluates its `backbone`, which is the teacher; the example has none but the
teacher's and the student's.

Children of lightly's own ResNet (lightly/models/resnet.py, 3x3 stem) lose the ReLU of the stem,
which is a function there and no module: such a backbone computes another function and is refused.
"""

from ..torch_family import Beside, Family, family_format

_MARKS = {
    "projection_head",
    "projection_head_global",
    "student_projection_head",
    "student_head",
    "online_classifier",
    "classification_head",
}
_COPIES = ("backbone_momentum.", "teacher_backbone.", "key_backbone.", "momentum_backbone.")
# The second is the online one; linear evaluation keeps the whole model as `model`.
_CLASSIFIERS = ("classification_head.", "online_classifier.classification_head.")


def _is_theirs(beside: Beside) -> bool:
    return bool(beside.parts & _MARKS)


FORMAT = family_format(
    Family(
        networks={
            "backbone": ("backbone.", "teacher_backbone.", "model.backbone."),
            "momentum": _COPIES,
            "student": ("student_backbone.",),
        },
        is_theirs=_is_theirs,
        classifiers={"backbone": _CLASSIFIERS},
    ),
    description="lightly's models (backbone, projection_head, online_classifier)",
    source="lightly-ai/lightly: benchmarks/imagenet/resnet50, examples/pytorch_lightning",
)
