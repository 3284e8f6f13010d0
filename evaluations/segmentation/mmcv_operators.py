"""mmcv without its compiled operators, so that nobody has to compile for half an hour.

mmcv-lite leaves out the module `mmcv._ext`, and mmsegmentation imports every model, those
that need the operators included. An FCN on a ResNet needs none of them.
"""

import importlib
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

from ...checkpoints.errors import UsageError

_NAME = "mmcv._ext"


class _Absent(ModuleType):
    """A module with every operator, each of which says that it is not there."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system asks of any module
            raise AttributeError(name)

        def operator(*_: object, **__: object) -> NoReturn:
            raise UsageError(
                f"mmcv's operator {name!r}",
                "it is compiled, and mmcv-lite comes without compiled operators",
                "a model of torch's own operators, such as an FCN on a ResNet",
                "For others install mmcv 2.1.0 instead, which compiles them.",
            )

        return operator


def make_mmcv_importable() -> bool:
    """Return whether the operators had to be stood in for: False where mmcv.ops imports."""
    if isinstance(sys.modules.get(_NAME), _Absent):
        return True
    try:
        importlib.import_module("mmcv.ops")
    except ModuleNotFoundError as error:
        if error.name != _NAME:
            raise
    else:
        return False
    absent = _Absent(_NAME)
    absent.__spec__ = ModuleSpec(_NAME, None)
    sys.modules[_NAME] = absent
    return True
