"""Orbax checkpoints: folders of arrays in OCDBT or zarr, also several steps in one folder.

`_METADATA` lists the leaves of the tree; tensorstore, which comes with Orbax and is the one
reader of OCDBT, reads the arrays. It runs no code of the folder, and opens no path that leads
out of it. Where several steps lie in the folder the newest is read, and the tree says which.
"""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..container import Container, first_bytes
from ..errors import BadCheckpoint, MissingDependency
from ..stored import Stored

_METADATA, _TEXTS = "_METADATA", "_strings.json"
_LARGEST_METADATA = 1 << 26  # bytes; a ResNet-200 with its optimiser has under a megabyte
_MOST_LEAVES = 200_000
_DEEPEST = 64
_STEP = re.compile(r"(?:\w*_)?(\d{1,18})")  # 100; checkpoint_100, as flax.training names it
_FLOATS = ("bfloat16", "float16", "float32", "float64")
_DTYPES = (*_FLOATS, "bool", *(f"{kind}{n}" for kind in ("int", "uint") for n in (8, 16, 32, 64)))
_AGAIN = "Copy the folder again."


def is_orbax(path: Path, head: bytes) -> bool:
    """Return whether `path` is a folder with an Orbax tree, or with steps that have one."""
    try:
        return path.is_dir() and bool(_is_tree(path) or _items(path) or _steps(path))
    except OSError:  # a folder that may not be listed
        return False


def _is_tree(path: Path) -> bool:
    return any((path / name).is_file() for name in (_METADATA, "manifest.ocdbt")) or _is_old(path)


def _is_old(path: Path) -> bool:
    # Before _METADATA, the tree was a MessagePack map in a file called `checkpoint`. TensorFlow
    # has a text of that name in its folders, which begins with a letter.
    file = path / "checkpoint"
    return file.is_file() and first_bytes(file)[:1] >= b"\x80"


def _items(path: Path) -> dict[str, Path]:
    return {p.name: p for p in sorted(path.iterdir()) if p.is_dir() and _is_tree(p)}


def _steps(path: Path) -> dict[int, Path]:
    folders = ((_STEP.fullmatch(p.name), p) for p in path.iterdir() if p.is_dir())
    return {int(m[1]): p for m, p in folders if m and (_is_tree(p) or _items(p))}


def read_orbax(path: Path) -> Mapping[str, Any]:
    """Return the tree of the newest step; lists and tuples are mappings by index.

    `orbax_step` and `orbax_steps` stand beside it where the folder has steps.

    Raises:
        BadCheckpoint: incomplete or damaged, or something in it leads out of the folder.
        MissingDependency: tensorstore is not installed.
    """
    _check_inside(path)
    if _is_tree(path):
        return _read_tree(path)
    if not (steps := _steps(path)):
        return _read_items(path)
    newest = max(steps)
    facts = {"orbax_step": newest, "orbax_steps": ", ".join(map(str, sorted(steps)))}
    folder = steps[newest]
    return {**(_read_tree(folder) if _is_tree(folder) else _read_items(folder)), **facts}


def _check_inside(path: Path) -> None:
    root = path.resolve()
    for file in path.rglob("*"):
        if file.is_symlink() and not file.resolve().is_relative_to(root):
            raise BadCheckpoint(file, "leads out of the folder", "a folder that is complete")


def _read_items(path: Path) -> dict[str, Any]:
    items = {name: _read_tree(folder) for name, folder in _items(path).items()}
    return next(iter(items.values())) if len(items) == 1 else items


def _read_tree(path: Path) -> dict[str, Any]:
    if not (path / _METADATA).is_file():
        raise BadCheckpoint(
            path,
            f"has no {_METADATA}: Orbax before 0.4.2 wrote it, or it was cut",
            "a folder of Orbax since 0.4.2",
            "Restore it with Orbax and save it again.",
        )
    content = _json(path / _METADATA)
    texts = _json(path / _TEXTS) if (path / _TEXTS).is_file() else {}
    leaves = content.get("tree_metadata")
    if not isinstance(leaves, dict) or len(leaves) > _MOST_LEAVES:
        raise _bad(path, "its tree is missing or larger than any checkpoint's")
    keys = [keys for leaf in leaves.values() if (keys := _keys(path, leaf))]
    arrays = [k for k in keys if ".".join(k) not in texts]
    tree: dict[str, Any] = {}
    for place, value in zip(arrays, _open_all(path, content, arrays), strict=True):
        _put(path, tree, place, value)
    for place in keys:
        if (name := ".".join(place)) in texts:
            _put(path, tree, place, str(texts[name]))
    return tree


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_METADATA:
            raise ValueError(f"{path.stat().st_size} bytes")
        content = json.loads(path.read_bytes())
    # RecursionError: JSON nested without end.
    except (OSError, ValueError, RecursionError) as error:
        raise _bad(path, f"cannot be read ({error})") from error
    if not isinstance(content, dict):
        raise _bad(path, f"holds a {type(content).__name__}")
    return content


