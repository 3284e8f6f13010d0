"""relicheck: does a claimed result of a self-supervised ResNet hold?

The public names load on first use, so that `relicheck --help` and test
collection never pay for torch or jax.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checkpoints.load import load_checkpoint
    from .evaluations.evaluate import evaluate
    from .reports.verify import verify

__version__ = "0.1.0"

__all__ = ["__version__", "evaluate", "load_checkpoint", "verify"]

_WHERE = {
    "evaluate": ".evaluations.evaluate",
    "load_checkpoint": ".checkpoints.load",
    "verify": ".reports.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name], __name__), name)


def __dir__() -> list[str]:
    return __all__
