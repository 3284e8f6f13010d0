"""Haiku files of every published kind, made by dm-haiku, pickle and dill."""

import pickle
import sys
from collections import namedtuple
from typing import NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from relicheck.checkpoints.container import open_checkpoint
from relicheck.checkpoints.convert import convert
from relicheck.checkpoints.errors import BadCheckpoint, ParameterMismatch, UsageError
from relicheck.checkpoints.load import load_checkpoint
from relicheck.checkpoints.source import read_source
from relicheck.checkpoints.spec import ResNetSpec

BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
}
BOTTLENECKS = (50, 101, 152, 200)


class ResNetTorso(hk.nets.ResNet):
    """dm-haiku's own ResNet, returning the maps after the stem and every group."""

    def __init__(self, depth, channels, classes=None):
        outer = 4 * channels if depth in BOTTLENECKS else channels
        super().__init__(
            BLOCKS[depth],
            num_classes=classes or 1,
            bn_config={"decay_rate": 0.9, "eps": 1e-5},
            bottleneck=depth in BOTTLENECKS,
            channels_per_group=[outer * 2**group for group in range(4)],
            # byol/utils/networks.py: a projection in every group, whatever the depth.
            use_projection=(True,) * 4,
            initial_conv_config={"output_channels": channels},
            name=f"res_net{depth}",
        )

    def __call__(self, images, is_training):
        x = self.initial_conv(images)
        x = jax.nn.relu(self.initial_batchnorm(x, is_training, False))
        maps = [hk.max_pool(x, (1, 3, 3, 1), (1, 2, 2, 1), padding="SAME")]
        for group in self.block_groups:
            maps.append(group(maps[-1], is_training, False))
        return maps


def network_of(depth=50, channels=8, classes=None, seed=0):
    """A Haiku network with a projector and, with `classes`, BYOL's classifier; its trees."""

    @hk.transform_with_state
    def forward(images, is_training):
        maps = ResNetTorso(depth, channels)(images, is_training)
        features = maps[-1].mean((1, 2))
        hk.Linear(4, name="linear")(features)
        if classes:
            hk.Linear(classes, name="classifier")(features)
        return maps

    images = jnp.zeros((2, 32, 32, 3))
    params, state = forward.init(jax.random.key(seed), images, True)
    rng = np.random.default_rng(seed)
    # Values that a mix-up of scale, offset, mean and variance would betray.
    params = jax.tree.map(lambda x: x + 0.1 * rng.normal(size=x.shape).astype("f4"), params)
    state = {
        module: {
            leaf: (rng.random(x.shape) + (0.5 if "var" in module else -0.5)).astype("f4")
            for leaf, x in leaves.items()
        }
        for module, leaves in jax.device_get(state).items()
    }
    return forward, jax.device_get(params), state


def stages(forward, params, state, images):
    maps, _ = forward.apply(params, state, None, jnp.asarray(images), False)
    return [np.asarray(m).transpose(0, 3, 1, 2) for m in maps]


def assert_same_function(network, forward, params, state, side):
    images = np.random.default_rng(1).normal(size=(2, side, side, 3)).astype("f4")
    with torch.inference_mode():
        ours = network.stages(torch.from_numpy(images.transpose(0, 3, 1, 2).copy()))
    for one, other in zip(ours, stages(forward, params, state, images), strict=True):
        scale = np.abs(other).max()
        np.testing.assert_allclose(one.numpy() / scale, other / scale, atol=1e-4)


class _ByolExperimentState(NamedTuple):
    online_params: object
    target_params: object
    online_state: object
    target_state: object
    opt_state: object


# As a file written by byol's own program refers to it.
_ByolExperimentState.__module__ = "byol.byol_experiment"


def byol_file(path, dump, seed=0, depth=50, channels=8, classes=10):
    forward, params, state = network_of(depth, channels, classes, seed)
    target, target_params, target_state = network_of(depth, channels, None, seed + 1)
    experiment = _ByolExperimentState(
        online_params=params,
        target_params=target_params,
        online_state=state,
        target_state=target_state,
        # Its tree has the parameters' names too: it must not be taken for a network.
        opt_state={"trace": params, "count": np.zeros((), np.int32)},
    )
    dump({"experiment_state": experiment, "step": 1000, "rng": np.zeros(2, np.uint32)}, path)
    return forward, params, state, target, target_params, target_state


