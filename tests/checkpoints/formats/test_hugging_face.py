"""What transformers saved is read, computes the same after every stage, or is refused."""

import json
import os

import numpy as np
import pytest
import torch

from relicheck.checkpoints import formats
from relicheck.checkpoints.container import open_checkpoint
from relicheck.checkpoints.errors import BadCheckpoint
from relicheck.checkpoints.load import load_checkpoint
from relicheck.checkpoints.source import detect_format
from relicheck.checkpoints.spec import Preprocessing

os.environ.setdefault("HF_HUB_OFFLINE", "1")

BASIC = {"layer_type": "basic", "depths": [2, 2, 2, 2], "hidden_sizes": [8, 16, 32, 64]}
BOTTLENECK = {
    "layer_type": "bottleneck",
    "depths": [3, 4, 6, 3],
    "hidden_sizes": [32, 64, 128, 256],
}


@pytest.fixture
def transformers(torchvision):
    """transformers, which imports torchvision where it is installed."""
    import transformers

    return transformers


@pytest.fixture
def saved(transformers, tmp_path):
    """Call with ResNetConfig's arguments: a network of the library's, and its folder."""

    def save(labels=None, **arguments):
        torch.manual_seed(0)
        head = {"num_labels": labels} if labels else {}
        config = transformers.ResNetConfig(embedding_size=8, **arguments, **head)
        kind = "ResNetForImageClassification" if labels else "ResNetModel"
        network = getattr(transformers, kind)(config).eval()
        for name, buffer in network.named_buffers():
            if buffer.dim():
                buffer.copy_(torch.rand(buffer.shape) + (0.5 if "var" in name else -0.5))
        network.save_pretrained(tmp_path / "theirs")
        return network, tmp_path / "theirs"

    return save


@pytest.mark.parametrize("side", [64, 33])
@pytest.mark.parametrize("arguments", [BASIC, BOTTLENECK], ids=["basic", "bottleneck"])
def test_every_stage_computes_the_same(saved, arguments, side):
    theirs, folder = saved(**arguments)
    images = torch.randn((2, 3, side, side), generator=torch.Generator().manual_seed(0))

    ours = load_checkpoint(folder)

    with torch.inference_mode():
        hidden = theirs(images, output_hidden_states=True).hidden_states
        for stage, other in zip(ours.stages(images), hidden, strict=True):
            torch.testing.assert_close(stage, other, rtol=1e-4, atol=1e-4 * float(other.max()))


def test_a_classifier_keeps_its_head(saved):
    theirs, folder = saved(labels=5, **BOTTLENECK)
    images = torch.randn((2, 3, 64, 64), generator=torch.Generator().manual_seed(0))

    ours = load_checkpoint(folder)

    assert ours.manifest.classes == 5
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images).logits)


def test_nothing_in_the_folder_is_left_over(saved):
    _, folder = saved(labels=5, **BASIC)
    opened = open_checkpoint(folder)

    upstream = formats.load(detect_format(opened)).read(opened, None)

    assert upstream.dropped == ()
    assert upstream.stored == {"architectures": ["ResNetForImageClassification"]}


@pytest.mark.parametrize("with_config", [True, False])
def test_the_weights_alone_are_read_with_the_config_beside_them(saved, with_config):
    _, folder = saved(**BOTTLENECK)
    if not with_config:
        (folder / "config.json").unlink()
    opened = open_checkpoint(folder / "model.safetensors")

    upstream = formats.load(detect_format(opened)).read(opened, None)

    assert upstream.spec.name == "ResNet-50 0.125x"
    # What config.json would have said has to be assumed, and is said.
    assert ("config.json" in upstream.stored) is not with_config


