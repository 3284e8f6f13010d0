"""Flax ResNets: our own networks and training states, and kin of Flax's ImageNet example.

The file may be MessagePack, an Orbax folder, or the state of an unfinished run of ours. Our
networks have torchvision's names with `_` for `.` (pretrain/resnet.py) and a manifest beside
them, without which nothing says how they pad. google/flax: examples/imagenet/models.py names
its modules `conv_init`, `ResNetBlock_0`, `Conv_0`, `norm_proj`.

A target network is the online one's moving average. Its running statistics are those of the
online network, as no others are kept: training normalises by the batch (BYOL's code too).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ..container import Opened, tensors_of
from ..errors import BadCheckpoint
from ..exported import told_manifest
from ..flax_names import block_places, canonical_from_example, canonical_from_own
from ..format import Format, Upstream
from ..infer import infer_spec
from ..manifest import HEADER_KEY, Manifest
from ..spec import Padding, Preprocessing, ResNetSpec
from ..stored import Stored, hwio_to_oihw, shapes_of

_CONTAINERS = ("flax_msgpack", "orbax_folder", "safetensors_file")
_STATISTICS = "batch_stats"
_COLLECTIONS = {"online": ("params",), "target": ("target", "target_params", "ema_params")}
_OWN, _EXAMPLE = {"conv1", "bn1", "layer1_0"}, {"conv_init", "bn_init"}
_DEEPEST = 4  # modules around the backbone: state, params, backbone
_STATE_MANIFEST = "metadata.manifest"  # pretrain/state.py
# google/flax: examples/imagenet/input_pipeline.py: the centre 224/256, bicubic.
_EXAMPLE_INPUT = Preprocessing(image_size=224, resize=256, interpolation="bicubic")

Node = Mapping[str, Any]


def matches(opened: Opened) -> bool:
    """Return whether params and batch_stats of a ResNet are here, by either naming."""
    if opened.container not in _CONTAINERS:
        return False
    return next(_backbones(_tree(opened), _COLLECTIONS["online"]), None) is not None


def _tree(opened: Opened) -> Node:
    if opened.container != "safetensors_file":
        return opened.tree
    tree: dict[str, Any] = {}
    for name, value in opened.tree.items():
        *path, leaf = name.split("/")
        node = tree
        for key in path:
            child = node.setdefault(key, {})
            node = child if isinstance(child, dict) else {}
        node[leaf] = value
    return tree


def _backbones(tree: Node, names: tuple[str, ...]) -> Iterator[tuple[Node, Node, Node]]:
    """Yield (the collection of parameters, the backbone in it, its running statistics)."""
    for _, root in _below(tree):
        statistics = root.get(_STATISTICS)
        for params in (root[name] for name in names if isinstance(root.get(name), Mapping)):
            for path, node in _below(params) if isinstance(statistics, Mapping) else ():
                if node.keys() >= _OWN or node.keys() >= _EXAMPLE:
                    yield params, node, _at(statistics, path)


def _below(tree: Node) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Yield the mappings under `tree` by path, itself first, the shallow before the deep."""
    waiting: list[tuple[tuple[str, ...], Node]] = [((), tree)]
    for path, node in waiting:
        yield path, node
        if len(path) < _DEEPEST:
            waiting += [((*path, k), v) for k, v in node.items() if isinstance(v, Mapping)]


def _at(node: Any, path: tuple[str, ...]) -> Node:
    for key in path:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}


