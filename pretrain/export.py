"""From Flax's tree to the common format's canonical names and OIHW layout."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..checkpoints.errors import ParameterMismatch
from ..checkpoints.parameters import parameter_shapes
from ..checkpoints.spec import ResNetSpec

Tensors = dict[str, np.ndarray]

# Last name of the canonical tensor -> (collection, leaf) of a BatchNorm in Flax.
_NORM = {
    "weight": ("params", "scale"),
    "bias": ("params", "bias"),
    "running_mean": ("batch_stats", "mean"),
    "running_var": ("batch_stats", "var"),
}


def to_canonical(variables: Mapping[str, Any], spec: ResNetSpec) -> Tensors:
    """Return the backbone's tensors by canonical name, float32.

    Args:
        variables: Flax's {"params": ..., "batch_stats": ...} of a `ResNet`.

    Raises:
        ParameterMismatch: a tensor of the network is missing or left over.
    """
    template = parameter_shapes(spec)
    tensors = {name: _leaf(variables, name, shape) for name, shape in template.items()}
    leaves = sum(_count(variables[collection]) for collection in ("params", "batch_stats"))
    if leaves != len(template):
        raise ParameterMismatch("export", f"{leaves} leaves", f"the {len(template)} of the network")
    return tensors


def _leaf(variables: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> np.ndarray:
    *modules, leaf = flax_path(name)
    collection, leaf = ("params", "kernel") if len(shape) == 4 else _NORM[leaf]
    node: Any = variables[collection]
    for key in (*modules, leaf):
        if key not in node:
            raise ParameterMismatch("export", f"no {'/'.join((*modules, leaf))} for {name}")
        node = node[key]
    array = np.asarray(node, dtype=np.float32)
    # Flax keeps kernels as HWIO, torch as OIHW.
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array


def flax_path(name: str) -> list[str]:
    """Return a canonical name's modules and leaf: numbers join what stands before them.

    >>> flax_path("layer2.0.downsample.1.running_var")
    ['layer2_0', 'downsample_1', 'running_var']
    """
    path: list[str] = []
    for part in name.split("."):
        if part.isdigit():
            path[-1] = f"{path[-1]}_{part}"
        else:
            path.append(part)
    return path


def _count(tree: Mapping[str, Any]) -> int:
    return sum(_count(node) if isinstance(node, Mapping) else 1 for node in tree.values())
