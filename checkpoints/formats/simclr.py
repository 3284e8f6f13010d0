"""SimCLR's TensorFlow ResNets, versions 1 and 2 without selective kernels (.index, .data).

google-research/simclr: resnet.py, model.py, model_util.py, run.py. Its layers have no names
of their own: TensorFlow numbers them in the order of creation, so the order of the code is
the architecture. Strided convolutions are padded symmetrically (`conv2d_fixed_padding`), the
max-pool is SAME; images are in [0, 1] and not normalised (data_util.py).

`raw`, the default, is what their code and their Hub modules evaluate. `ema` is the moving
average under `ema_model/` in the released files of version 2, of which their code says no
more than the name (colabs/load_and_inference.ipynb; Separius/SimCLRv2-Pytorch: convert.py).
"""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from ..container import Opened, tensors_of
from ..errors import BadCheckpoint
from ..format import Format, Upstream
from ..infer import infer_spec
from ..simclr_network import (
    LEAVES,
    SELECTIVE,
    SQUEEZED,
    classifier,
    dropped,
    layer,
    preprocessing_of,
    refused,
)
from ..stored import Stored, shapes_of

_SCOPE = "base_model/"
_HEAD = "head_supervised/linear_layer/dense/"
_PROJECTION = "head_contrastive/"
_EMA_SCOPE = "ema_model/"
_EMA_SLOT = "/ExponentialMovingAverage"  # TensorFlow's own averages: one beside each variable
_SLOT = "/Momentum"
_NETWORKS = ("raw", "ema")
_NUMBERED = re.compile(r"(conv2d|batch_normalization)(?:_(\d{1,4}))?/(\w+)")
# Convolutions of all blocks -> blocks of the four groups (resnet.py: resnet_v1).
_BASIC = {16: (2, 2, 2, 2), 32: (3, 4, 6, 3)}
_BOTTLENECK = {
    48: (3, 4, 6, 3),
    99: (3, 4, 23, 3),
    150: (3, 8, 36, 3),
    198: (3, 24, 36, 3),
}


def matches(opened: Opened) -> bool:
    """Return whether the file has SimCLR's first convolution."""
    return isinstance(opened.tree.get(f"{_SCOPE}conv2d/kernel"), Stored)


def read(opened: Opened, network: str | None) -> Upstream:
    """Return the network; its supervised linear layer, where it takes features, as `fc`.

    Args:
        network: raw, the variables themselves; ema, their moving averages.

    Raises:
        BadCheckpoint: a selective-kernel or squeeze-and-excitation network, a depth that
            resnet.py does not have, or no moving averages where they were asked for.
    """
    network = network or "raw"
    table = tensors_of(opened.tree)
    chosen = table if network == "raw" else _averages(opened, table)
    kernels, norms = _numbered(opened, chosen)
    named: dict[str, Stored] = {}
    names = _order(opened, kernels)
    for name, kernel, norm in zip(names, kernels, norms, strict=True):
        named |= layer(name, kernel, norm)
    spec = infer_spec(shapes_of(named), opened.path, padding="fixed")
    head = chosen if _head_takes_features(table) else {}
    named |= classifier(head.get(f"{_HEAD}kernel"), head.get(f"{_HEAD}bias"), spec.feature_dim)
    step = table.get("global_step")
    return Upstream(
        tensors=named,
        spec=spec,
        preprocessing=preprocessing_of(spec),
        classes=named["fc.bias"].final_shape[0] if "fc.bias" in named else None,
        dropped=dropped(opened, named.values(), _group),
        stored={"step": int(step.load())} if step is not None and step.shape == () else {},
        network=network,
        method="simclr",
    )


def _averages(opened: Opened, table: Mapping[str, Stored]) -> dict[str, Stored]:
    """Return the moving averages under the names of the variables that they are of."""
    scoped = {n.removeprefix(_EMA_SCOPE): t for n, t in table.items() if n.startswith(_EMA_SCOPE)}
    if scoped:
        return scoped
    slots = {n.removesuffix(_EMA_SLOT): t for n, t in table.items() if n.endswith(_EMA_SLOT)}
    if not slots:
        raise BadCheckpoint(opened.path, "has no moving averages", "--network raw")
    # Running means and variances are averages already and have no second one.
    statistics = {n: t for n, t in table.items() if re.search(r"/moving_(mean|variance)$", n)}
    return {**statistics, **slots}


