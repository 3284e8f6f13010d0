"""Registry of a folder of modules: the file name is the name.

Listing a folder imports nothing; loading a name imports one module and returns
the one object it offers under a fixed attribute. After big_vision's evaluators
(google-research/big_vision: evaluators/common.py).
"""

import ast
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Generic, TypeVar

from .errors import UnknownName

T = TypeVar("T")


# A report asks for these names ten thousand times; a folder tells by its time that it has others.
@lru_cache(maxsize=64)
def _stems(folder: Path, changed_ns: int) -> tuple[str, ...]:
    files = (file.stem for file in folder.glob("*.py"))
    return tuple(stem for stem in files if not stem.startswith("_"))


class Modules(Generic[T]):
    """The modules of one package, each offering one object of one type."""

    def __init__(self, package: str, attribute: str, kind: type[T], noun: str) -> None:
        """Args: package: importable name. attribute: where each module keeps its object.
        kind: the object's type. noun: what a user calls it, for messages."""
        self._package, self._attribute, self._kind, self._noun = package, attribute, kind, noun
        # Importing a folder binds its name in the parent package. Were that left to the first
        # `load`, it would overwrite a registry called like its folder (`checkpoints.formats`).
        import_module(package)

    def names(self) -> list[str]:
        """Return the registered names, sorted, without importing any of the modules."""
        spec = find_spec(self._package)
        folders = map(Path, (spec.submodule_search_locations or []) if spec else [])
        listed = (_stems(folder, folder.stat().st_mtime_ns) for folder in folders)
        return sorted(stem for stems in listed for stem in stems)

    def summary(self, name: str) -> str:
        """Return the first line of a module's docstring, without importing the module.

        Raises:
            UnknownName: no file of that name; the message gives the nearest one.
        """
        source = Path(self._file(name)).read_text(encoding="utf-8")
        return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]

    def load(self, name: str) -> T:
        """Return the object called `name`.

        Raises:
            UnknownName: no file of that name; the message gives the nearest one.
        """
        self._file(name)
        module = import_module(f"{self._package}.{name}")
        found = getattr(module, self._attribute, None)
        # A file without its object is our own mistake, hence not an error of the tree.
        assert isinstance(found, self._kind), f"{module.__name__} offers no {self._attribute}"
        return found

    def _file(self, name: str) -> str:
        spec = find_spec(f"{self._package}.{name}") if name in self.names() else None
        if spec is None or spec.origin is None:
            raise UnknownName(self._noun, name, self.names())
        return spec.origin
