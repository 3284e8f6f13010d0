"""The contract of an export: what another library can express, and how it is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .discovery import Modules
from .errors import UsageError
from .manifest import Manifest
from .spec import ResNetSpec
from .stored import Stored

_OTHERS = "onnx and flax carry every network"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Which networks a library's own ResNet computes; None: no limit.

    Weights of any other network would load, where the shapes agree, and compute another
    function; so they are refused before anything is written.
    """

    paddings: tuple[str, ...] | None = None
    stems: tuple[str, ...] | None = None
    shortcuts: tuple[str, ...] | None = None
    depths: tuple[int, ...] | None = None
    widths: tuple[float, ...] | None = None
    epsilons: tuple[float, ...] | None = None  # of BatchNorm

    def check(self, target: str, spec: ResNetSpec) -> None:
        """Return if the library's network is the one that `spec` describes.

        Raises:
            UsageError: it is not; the message names the field.
        """
        # A bottleneck widens the first stage, so there the two shortcuts are one network.
        same = spec.shortcut == "every_stage" and spec.bottleneck
        for field, value, known in (
            ("padding", spec.padding, self.paddings),
            ("stem", spec.stem, self.stems),
            ("shortcut", "projection" if same else spec.shortcut, self.shortcuts),
            ("depth", spec.depth, self.depths),
            ("bn_epsilon", spec.bn_epsilon, self.epsilons),
            ("width_multiplier", spec.width_multiplier, self.widths),
        ):
            if known is not None and value not in known:
                raise UsageError(
                    f"export to {target}",
                    f"its ResNet cannot be built with {field} {value!r}",
                    f"{field} {' or '.join(map(str, known))}",
                    f"Use --to onnx or --to flax: {_OTHERS}.",
                )


@dataclass(frozen=True, kw_only=True)
class Export:
    """One library to export to."""

    # Writes the tensors (canonical names, OIHW) to a new file, or into an empty folder.
    write: Callable[[Mapping[str, Stored], Manifest, Path], None]
    limits: Limits
    is_folder: bool  # whether the result is a folder
    # The line of Python with which the library loads the result at a path.
    loads_with: Callable[[Manifest, str], str]
    description: str
    source: str


exports: Modules[Export] = Modules(f"{__package__}.exports", "EXPORT", Export, "export target")
