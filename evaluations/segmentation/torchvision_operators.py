"""torchvision beside a torch build without its compiled operators, for libraries that import it.

Its public wheel's compiled part is linked to CUDA. Beside a CPU-only torch it is not loaded,
and the import fails at two operators that segmentation never calls.
"""

import importlib
import importlib.util
import sys

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_kept: list[object] = []  # an operator lives as long as the library that defined it


def make_torchvision_importable() -> bool:
    """Return whether the schemas had to be defined: False where torchvision is whole or absent.

    `transforms`, `models` and `datasets` then work; calling the operators themselves says
    that there is no kernel of them.
    """
    if "torchvision" in sys.modules or importlib.util.find_spec("torchvision") is None:
        return False
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    else:
        return False
    import torch

    # Half of it is imported by now; the second import must run every line again.
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    _kept.append(library)
    importlib.import_module("torchvision")
    return True
