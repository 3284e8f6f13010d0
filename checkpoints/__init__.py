"""The base of the house: what a checkpoint is, how one is read, written and proven."""

from .container import Container
from .discovery import Modules
from .format import Format

containers: Modules[Container] = Modules(
    f"{__name__}.containers", "CONTAINER", Container, "checkpoint container"
)
formats: Modules[Format] = Modules(f"{__name__}.formats", "FORMAT", Format, "checkpoint format")

__all__ = ["containers", "formats"]
