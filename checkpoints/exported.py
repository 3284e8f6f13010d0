"""The manifest inside a file that relicheck exported, held against the tensors beside it."""

from collections.abc import Mapping

from .errors import ManifestMismatch
from .infer import infer_spec
from .manifest import Manifest
from .spec import ResNetSpec


def told_manifest(text: str, shapes: Mapping[str, tuple[int, ...]], where: object) -> Manifest:
    """Return the manifest in `text`.

    Args:
        shapes: canonical name -> shape of the tensors in the file. where: for messages.

    Raises:
        ManifestMismatch: it cannot be read, or is of another network than the tensors.
    """
    manifest = Manifest.from_json(text, where)
    told = manifest.spec
    found = infer_spec(
        shapes,
        where,
        padding=told.padding,
        bn_epsilon=told.bn_epsilon,
        small_stem="cifar" if told.stem == "imagenet" else told.stem,
    )
    if found != told and not is_same_function(found, told):
        raise ManifestMismatch(where, f"its tensors are those of {found}", f"{told}")
    return manifest


def is_same_function(found: ResNetSpec, told: ResNetSpec) -> bool:
    """Return whether two specs differ in the name of their shortcuts only.

    A bottleneck widens the first stage, which needs a projection there by either name.
    """
    names = {found.shortcut, told.shortcut} <= {"projection", "every_stage"}
    plain = {(s.depth, s.width_multiplier, s.stem, s.padding, s.bn_epsilon) for s in (found, told)}
    return len(plain) == 1 and (found.shortcut == told.shortcut or (names and told.bottleneck))
