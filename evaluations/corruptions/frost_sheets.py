"""Sheets of frost, made and not photographed.

The generator of ImageNet-C draws from five photographs of frosted glass (two of them are
one), whose authors and terms are not stated; none is shipped here. A sheet has the mean
colour and the deviation of its photograph (measured on the files beside
make_imagenet_c.py) and their common spectrum, power falling as frequency^-1.9, with
ridges for needles. It has no single crystals.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

_SIDE_PX = 512
_POWER_SLOPE = -1.9  # of the photographs: -1.5 to -2.0


class _Photograph(NamedTuple):
    red: float  # mean, 0 to 255
    green: float
    blue: float
    deviation: float  # of the grey levels


_PHOTOGRAPHS = (
    _Photograph(77.7, 149.1, 165.7, 18.0),
    _Photograph(200.8, 205.4, 214.5, 22.0),
    _Photograph(200.8, 205.4, 214.5, 22.0),
    _Photograph(137.6, 152.8, 165.2, 28.9),
    _Photograph(112.4, 123.4, 134.8, 43.1),
)


@cache
def frost_sheet(index: int) -> np.ndarray:
    """Return sheet `index`, 0 to 4, as [512, 512, 3] uint8; it wraps around at its borders."""
    rng = np.random.default_rng([index, _SIDE_PX])
    # A ridge is where the noise crosses zero: thin bright lines that branch.
    relief = _noise(rng) - np.abs(_noise(rng))
    relief = _flattened(relief)
    photograph = _PHOTOGRAPHS[index]
    grey = photograph.deviation * (relief - relief.mean()) / relief.std()
    colour = np.array([photograph.red, photograph.green, photograph.blue])
    return np.asarray(np.rint(np.clip(colour + grey[:, :, None], 0, 255)), np.uint8)


def _noise(rng: np.random.Generator) -> np.ndarray:
    return _flattened(rng.standard_normal((_SIDE_PX, _SIDE_PX)))


def _flattened(field: np.ndarray) -> np.ndarray:
    """Return `field` with the photographs' spectrum, its phases kept, at deviation 1."""
    from scipy.fft import fft2, fftfreq, ifft2

    spectrum = fft2(field)
    frequency = np.hypot(*np.meshgrid(fftfreq(_SIDE_PX), fftfreq(_SIDE_PX)))
    frequency[0, 0] = 1
    wanted = frequency ** (_POWER_SLOPE / 2) / np.maximum(np.abs(spectrum), 1e-12)
    wanted[0, 0] = 0
    flat = np.real(ifft2(spectrum * wanted))
    return np.asarray(flat / flat.std())