@pytest.fixture
def by_reference(monkeypatch):
    """Pickle the named tuple by reference, to a module that nobody who reads it has."""
    module = type(sys)("byol.byol_experiment")
    module._ByolExperimentState = _ByolExperimentState
    monkeypatch.setitem(sys.modules, "byol", type(sys)("byol"))
    monkeypatch.setitem(sys.modules, "byol.byol_experiment", module)

    def dump(value, path, protocol=2):
        path.write_bytes(pickle.dumps(value, protocol=protocol))

    return dump


def dill_by_value(value, path):
    import dill

    path.write_bytes(dill.dumps(value, protocol=2, byref=False, recurse=True))


@pytest.mark.parametrize("side", [32, 33])
def test_byols_named_tuple_is_read_with_its_classifier(tmp_path, by_reference, side):
    path = tmp_path / "pretrain_res50x1.pkl"
    forward, params, state, *_ = byol_file(path, by_reference)

    network = load_checkpoint(path)

    # use_projection is on in every group, as in torchvision's bottlenecks.
    assert network.spec == ResNetSpec(depth=50, width_multiplier=1 / 8, padding="same")
    assert network.manifest.training["stored"] == {"step": 1000}
    assert_same_function(network, forward, params, state, side)
    head = params["classifier"]
    np.testing.assert_array_equal(network.fc.weight.detach(), head["w"].T)
    np.testing.assert_array_equal(network.fc.bias.detach(), head["b"])


def test_the_target_network_is_read_on_request(tmp_path, by_reference):
    path = tmp_path / "pretrain.pkl"
    *_, forward, target_params, target_state = byol_file(path, by_reference)

    source = read_source(path, network="target")

    assert source.manifest.training["network"] == "target"
    assert source.manifest.classes is None  # only the online network has the classifier
    assert_same_function(source.network(), forward, target_params, target_state, 32)


def test_dill_by_value_is_read_without_running_the_class_it_brings(tmp_path, monkeypatch):
    # A class of __main__ is pickled by dill whole: its name, its bases and its code.
    monkeypatch.setattr(_ByolExperimentState, "__module__", "__main__")
    path = tmp_path / "pretrain.pkl"
    forward, params, state, *_ = byol_file(path, dill_by_value)

    assert_same_function(load_checkpoint(path), forward, params, state, 32)


def relicv2_file(path, device_axis=1, **network):
    forward, params, state = network_of(**network)
    stacked = [jax.tree.map(lambda x: np.stack([x] * device_axis), t) for t in (params, state)]
    experiment = {"online_params": stacked[0], "online_state": stacked[1]}
    path.write_bytes(pickle.dumps({"experiment_state": experiment, "step": np.int64(7)}))
    return forward, params, state


@pytest.mark.parametrize("device_axis", [1, 2])
def test_relicv2s_mapping_is_read_from_the_first_of_its_devices(tmp_path, device_axis):
    path = tmp_path / "relicv2_checkpoint_R50_1x.pkl"
    forward, params, state = relicv2_file(path, device_axis)

    network = load_checkpoint(path)

    assert network.manifest.training["stored"] == {"step": 7}
    assert_same_function(network, forward, params, state, 33)


@pytest.mark.parametrize("depth", [18, 34, 50])
def test_depth_and_width_are_read_off_the_tensors(tmp_path, depth):
    path = tmp_path / "file.pkl"
    forward, params, state = relicv2_file(path, depth=depth, channels=8)

    network = load_checkpoint(path)

    # BYOL's basic blocks begin the first group with a projection too; torchvision's do not.
    shortcut = "projection" if depth == 50 else "every_stage"
    assert network.spec == ResNetSpec(
        depth=depth, width_multiplier=1 / 8, padding="same", shortcut=shortcut
    )
    assert_same_function(network, forward, params, state, 32)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("depth", "width"), [(50, 1), (50, 2), (50, 4), (101, 1), (152, 1), (200, 1), (200, 2)]
)
def test_the_seven_published_networks_are_read_at_their_true_size(tmp_path, depth, width):
    path = tmp_path / "file.pkl"
    forward, params, state = relicv2_file(path, depth=depth, channels=64 * width)

    network = load_checkpoint(path)

    assert network.spec == ResNetSpec(depth=depth, width_multiplier=width, padding="same")
    assert_same_function(network, forward, params, state, 64)


def test_detcons_numpy_file_is_read(tmp_path):
    forward, params, state = network_of()
    tree = {"online_params": params, "online_state": state}
    np.save(tmp_path / "resnet50_detcon_b.npy", tree, allow_pickle=True)

    network = load_checkpoint(tmp_path / "resnet50_detcon_b.npy")

    assert open_checkpoint(tmp_path / "resnet50_detcon_b.npy").container == "npy"
    assert_same_function(network, forward, params, state, 32)