def test_older_folders_with_a_torch_file_are_read(saved):
    theirs, folder = saved(**BASIC)
    (folder / "model.safetensors").unlink()
    torch.save(theirs.state_dict(), folder / "pytorch_model.bin")

    assert load_checkpoint(folder).spec.name == "ResNet-18 0.125x"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"downsample_in_bottleneck": True}, "downsample_in_bottleneck is True"),
        ({"downsample_in_first_stage": True}, "downsample_in_first_stage is True"),
        ({"hidden_act": "gelu"}, "hidden_act is 'gelu'"),
    ],
)
def test_a_network_that_computes_something_else_is_refused(saved, change, found):
    # The tensors of all of them have the same names and shapes.
    _, folder = saved(**BOTTLENECK, **change)

    with pytest.raises(BadCheckpoint, match=found):
        load_checkpoint(folder)


def test_a_stride_in_the_bottleneck_cannot_matter_without_bottlenecks(saved):
    _, folder = saved(**BASIC, downsample_in_bottleneck=True)

    assert load_checkpoint(folder).spec.depth == 18


@pytest.mark.parametrize("depths", [[2, 2, 2], 5, "2222", None])
def test_a_config_of_another_depth_is_refused(saved, depths):
    _, folder = saved(**BASIC)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "depths": depths}))

    with pytest.raises(BadCheckpoint, match="its depths is"):
        load_checkpoint(folder)


def test_a_regnet_is_not_taken_for_a_resnet(transformers, tmp_path):
    # The same names for stem and blocks; the stem is 3x3 and the convolutions are grouped.
    config = transformers.RegNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], layer_type="x",
        groups_width=8,
    )  # fmt: skip
    transformers.RegNetModel(config).save_pretrained(tmp_path / "regnet")

    with pytest.raises(BadCheckpoint):
        load_checkpoint(tmp_path / "regnet")


CONVNEXT = {"size": 224, "resample": 3, "image_mean": [0.1] * 3, "image_std": [0.2] * 3}


@pytest.mark.parametrize(
    ("processor", "expected"),
    [
        # transformers: models/convnext/image_processing_convnext.py: int(224 / 0.875) = 256.
        ({**CONVNEXT, "crop_pct": 0.875}, (224, 256, "bicubic")),
        ({**CONVNEXT, "size": {"shortest_edge": 224}, "crop_pct": None}, (224, 256, "bicubic")),
        ({**CONVNEXT, "size": {"shortest_edge": 384}}, (384, 384, "bicubic")),
        ({**CONVNEXT, "crop_size": {"height": 200, "width": 200}}, (200, 224, "bicubic")),
        ({**CONVNEXT, "crop_pct": 0.875, "resample": 2}, (224, 256, "bilinear")),
        ({**CONVNEXT, "crop_pct": 0.875, "do_resize": False}, (224, None, "bicubic")),
    ],
)
def test_the_image_processor_becomes_the_preprocessing(saved, processor, expected):
    _, folder = saved(**BASIC)
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))

    found = load_checkpoint(folder).manifest.preprocessing

    assert (found.image_size, found.resize, found.interpolation) == expected
    assert (found.mean, found.std) == ((0.1,) * 3, (0.2,) * 3)


def test_without_an_image_processor_it_is_the_usual_one(saved):
    _, folder = saved(**BASIC)

    found = load_checkpoint(folder).manifest.preprocessing

    assert found == Preprocessing(image_size=224, resize=256, interpolation="bilinear")


@pytest.mark.parametrize("change", [{"size": "big"}, {"image_std": [0, 1, 1]}, {"crop_pct": -1}])
def test_an_image_processor_that_makes_no_sense_is_refused(saved, change):
    _, folder = saved(**BASIC)
    (folder / "preprocessor_config.json").write_text(json.dumps({**CONVNEXT, **change}))

    with pytest.raises(BadCheckpoint, match="preprocessor_config"):
        load_checkpoint(folder)


def test_the_values_are_those_in_the_file_bit_for_bit(saved):
    theirs, folder = saved(**BASIC)
    opened = open_checkpoint(folder)

    tensors = formats.load("hugging_face").read(opened, None).tensors

    # Stage 2, block 0, second convolution: counted from 1 and from 0 by turns.
    name = "encoder.stages.1.layers.0.layer.1.convolution.weight"
    expected = theirs.state_dict()[name].numpy()
    assert np.array_equal(tensors["layer2.0.conv2.weight"].read(), expected)
