"""SimCLR's TensorFlow ResNets, versions 1 and 2 without selective kernels (.index, .data).

google-research/simclr: resnet.py, model.py, model_util.py, run.py. Its layers have no names
of their own: TensorFlow numbers them in the order of creation, so the order of the code is
the architecture. Strided convolutions are padded symmetrically (`conv2d_fixed_padding`), the
max-pool is SAME; images are in [0, 1] and not normalised (data_util.py).
"""

import re
from collections.abc import Iterator, Mapping

from ..container import Opened, tensors_of
from ..errors import BadCheckpoint
from ..format import Format, Upstream
from ..infer import infer_spec
from ..spec import Preprocessing
from ..stored import Stored, hwio_to_oihw, shapes_of

_SCOPE = "base_model/"
_HEAD = "head_supervised/linear_layer/dense/"
_EMA = "/ExponentialMovingAverage"
_NETWORKS = ("raw", "ema")
# data_util.py: CROP_PROPORTION 0.875, bicubic; [0, 1] without mean and deviation.
_PREPROCESSING = Preprocessing(
    image_size=224, resize=256, interpolation="bicubic", mean=(0, 0, 0), std=(1, 1, 1)
)
_NUMBERED = re.compile(r"(conv2d|batch_normalization)(?:_(\d+))?/(\w+)")
_LEAVES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
# Convolutions of all blocks -> blocks of the four groups (resnet.py: resnet_v1).
_BASIC = {16: (2, 2, 2, 2), 32: (3, 4, 6, 3)}
_BOTTLENECK = {
    48: (3, 4, 6, 3),
    99: (3, 4, 23, 3),
    150: (3, 8, 36, 3),
    198: (3, 24, 36, 3),
}


def matches(opened: Opened) -> bool:
    """Return whether a TensorFlow checkpoint has SimCLR's first convolution."""
    return opened.container == "tensorflow_bundle" and f"{_SCOPE}conv2d/kernel" in opened.tree


def read(opened: Opened, network: str | None) -> Upstream:
    """Return the network; its supervised linear layer, where there is one, as `fc`.

    Args:
        network: raw, the variables themselves; ema, their moving averages.

    Raises:
        BadCheckpoint: a selective-kernel or squeeze-and-excitation network, a depth that
            resnet.py does not have, or no moving averages where they were asked for.
    """
    network = network or "raw"
    table = _chosen(opened, network)
    convolutions, norms = _numbered(opened, table)
    names = list(_order(opened, convolutions))
    named: dict[str, Stored] = {}
    for name, kernel, norm in zip(names, convolutions, norms, strict=True):
        named[f"{name}.weight"] = hwio_to_oihw(kernel)
        for leaf, tensor in norm.items():
            named[f"{_norm_of(name)}.{_LEAVES[leaf]}"] = tensor
    spec = infer_spec(shapes_of(named), opened.path, padding="fixed")
    head = {n: table[f"{_HEAD}{n}"] for n in ("kernel", "bias") if f"{_HEAD}{n}" in table}
    classes = None
    if len(head) == 2 and head["kernel"].shape[0] == spec.feature_dim:
        named |= {"fc.weight": hwio_to_oihw(head["kernel"]), "fc.bias": head["bias"]}
        classes = head["kernel"].shape[1]
    kept = {id(tensor.load) for tensor in named.values()}
    step = opened.tree.get("global_step")
    return Upstream(
        tensors=named,
        spec=spec,
        preprocessing=_PREPROCESSING,
        classes=classes,
        dropped=tuple(n for n, t in tensors_of(opened.tree).items() if id(t.load) not in kept),
        stored={"step": int(step.load())} if isinstance(step, Stored) else {},
        network=network,
        method="simclr",
    )


def _chosen(opened: Opened, network: str) -> dict[str, Stored]:
    """Return the variables by name, or their moving averages under the same names."""
    table = tensors_of(opened.tree)
    if network == "raw":
        return table
    averages = {n.removesuffix(_EMA): t for n, t in table.items() if n.endswith(_EMA)}
    if not averages:
        raise BadCheckpoint(opened.path, "has no moving averages", "--network raw")
    # Running means and variances are averages already and have no second one.
    statistics = {n: t for n, t in table.items() if "/moving_" in n and not n.endswith(_EMA)}
    return {**statistics, **averages}


def _numbered(
    opened: Opened, table: Mapping[str, Stored]
) -> tuple[list[Stored], list[dict[str, Stored]]]:
    """Return the kernels and the batch norms in the order of creation."""
    kernels: dict[int, Stored] = {}
    norms: dict[int, dict[str, Stored]] = {}
    for name, tensor in table.items():
        if not name.startswith(_SCOPE):
            continue
        found = _NUMBERED.fullmatch(name.removeprefix(_SCOPE))
        kind, number, leaf = found.groups() if found else ("", None, "")
        # By number, not by name: conv2d_10 would come before conv2d_2.
        if kind == "conv2d" and leaf == "kernel":
            kernels[int(number or 0)] = tensor
        elif kind == "batch_normalization" and leaf in _LEAVES:
            norms.setdefault(int(number or 0), {})[leaf] = tensor
        elif kind == "conv2d" and leaf == "bias":
            raise BadCheckpoint(
                opened.path, "is a squeeze-and-excitation ResNet", "a plain ResNet", _WHY
            )
    ordered = [kernels[number] for number in sorted(kernels)]
    if len(ordered) > 1 and ordered[0].shape[0] == ordered[1].shape[0] == 3:
        raise BadCheckpoint(
            opened.path,
            "is a ResNet with selective kernels (three 3x3 convolutions in its stem)",
            "a plain ResNet",
            _WHY,
        )
    if len(kernels) != len(norms) or sorted(norms) != sorted(kernels):
        raise BadCheckpoint(
            opened.path,
            f"has {len(kernels)} convolutions and {len(norms)} batch norms",
            "one batch norm for each convolution",
        )
    return ordered, [norms[number] for number in sorted(norms)]


_WHY = "Its function is another one: relicheck converts ResNets of version 1 only."


def _order(opened: Opened, kernels: list[Stored]) -> Iterator[str]:
    """Yield the canonical name of each convolution, in the order resnet.py makes them."""
    bottleneck = len(kernels) > 2 and kernels[2].shape[0] == 1
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


def _norm_of(convolution: str) -> str:
    if convolution.endswith("downsample.0"):
        return convolution.removesuffix("0") + "1"
    return convolution.replace("conv", "bn")


FORMAT = Format(
    matches=matches,
    read=read,
    networks=_NETWORKS,
    description="SimCLR's TensorFlow ResNets without selective kernels (.index, .data)",
    source="google-research/simclr: resnet.py, model_util.py",
)