DeviceArray = namedtuple("DeviceArray", "value")


def _rebuild(*_):
    raise AssertionError("never called")


def jax_pickled(module, name):
    """A pickler of arrays as jax of that time did: a call that rebuilds NumPy's array."""
    import io

    rebuild = type(_rebuild)(_rebuild.__code__, globals(), name)
    rebuild.__module__, rebuild.__qualname__ = module, name

    class Pickler(pickle._Pickler):
        def reducer_override(self, value):
            if not isinstance(value, DeviceArray):
                return NotImplemented
            function, args, array_state = value.value.__reduce__()
            return rebuild, (function, args, array_state, {"weak_type": False})

        def save_global(self, value, name=None):
            if value is rebuild:
                self.write(pickle.GLOBAL + f"{module}\n{rebuild.__name__}\n".encode())
                self.memoize(value)
            else:
                super().save_global(value, name)

        def save(self, value, save_persistent_id=True):
            # A named tuple is a tuple to the pickler unless it is asked first.
            if isinstance(value, DeviceArray) and id(value) not in self.memo:
                return self.save_reduce(*self.reducer_override(value), obj=value)
            return super().save(value, save_persistent_id)

        dispatch = pickle._Pickler.dispatch | {type(_rebuild): save_global}

    def dumps(value):
        stream = io.BytesIO()
        Pickler(stream, protocol=2).dump(value)
        return stream.getvalue()

    return dumps


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("jax._src.device_array", "reconstruct_device_array"),
        ("jax.interpreters.xla", "reconstruct_device_array"),
        ("jax._src.array", "_reconstruct_array"),
    ],
)
def test_arrays_that_no_present_jax_can_unpickle_are_read(tmp_path, module, name):
    forward, params, state = network_of()
    as_jax = [jax.tree.map(lambda x: DeviceArray(np.asarray(x)), t) for t in (params, state)]
    tree = {"online_params": as_jax[0], "online_state": as_jax[1], "rng": DeviceArray(np.zeros(2))}
    (tmp_path / "old.pkl").write_bytes(jax_pickled(module, name)(tree))

    network = load_checkpoint(tmp_path / "old.pkl")

    assert_same_function(network, forward, params, state, 32)


def test_what_this_jax_pickles_is_read(tmp_path):
    forward, params, state = network_of()
    tree = {
        "online_params": jax.tree.map(jnp.asarray, params),
        "online_state": jax.tree.map(jnp.asarray, state),
        "rng": jax.random.PRNGKey(0),
    }
    (tmp_path / "new.pkl").write_bytes(pickle.dumps(tree))

    assert_same_function(load_checkpoint(tmp_path / "new.pkl"), forward, params, state, 32)


def test_a_missing_statistic_is_named(tmp_path):
    _, params, state = network_of()
    del state["res_net50/~/block_group_2/~/block_0/~/batchnorm_1/~/var_ema"]
    (tmp_path / "cut.pkl").write_bytes(
        pickle.dumps({"online_params": params, "online_state": state})
    )

    with pytest.raises(ParameterMismatch, match=r"missing \(layer3\.0\.bn2\.running_var\)"):
        read_source(tmp_path / "cut.pkl")


def test_a_module_that_does_not_belong_to_the_encoder_is_refused(tmp_path):
    _, params, state = network_of()
    params["res_net50/~/squeeze_excite"] = {"w": np.zeros((4, 4), np.float32)}
    (tmp_path / "odd.pkl").write_bytes(
        pickle.dumps({"online_params": params, "online_state": state})
    )

    with pytest.raises(ParameterMismatch, match="squeeze_excite"):
        read_source(tmp_path / "odd.pkl")


def test_a_network_that_is_not_there_is_named(tmp_path):
    relicv2_file(tmp_path / "r.pkl")

    with pytest.raises(BadCheckpoint, match="could be the target network's"):
        read_source(tmp_path / "r.pkl", network="target")
    with pytest.raises(UsageError, match="online or target"):
        read_source(tmp_path / "r.pkl", network="ema")


def test_conversion_lists_what_it_dropped_and_keeps_the_padding(tmp_path, by_reference):
    byol_file(tmp_path / "byol.pkl", by_reference)

    manifest = convert(tmp_path / "byol.pkl", tmp_path / "byol.safetensors")

    assert manifest.spec.padding == "same"
    assert "experiment_state/online_params/linear/w" in manifest.training["dropped"]
    assert any("target_params" in name for name in manifest.training["dropped"])
    # A random network is what it is.
    assert "look untrained" in manifest.warnings[0]
