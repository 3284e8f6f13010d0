"""The one door to mmsegmentation: what it needs to be imported, and who is told if it is absent.

Works with mmsegmentation 1.2.2 on mmcv-lite and with the fork onedl-mmsegmentation, which has
the same import names. Whoever uses either imports this module first.
"""

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata

from ...checkpoints.dependencies import missing_dependency
from .mmcv_operators import make_mmcv_importable
from .mmengine_states import make_states_loadable
from .torchvision_operators import make_torchvision_importable

# Said by these libraries about themselves; nobody who evaluates a network can act on them.
_SAID: tuple[tuple[str, type[Warning], str], ...] = (
    # (message, category, module that says it)
    ("", DeprecationWarning, r"torch\.jit\."),  # by torch, to timm and mmcv
    ("", ImportWarning, r"mmcv\.cnn\.bricks\."),  # names that moved into the compiled part
    ("``build_loss`` would be deprecated", UserWarning, r"mmseg\.models\.builder"),
    ("When align_corners=True", UserWarning, r"mmseg\.models\.utils\.wrappers"),  # any size
    ("pkg_resources", UserWarning, r"mmcv|mmengine|mmseg"),
    ("pkg_resources", DeprecationWarning, r"mmcv|mmengine|mmseg"),
)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what the libraries say about themselves; every other warning stays."""
    with warnings.catch_warnings():
        for message, category, module in _SAID:
            warnings.filterwarnings("ignore", message, category, module)
        yield


@cache
def versions() -> str:
    """Return what trains: `mmsegmentation 1.2.2, mmengine 0.10.7, mmcv-lite 2.1.0`."""
    found = []
    for library in ("mmsegmentation", "mmengine", "mmcv-lite", "mmcv"):
        for name in (library, f"onedl-{library}"):
            try:
                found.append(f"{name} {metadata.version(name)}")
            except metadata.PackageNotFoundError:
                continue
    return ", ".join(found)


@cache
def open_bridge() -> None:
    """Return when mmsegmentation is imported, with all that it registers.

    Raises:
        MissingDependency: it, or something it needs, is not installed.
    """
    with quiet():
        try:
            make_torchvision_importable()
            make_mmcv_importable()
            for module in ("mmseg.models", "mmseg.datasets", "mmseg.evaluation", "mmseg.engine"):
                importlib.import_module(module)
        except ModuleNotFoundError as error:
            if (missing := missing_dependency(error)) is None:
                raise
            raise missing from error
        make_states_loadable()
