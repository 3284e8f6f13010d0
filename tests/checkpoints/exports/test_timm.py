"""timm opens an exported folder, computes the same, and prepares images as the manifest says."""

import json

import pytest
import torch

from relicheck.checkpoints import formats
from relicheck.checkpoints.container import open_checkpoint
from relicheck.checkpoints.errors import BadCheckpoint
from relicheck.checkpoints.exports.timm import crop_fraction
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec


@pytest.fixture
def timm(torchvision):
    """timm, which imports torchvision."""
    import timm

    return timm


@pytest.mark.parametrize("classes", [None, 5])
def test_timm_opens_the_folder_and_computes_the_same(export, timm, images, classes):
    made = export("timm", ResNetSpec(depth=18), classes=classes)

    theirs = timm.create_model(f"local-dir:{made.output}", pretrained=True).eval()

    with torch.inference_mode():
        assert torch.equal(theirs(images), made.network(images))


def test_the_weights_load_strictly_into_a_model_made_by_name(export, timm):
    from safetensors.torch import load_file

    made = export("timm", ResNetSpec(depth=18), classes=5)
    theirs = timm.create_model("resnet18", num_classes=5)

    missing, unexpected = theirs.load_state_dict(load_file(made.output / "model.safetensors"))

    assert (missing, unexpected) == ([], [])


def test_timm_prepares_images_as_the_manifest_says(export, timm):
    seen = Preprocessing(
        image_size=64, resize=73, interpolation="bilinear", mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 1)
    )
    made = export("timm", ResNetSpec(depth=18), None, seen)
    theirs = timm.create_model(f"local-dir:{made.output}", pretrained=True)

    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(theirs))

    resize, crop = transform.transforms[:2]
    assert (resize.size, tuple(crop.size)) == (73, (64, 64))
    assert resize.interpolation.value == "bilinear"
    torch.testing.assert_close(transform.transforms[-1].std, torch.tensor([0.4, 0.5, 1]))


def test_the_crop_fraction_gives_the_resize_back():
    # 224 / (224 / 257) is a hair below 257 in floating point, and timm rounds down.
    wrong = [
        (side, resize)
        for side in (32, 224, 299)
        for resize in range(side, 2 * side)
        if int(side / crop_fraction(side, resize)) != resize
    ]

    assert wrong == []


@pytest.mark.parametrize("architecture", ["resnetaa50", "resnetblur18", "seresnet18", "resnet34"])
def test_a_folder_of_another_architecture_is_refused(export, architecture):
    # resnetblur18 has the shapes of resnet18 and pools in another way.
    made = export("timm", ResNetSpec(depth=18))
    config = json.loads((made.output / "config.json").read_text())
    (made.output / "config.json").write_text(json.dumps({**config, "architecture": architecture}))

    with pytest.raises(BadCheckpoint, match=architecture):
        formats.load("timm_hub").read(open_checkpoint(made.output), None)


def test_a_folder_that_timm_itself_saved_is_read(timm, tmp_path):
    torch.manual_seed(0)
    theirs = timm.create_model("resnet18.a1_in1k", num_classes=3).eval()
    timm.models.save_for_hf(theirs, tmp_path / "hub", safe_serialization=True)

    upstream = formats.load("timm_hub").read(open_checkpoint(tmp_path / "hub"), None)

    # resnet18.a1_in1k: 224 px, crop fraction 0.95, bicubic: floor(224 / 0.95) = 235.
    assert upstream.preprocessing == Preprocessing(image_size=224, resize=235)
    assert upstream.classes == 3
    assert (upstream.tensors["fc.weight"].read() == theirs.fc.weight.detach().numpy()).all()


@pytest.mark.slow
@pytest.mark.parametrize("depth", [34, 50, 101, 152, 200])
def test_every_depth_opens_in_timm(export, timm, images, depth):
    made = export("timm", ResNetSpec(depth=depth), classes=7)

    theirs = timm.create_model(f"local-dir:{made.output}", pretrained=True).eval()

    with torch.inference_mode():
        assert torch.equal(theirs(images), made.network(images))
