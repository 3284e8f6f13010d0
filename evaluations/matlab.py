"""Arrays in MATLAB files, in which several data sets keep their splits and labels."""

from pathlib import Path
from typing import Any

from ..checkpoints.errors import BadData


def read_mat(file: Path, *keys: str) -> dict[str, Any]:
    """Return the named variables of a MATLAB file, axes of length one removed.

    Such files hold arrays and structures, no code.

    Raises:
        BadData: it cannot be read, or a variable is not in it.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        held = loadmat(str(file), squeeze_me=True)
    except (MatReadError, OSError, ValueError, TypeError, NotImplementedError) as error:
        raise BadData(
            file, f"not a MATLAB file ({error})", "a whole .mat file", "Fetch it again."
        ) from error
    if absent := [key for key in keys if key not in held]:
        named = sorted(key for key in held if not key.startswith("__"))
        raise BadData(file, f"it holds {named}", f"the variables {absent}")
    return {key: held[key] for key in keys}
