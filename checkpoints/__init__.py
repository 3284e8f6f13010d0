"""The base of the house: what a checkpoint is, how one is read, written and proven."""

from .discovery import Modules
from .format import Format

formats: Modules[Format] = Modules(f"{__name__}.formats", "FORMAT", Format, "checkpoint format")

__all__ = ["formats"]