def _head_takes_features(table: Mapping[str, Stored]) -> bool:
    """Return whether the supervised layer surely stands on the encoder.

    Version 2 is fine-tuned from the first layer of the projection head where labels are few
    (README.md, --ft_proj_selector=1), which is as wide as the features: no shape tells. So
    with a projection head in the file the layer counts only if that head was trained down to
    its last layer, the one without offset: in pretraining the selector is 0.
    """
    kernels = sorted(n for n in table if re.fullmatch(rf"{_PROJECTION}\w+/dense/kernel", n))
    if not kernels:
        return True
    offset = kernels[-1].replace("dense/kernel", "batch_normalization/beta")
    return f"{kernels[-1]}{_SLOT}" in table and offset not in table


def _group(name: str) -> str:
    if name.endswith(_SLOT):
        return "Momentum"
    if name.endswith(_EMA_SLOT):
        return _EMA_SLOT.removeprefix("/")
    return name.partition("/")[0]


def _numbered(
    opened: Opened, table: Mapping[str, Stored]
) -> tuple[list[Stored], list[dict[str, Stored]]]:
    """Return the kernels and the batch norms in the order of creation."""
    kernels: dict[int, Stored] = {}
    norms: dict[int, dict[str, Stored]] = {}
    for name, tensor in table.items():
        found = _NUMBERED.fullmatch(name.removeprefix(_SCOPE)) if name.startswith(_SCOPE) else None
        if found is None:
            continue
        # By number, not by name: conv2d_10 would come before conv2d_2.
        kind, number, leaf = found[1], int(found[2] or 0), found[3]
        if kind == "conv2d" and leaf == "bias":
            raise refused(opened.path, SQUEEZED)
        if kind == "conv2d" and leaf == "kernel":
            kernels[number] = tensor
        elif kind == "batch_normalization" and leaf in LEAVES:
            norms.setdefault(number, {})[leaf] = tensor
    ordered = [kernels[number] for number in sorted(kernels)]
    if _is_selective([kernel.shape for kernel in ordered]):
        raise refused(opened.path, SELECTIVE)
    if len(kernels) != len(norms):
        raise BadCheckpoint(
            opened.path,
            f"has {len(kernels)} convolutions and {len(norms)} batch norms",
            "one batch norm for each convolution",
        )
    return ordered, [norms[number] for number in sorted(norms)]


def _is_selective(shapes: list[tuple[int, ...]]) -> bool:
    if any(len(shape) != 4 for shape in shapes):
        return False
    # Two streams come out of one 3x3 convolution; they are added before the next one (1x1).
    return any(
        one[0] == 3 and one[3] == 2 * one[2] and two[0] == 1 and two[2] == one[2]
        for one, two in pairwise(shapes)
    )


def _order(opened: Opened, kernels: list[Stored]) -> Iterator[str]:
    """Yield the canonical name of each convolution, in the order resnet.py makes them."""
    bottleneck = len(kernels) > 2 and kernels[2].shape[:1] == (1,)
    known, each = (_BOTTLENECK, 3) if bottleneck else (_BASIC, 2)
    inside = len(kernels) - 1 - 4  # without the stem and a projection per group
    if inside not in known:
        raise BadCheckpoint(
            opened.path,
            f"has {len(kernels)} convolutions, as no ResNet of resnet.py has",
            f"{', '.join(str(5 + count) for count in sorted({**_BASIC, **_BOTTLENECK}))}",
        )
    yield "conv1"
    for group, blocks in enumerate(known[inside], start=1):
        for block in range(blocks):
            if block == 0:
                # The projection is made before the block's own convolutions.
                yield f"layer{group}.0.downsample.0"
            for index in range(1, each + 1):
                yield f"layer{group}.{block}.conv{index}"


FORMAT = Format(
    matches=matches,
    read=read,
    networks=_NETWORKS,
    description="SimCLR's TensorFlow ResNets without selective kernels (.index, .data)",
    source="google-research/simclr: resnet.py, model_util.py",
)
