"""Flax restores an exported file, and the linen network computes the same from it."""

import flax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from relicheck.checkpoints.manifest import Manifest
from relicheck.checkpoints.spec import ResNetSpec
from relicheck.pretrain.resnet import ResNet

SPECS = [
    ResNetSpec(depth=18, width_multiplier=1 / 8, padding="same", shortcut="every_stage"),
    ResNetSpec(depth=50, width_multiplier=1 / 8, padding="symmetric"),
    ResNetSpec(depth=18, width_multiplier=1 / 8, padding="fixed"),
    ResNetSpec(depth=18, width_multiplier=1 / 8, padding="flax"),
    ResNetSpec(depth=20, width_multiplier=1 / 4, stem="cifar", shortcut="parameter_free"),
    ResNetSpec(depth=18, width_multiplier=1 / 8, stem="cifar_padded", padding="same"),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.depth}-{spec.padding}")
def test_the_linen_network_computes_the_same_from_the_restored_file(export, images, spec):
    made = export("flax", spec, classes=3)

    tree = flax.serialization.msgpack_restore(made.output.read_bytes())
    variables = {name: tree[name] for name in ("params", "batch_stats")}
    nhwc = jnp.asarray(images.permute(0, 2, 3, 1).numpy())
    stages = ResNet(spec).apply(variables, nhwc, False, method="stages")

    with torch.inference_mode():
        ours = made.network.stages(images)
    for stage, theirs in zip(ours, stages, strict=True):
        found = torch.from_numpy(np.asarray(theirs).transpose(0, 3, 1, 2).copy())
        torch.testing.assert_close(found, stage, rtol=1e-4, atol=1e-5)


def test_the_head_is_a_dense_kernel_of_features_by_classes(export):
    made = export("flax", SPECS[1], classes=3)

    tree = flax.serialization.msgpack_restore(made.output.read_bytes())

    assert tree["params"]["fc"]["kernel"].shape == (256, 3)
    assert (made.network.fc.weight.detach().numpy() == tree["params"]["fc"]["kernel"].T).all()


def test_the_manifest_lies_beside_the_collections(export):
    made = export("flax", SPECS[0])

    tree = flax.serialization.msgpack_restore(made.output.read_bytes())

    assert set(tree) == {"params", "batch_stats", "relicheck_manifest"}
    assert Manifest.from_json(tree["relicheck_manifest"], "it") == made.manifest
