"""The common ResNet in mmsegmentation's registry is the network every other evaluator uses."""

import pytest
import torch

from relicheck.checkpoints.common import write_checkpoint
from relicheck.checkpoints.errors import ManifestMismatch, UsageError
from relicheck.checkpoints.manifest import Manifest
from relicheck.checkpoints.resnet import untrained
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec
from relicheck.evaluations.segmentation.backbone import SegmentationBackbone
from relicheck.evaluations.segmentation.bridge import open_bridge, quiet

SPECS = [
    ResNetSpec(depth=18, width_multiplier=1 / 8),
    ResNetSpec(depth=18, width_multiplier=1 / 8, padding="same"),
    ResNetSpec(depth=50, width_multiplier=1 / 8),
    ResNetSpec(depth=50, width_multiplier=1 / 8, padding="same"),
    ResNetSpec(depth=18, width_multiplier=1 / 8, padding="same", stem="cifar"),
    ResNetSpec(depth=20, stem="cifar", shortcut="parameter_free"),
]


@pytest.fixture
def written(tmp_path):
    """Write an untrained network of a spec: -> (network, path)."""

    def write(spec):
        network, path = untrained(spec), tmp_path / f"{spec.depth}.safetensors"
        manifest = Manifest(
            spec=spec, preprocessing=Preprocessing(image_size=32), method="random",
            source="a test", licence="Apache-2.0",
        )  # fmt: skip
        # Statistics of a trained network are not 0 and 1.
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.uniform_(-0.1, 0.1)
                module.running_var.uniform_(0.5, 1.5)
        write_checkpoint(path, network.canonical_tensors(), manifest)
        return network, path

    return write


def backbone_of(path, spec, **options):
    stages = tuple(range(len(spec.blocks)))
    options = {"out_indices": stages, **options}
    made = SegmentationBackbone(str(path), spec.depth, spec.width_multiplier, **options)
    return made.eval()


def odd_images():
    return torch.rand(2, 3, 45, 61, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_its_maps_are_the_other_evaluators_stages_bit_for_bit(written, spec):
    network, path = written(spec)
    with torch.inference_mode():
        maps = backbone_of(path, spec)(odd_images())
        stages = network.stages(odd_images())[1:]
        assert torch.equal(maps[-1].mean(dim=(2, 3)), network.features(odd_images()))
    assert len(maps) == len(stages)
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(maps, stages, strict=True))


@pytest.mark.parametrize("spec", SPECS[:4], ids=str)
def test_dilating_the_last_stage_leaves_the_stages_before_it_bit_for_bit(written, spec):
    network, path = written(spec)
    with torch.inference_mode():
        maps = backbone_of(path, spec, output_stride=16)(odd_images())
        stages = network.stages(odd_images())[1:]
    assert all(torch.equal(a, b) for a, b in zip(maps[:-1], stages[:-1], strict=True))
    assert maps[-1].shape[2:] == maps[-2].shape[2:] == (3, 4)
    assert stages[-1].shape[2:] == (2, 2)


@pytest.mark.parametrize(
    ("stride", "exact", "strides", "dilations"),
    [
        (16, False, (1, 2, 2, 1), (1, 1, 1, 2)),
        (8, True, (1, 2, 1, 1), (1, 1, 2, 4)),
        (8, False, (1, 2, 1, 1), (1, 1, 2, 4)),
    ],
)
def test_mmsegmentation_s_own_resnet_of_the_same_weights_gives_the_same_maps(
    written, stride, exact, strides, dilations
):
    open_bridge()
    from mmseg.models.backbones import ResNet

    spec = ResNetSpec(depth=50)
    _, path = written(spec)
    mine = backbone_of(path, spec, output_stride=stride, exact_dilation=exact)
    with quiet():
        theirs = ResNet(
            50, strides=strides, dilations=dilations, contract_dilation=exact,
            norm_cfg={"type": "BN"},
        )  # fmt: skip
    theirs.eval()
    theirs.load_state_dict(mine.state_dict())  # by name, nothing missing, nothing left over
    with torch.inference_mode():
        for a, b in zip(mine(odd_images()), theirs(odd_images()), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_a_checkpoint_of_another_depth_is_refused(written):
    _, path = written(SPECS[0])
    with pytest.raises(ManifestMismatch, match=r"it is a ResNet-18 0\.125x.*Wanted: the ResNet-50"):
        SegmentationBackbone(str(path), 50)


def test_a_checkpoint_of_another_width_is_refused(written):
    _, path = written(SPECS[0])
    with pytest.raises(ManifestMismatch, match="Wanted: the ResNet-18 1x that this config"):
        SegmentationBackbone(str(path), 18, 1.0)


def test_a_stage_that_is_not_there_is_refused(written):
    _, path = written(SPECS[-1])
    with pytest.raises(UsageError, match="stages 0 to 2"):
        SegmentationBackbone(str(path), 20, out_indices=(0, 1, 2, 3))


@pytest.mark.parametrize("norm_eval", [True, False])
def test_training_moves_batch_statistics_unless_they_are_kept(written, norm_eval):
    _, path = written(SPECS[0])
    backbone = backbone_of(path, SPECS[0], norm_eval=norm_eval).train()
    before = backbone.bn1.running_mean.clone()
    backbone(odd_images())
    assert torch.equal(before, backbone.bn1.running_mean) == norm_eval


def test_its_weights_can_be_trained(written):
    _, path = written(SPECS[0])
    backbone = backbone_of(path, SPECS[0]).train()
    backbone(odd_images())[-1].sum().backward()
    assert all(parameter.grad is not None for parameter in backbone.parameters())
