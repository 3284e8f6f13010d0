"""DeepMind's Haiku ResNets: BYOL, ReLICv2, DetCon (.pkl, .npy).

Sources: google-deepmind/deepmind-research byol/utils/{checkpointing,networks}.py and
byol/byol_experiment.py; google-deepmind/relicv2 eval_experiment.py. Published files
differ in what no name tells: BYOL's `experiment_state` is a named tuple without a device
axis, ReLICv2's code reads a mapping with one. So the parameter trees are looked for, and
the axis is read off the rank of the first kernel.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..container import Opened
from ..errors import BadCheckpoint
from ..format import Format, Upstream
from ..infer import infer_spec
from ..pickles.inert import Inert
from ..spec import Preprocessing
from ..stored import Stored, hwio_to_oihw, shapes_of

_STEM = "initial_conv"
_DEEPEST = 5  # levels at which a parameter tree is looked for
_NETWORKS = ("online", "target")
_HEADS = ("classifier", "logits")  # BYOL's online-trained one; hk.nets.ResNet's own
# BYOL's and ReLICv2's evaluation (byol/utils/dataset.py: centre crop of 224 / 256, bicubic).
_PREPROCESSING = Preprocessing(image_size=224, resize=256, interpolation="bicubic")

_MODULE = (
    (re.compile(r"initial_conv"), "conv1"),
    (re.compile(r"initial_batchnorm"), "bn1"),
    (re.compile(r"block_group_(\d+)/~/block_(\d+)/~/conv_(\d+)"), "layer{}.{}.conv{}"),
    (re.compile(r"block_group_(\d+)/~/block_(\d+)/~/batchnorm_(\d+)"), "layer{}.{}.bn{}"),
    (re.compile(r"block_group_(\d+)/~/block_(\d+)/~/shortcut_conv"), "layer{}.{}.downsample.0"),
    (
        re.compile(r"block_group_(\d+)/~/block_(\d+)/~/shortcut_batchnorm"),
        "layer{}.{}.downsample.1",
    ),
)
_LEAVES = {"w": "weight", "scale": "weight", "offset": "bias", "b": "bias"}
_STATISTICS = {"mean_ema": "running_mean", "var_ema": "running_var"}


@dataclass(frozen=True, kw_only=True)
class _Tree:
    """One table of a Haiku network: module path -> leaf -> tensor."""

    path: str  # where it lies: experiment_state/online_params
    modules: Mapping[str, Any]

    @property
    def role(self) -> str:
        """Which network it belongs to."""
        return "target" if "target" in self.path.rpartition("/")[2] else "online"


def matches(opened: Opened) -> bool:
    """Return whether a table of parameters by Haiku's module names lies somewhere inside."""
    return any(True for _ in _trees(opened.tree, _STEM))


def _trees(tree: Mapping[str, Any], module: str) -> Iterator[_Tree]:
    """Yield the tables that have a module whose name ends with `module`."""
    waiting: list[tuple[str, Mapping[str, Any], int]] = [("", tree, 0)]
    while waiting:
        path, node, depth = waiting.pop(0)
        if any(_is_module(key, value, module) for key, value in node.items()):
            yield _Tree(path=path, modules=node)
        elif depth < _DEEPEST:
            # The optimiser keeps trees of the same shape: momentum, second moments.
            ours = {k: v for k, v in node.items() if not str(k).startswith("opt")}
            children = ((key, _mapping(value)) for key, value in ours.items())
            prefix = f"{path}/" if path else ""
            waiting += [(f"{prefix}{k}", child, depth + 1) for k, child in children if child]


def _mapping(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Inert):
        return value.members()
    return value if isinstance(value, Mapping) else {}


def _is_module(key: object, value: Any, module: str) -> bool:
    named = isinstance(key, str) and key.split("/")[-1] == module
    return named and any(isinstance(leaf, Stored) for leaf in _mapping(value).values())


def read(opened: Opened, network: str | None) -> Upstream:
    """Return the online (or target) network; BYOL's own linear classifier as `fc`.

    Raises:
        BadCheckpoint: the network is not there, is one of several of its name, or is a
            pre-activation ResNet.
    """
    wanted = network or "online"
    every = list(_trees(opened.tree, _STEM))
    params = _only(opened, wanted, every, "parameters")
    state = _only(opened, wanted, _states(opened, params), "BatchNorm statistics")
    device_axis = _rank_of_stem(opened, params) == 5
    named, aside = _canonical(opened, params, state, device_axis)
    spec = infer_spec(shapes_of(named), opened.path, padding="same")
    head = named.get("fc.weight")
    others = [f"{tree.path} ({len(tree.modules)} modules)" for tree in every if tree is not params]
    return Upstream(
        tensors=named,
        spec=spec,
        preprocessing=_PREPROCESSING,
        classes=None if head is None else head.final_shape[0],
        dropped=tuple(sorted([*others, *aside])),
        stored=opened.facts(),
        network=wanted,
    )


