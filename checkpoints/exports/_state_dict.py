"""The table of arrays that torch modules are filled from."""

from collections.abc import Mapping

import numpy as np

from ..stored import Stored


def state_dict(tensors: Mapping[str, Stored]) -> dict[str, np.ndarray]:
    """Return the values by name, with the counter of batches that torch keeps per BatchNorm.

    The counter takes no part in the function computed and is 0 here; without it, loaders
    that compare names report it as missing.
    """
    table = {}
    for name, tensor in tensors.items():
        table[name] = tensor.read()
        if name.endswith("running_var"):
            table[name.replace("running_var", "num_batches_tracked")] = np.zeros((), np.int64)
    return table


def write_safetensors(path: str, table: Mapping[str, np.ndarray]) -> None:
    """Write arrays as torch's libraries expect a .safetensors file: its metadata names torch."""
    from safetensors.numpy import save_file

    save_file(dict(table), path, metadata={"format": "pt"})