def read(opened: Opened, network: str | None) -> Upstream:
    """Return the online (default) or the target network, with `fc` where a classifier is.

    Raises:
        BadCheckpoint: there is no such network, or nothing says how it pads.
        ManifestMismatch: the manifest is of another network.
    """
    tree, network = _tree(opened), network or "online"
    found = next(_backbones(tree, _COLLECTIONS[network]), None)
    if found is None:
        raise BadCheckpoint(
            opened.path,
            f"holds no {network} network",
            f"{_STATISTICS} beside {' or '.join(_COLLECTIONS[network])}",
        )
    params, backbone, statistics = found
    own = backbone.keys() >= _OWN
    leaves = {**tensors_of(backbone), **tensors_of(statistics)}
    if own and "fc" not in backbone:
        leaves |= {f"fc.{n}": t for n, t in tensors_of(params.get("classifier")).items()}
    tensors = _canonical(leaves, own)
    manifest = _manifest(opened, tensors)
    head = tensors.get("fc.weight")
    return Upstream(
        tensors=tensors,
        spec=manifest.spec if manifest else _spec(opened, tensors, own),
        preprocessing=manifest.preprocessing if manifest else _EXAMPLE_INPUT,
        classes=head.final_shape[0] if head is not None else None,
        dropped=_others(tree, leaves),
        stored=_facts(opened, manifest),
        network=network,
        method=manifest.method if manifest else None,
    )


def _canonical(leaves: Mapping[str, Stored], own: bool) -> dict[str, Stored]:
    stem = next((leaves[n] for n in ("conv1.kernel", "conv_init.kernel") if n in leaves), None)
    # A state that was never un-replicated: every leaf has one entry per device, all equal.
    if stem is not None and len(stem.shape) == 5:
        leaves = {name: tensor.first_device() for name, tensor in leaves.items()}
    kernels = {n: hwio_to_oihw(t) for n, t in leaves.items() if n.endswith("kernel")}
    channels = {n: t.final_shape[0] for n, t in kernels.items() if t.final_shape}
    places = {} if own else block_places(channels, max(channels.get("conv_init.kernel", 1), 1))
    tensors = {}
    for name, tensor in {**leaves, **kernels}.items():
        known = canonical_from_own(name) if own else canonical_from_example(name, places)
        # What has no canonical name stays, so that the check against the template names it.
        tensors[known or name] = tensor
    return tensors


def _manifest(opened: Opened, tensors: Mapping[str, Stored]) -> Manifest | None:
    texts = (opened.at(HEADER_KEY), opened.at(_STATE_MANIFEST))
    text = next((text for text in texts if isinstance(text, str)), None)
    return told_manifest(text, shapes_of(tensors), opened.path) if text is not None else None


def _spec(opened: Opened, tensors: Mapping[str, Stored], own: bool) -> ResNetSpec:
    shapes = shapes_of(tensors)
    return infer_spec(shapes, opened.path, padding=_padding(opened, shapes, own))


def _padding(opened: Opened, shapes: Mapping[str, tuple[int, ...]], own: bool) -> Padding:
    if own:
        raise BadCheckpoint(
            opened.path,
            "nothing in it says how its strided layers pad",
            f"a manifest under {HEADER_KEY}, as relicheck export --to flax writes",
        )
    # The example pads its 7x7 stem by 3 on every side and leaves the rest to SAME.
    return "same" if shapes.get("conv1.weight", ())[2:] == (3, 3) else "flax"


def _others(tree: Node, used: Mapping[str, Stored]) -> tuple[str, ...]:
    kept = {id(tensor) for tensor in used.values()}
    return tuple(sorted(n for n, t in tensors_of(tree, "/").items() if id(t) not in kept))


def _facts(opened: Opened, manifest: Manifest | None) -> dict[str, Any]:
    facts = {k.removeprefix("metadata."): v for k, v in opened.facts().items()}
    facts = {k: v for k, v in facts.items() if k not in (HEADER_KEY, "manifest")}
    for name, value in opened.tree.items():
        if isinstance(value, Stored) and value.shape == ():
            facts[name] = value.load().item()
    if manifest is not None:
        facts |= {"source": manifest.source, "licence": manifest.licence}
    return facts


FORMAT = Format(
    matches=matches,
    read=read,
    description="Flax ResNets: ours, our training states, Flax's example (.msgpack, Orbax)",
    source="google/flax: examples/imagenet/models.py",
    networks=("online", "target"),
)
