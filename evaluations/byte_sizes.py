"""Sizes in bytes as people write them: `50G`, `512 MiB`."""

import re

from ..checkpoints.errors import UsageError

# Decimal, as disks and df -H count; with an i binary, as IEC 80000-13 writes it.
_UNITS = {
    "": 1,
    **{letter: 1000**power for power, letter in enumerate("KMGT", start=1)},
    **{f"{letter}I": 1024**power for power, letter in enumerate("KMGT", start=1)},
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?", re.IGNORECASE)


def read_bytes(text: str, where: str = "size") -> int:
    """Return the number of bytes that `text` means: `50G` is 50e9, `50GiB` 50 * 2**30.

    Raises:
        UsageError: it is no size.
    """
    found = _SIZE.fullmatch(text.strip())
    unit = found[2].upper() if found else ""
    if found is None or unit not in _UNITS:
        raise UsageError(where, f"{text!r}", "a size such as 50G, 500MB or 2TiB")
    return int(float(found[1]) * _UNITS[unit])


def show_bytes(size: int) -> str:
    """Return `size` in decimal units with about three digits: `10.5 GB`."""
    value, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:,.0f} B" if units[0] == "B" else f"{value:,.3g} {units[0]}"
