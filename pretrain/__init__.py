"""The producer: self-supervised and supervised pretraining of ResNets in JAX."""

from ..checkpoints.discovery import Modules
from .config import Recipe
from .method import Method

methods: Modules[Method] = Modules(f"{__name__}.methods", "METHOD", Method, "pretraining method")
recipes: Modules[Recipe] = Modules(f"{__name__}.configs", "CONFIG", Recipe, "pretraining recipe")

__all__ = ["methods", "recipes"]