def _keys(path: Path, leaf: Any) -> tuple[str, ...]:
    """Return a leaf's path in the tree; () for a leaf without a value (None, an empty tuple)."""
    try:
        keys = tuple(str(entry["key"]) for entry in leaf["key_metadata"])
        skipped = bool(leaf["value_metadata"].get("skip_deserialize"))
    except (KeyError, TypeError, AttributeError) as error:
        raise _bad(path, f"its {_METADATA} has a leaf without a place ({error})") from error
    if len(keys) > _DEEPEST:
        raise _bad(path, f"its tree is deeper than {_DEEPEST}")
    return () if skipped else keys


def _put(path: Path, tree: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    node = tree
    for key in place[:-1]:
        node = node.setdefault(key, {})
        if not isinstance(node, dict):
            raise _bad(path, f"its {_METADATA} has a leaf above {'.'.join(place)}")
    node[place[-1]] = value


def _open_all(path: Path, content: Mapping[str, Any], places: list[tuple[str, ...]]) -> list[Any]:
    """Return the arrays, their values unread; opened side by side."""
    try:
        import tensorstore
    except ModuleNotFoundError as error:
        raise MissingDependency("tensorstore", "pretrain") from error
    # Nothing is kept between reads: the default cache would hold what was read once.
    context = tensorstore.Context({"cache_pool": {"total_bytes_limit": 0}})
    pending = []
    try:
        for place in places:
            spec = _spec(path.resolve(), content, ".".join(place))
            pending.append(tensorstore.open(spec, read=True, context=context))
        stores = [future.result() for future in pending]
    # tensorstore raises these for whatever is wrong with a file.
    except (ValueError, OSError, NotImplementedError) as error:
        raise _bad(path, f"an array cannot be opened ({_first_line(error)})") from error
    return [_stored(path, ".".join(p), s) for p, s in zip(places, stores, strict=True)]


def _spec(root: Path, content: Mapping[str, Any], name: str) -> dict[str, Any]:
    # Components `.` and `..` are refused by tensorstore's own file driver.
    store: dict[str, Any] = {"driver": "file", "path": f"{root}/{name}/"}
    if content.get("use_ocdbt", (root / "manifest.ocdbt").is_file()):
        # Not a file:// address, in which a space or a % would have to be escaped.
        base = {"driver": "file", "path": f"{root}/"}
        store = {"driver": "ocdbt", "base": base, "path": f"{name}/"}
    return {
        "driver": "zarr3" if content.get("use_zarr3") else "zarr",
        "kvstore": store,
        # A lost piece of an array would read as zeros. Older files left zeros out on purpose.
        "fill_missing_data_reads": not content.get("store_array_data_equal_to_fill_value"),
    }


def _stored(path: Path, name: str, store: Any) -> Any:
    shape, dtype = tuple(map(int, store.shape)), str(store.dtype.name)
    if dtype not in _DTYPES:
        return f"an array of {dtype}"
    # A chunk is decoded whole: one far larger than its array is there to fill the memory.
    if math.prod(store.chunk_layout.read_chunk.shape or ()) > 4 * math.prod(shape) + 1024:
        raise _bad(path, f"{name} of shape {shape} lies in a chunk of far more values")

    def load() -> np.ndarray:
        try:
            values = store.read().result()
        except (ValueError, OSError, NotImplementedError) as error:
            raise _bad(path, f"{name} cannot be read ({_first_line(error)})") from error
        return np.asarray(values.astype(np.float32) if dtype == "bfloat16" else values)

    return Stored(shape=shape, dtype=dtype, load=load)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]


def _bad(path: Path, found: str) -> BadCheckpoint:
    return BadCheckpoint(path, found, "a whole Orbax folder", _AGAIN)


CONTAINER = Container(
    matches=is_orbax,
    open=read_orbax,
    description="an Orbax folder (OCDBT or zarr), or a folder of its steps",
    source="google/orbax: checkpoint/orbax/checkpoint/_src/metadata/tree.py",
)