def _states(opened: Opened, params: _Tree) -> list[_Tree]:
    trees = list(_trees(opened.tree, "mean_ema"))
    # online_params has online_state beside it; a file with one state has it for everything.
    beside = params.path.replace("params", "state")
    return [tree for tree in trees if tree.path == beside] or trees


def _only(opened: Opened, wanted: str, trees: list[_Tree], what: str) -> _Tree:
    fitting = [tree for tree in trees if tree.role == wanted]
    if len(fitting) == 1:
        return fitting[0]
    found = ", ".join(tree.path or "the top level" for tree in trees) or "none"
    raise BadCheckpoint(
        opened.path,
        f"{len(fitting)} tables of {what} could be the {wanted} network's (found: {found})",
        "one",
        "Name the other network with --network."
        if trees and not fitting
        else "Ask its authors which is the network.",
    )


def _rank_of_stem(opened: Opened, params: _Tree) -> int:
    stems = [key for key in params.modules if key.split("/")[-1] == _STEM]
    kernel = _mapping(params.modules[stems[0]]).get("w")
    if len(stems) != 1 or not isinstance(kernel, Stored) or len(kernel.shape) not in (4, 5):
        raise BadCheckpoint(
            opened.path,
            f"{params.path or 'its table'} has {len(stems)} stems ({', '.join(stems[:3])})",
            "one encoder with a kernel of rank 4, or 5 with a device axis",
        )
    return len(kernel.shape)


def _canonical(
    opened: Opened, params: _Tree, state: _Tree, device_axis: bool
) -> tuple[dict[str, Stored], list[str]]:
    named: dict[str, Stored] = {}
    aside: list[str] = []
    prefix = next(key for key in params.modules if key.endswith(_STEM)).removesuffix(_STEM)
    for tree, of in ((params, _parameter_name), (state, _statistic_name)):
        for module, leaves in tree.modules.items():
            for leaf, tensor in _mapping(leaves).items():
                name = of(module, str(leaf), prefix)
                if name is None or not isinstance(tensor, Stored):
                    aside.append(f"{tree.path}/{module}/{leaf}".lstrip("/"))
                elif name:
                    tensor = tensor.first_device() if device_axis else tensor
                    # Haiku keeps a BatchNorm's values as [1, 1, 1, channels].
                    kernel = str(leaf) == "w"
                    named[name] = hwio_to_oihw(tensor) if kernel else tensor.flattened()
    if any("final_batchnorm" in name for name in aside):
        raise BadCheckpoint(
            opened.path, "its network is a pre-activation ResNet (v2)", "a ResNet of version 1"
        )
    return named, aside


def _parameter_name(module: str, leaf: str, prefix: str) -> str | None:
    if module.split("/")[-1] in _HEADS and leaf in _LEAVES:
        return f"fc.{_LEAVES[leaf]}"
    inner = _inner_name(module, prefix)
    # An unknown module inside the encoder keeps its name, so that the template refuses it.
    return f"{inner}.{_LEAVES.get(leaf, leaf)}" if inner else None


def _statistic_name(module: str, leaf: str, prefix: str) -> str | None:
    outer, _, moment = module.rpartition("/~/")
    inner = _inner_name(outer, prefix)
    if inner is None or moment not in _STATISTICS:
        return None
    # `hidden` is the average before its correction for zeros, `counter` its number of steps:
    # neither takes part in the function computed.
    return f"{inner}.{_STATISTICS[moment]}" if leaf == "average" else ""


def _inner_name(module: str, prefix: str) -> str | None:
    if not module.startswith(prefix):
        return None
    inner = module.removeprefix(prefix)
    for pattern, name in _MODULE:
        if found := pattern.fullmatch(inner):
            group, *rest = (int(number) for number in found.groups() or (0,))
            # Groups and layers count from 1 in torchvision, blocks from 0.
            numbers = [group + 1, *rest[:1], *(layer + 1 for layer in rest[1:])]
            return name.format(*numbers)
    # At the top level the prefix is empty, and heads lie beside the encoder.
    return f"?{inner}" if prefix and not inner.startswith("final_batchnorm") else None


FORMAT = Format(
    matches=matches,
    read=read,
    networks=_NETWORKS,
    description="DeepMind's Haiku ResNets: BYOL, ReLICv2, DetCon (.pkl, .npy)",
    source="google-deepmind/deepmind-research: byol/utils/checkpointing.py, networks.py",
)
