"""transformers opens an exported folder with no name missing or left over."""

import numpy as np
import pytest
import torch
from PIL import Image

from relicheck.checkpoints.spec import Preprocessing, ResNetSpec
from relicheck.evaluations.preprocess import crop, normalise

SPECS = [
    ResNetSpec(depth=18, width_multiplier=1 / 8),
    ResNetSpec(depth=50, width_multiplier=1 / 8),
    ResNetSpec(depth=50, width_multiplier=1 / 4, shortcut="every_stage"),
    ResNetSpec(depth=20, width_multiplier=1 / 2),
]


@pytest.fixture
def transformers(torchvision):
    """transformers, which imports torchvision where it is installed."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    return transformers


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.depth}-{spec.shortcut}")
def test_auto_model_loads_the_folder_completely_and_computes_the_same(
    export, transformers, images, spec
):
    made = export("hugging_face", spec)

    theirs, loaded = transformers.AutoModel.from_pretrained(made.output, output_loading_info=True)

    assert isinstance(theirs, transformers.ResNetModel)
    assert not any(loaded.values())
    with torch.inference_mode():
        found = theirs.eval()(images, output_hidden_states=True)
        ours = made.network.stages(images)
        assert torch.equal(found.pooler_output.flatten(1), made.network.features(images))
    for stage, hidden in zip(ours, found.hidden_states, strict=True):
        torch.testing.assert_close(hidden, stage, rtol=1e-4, atol=1e-5)


def test_with_a_head_it_is_a_classifier(export, transformers, images):
    made = export("hugging_face", SPECS[1], classes=5)
    auto = transformers.AutoModelForImageClassification

    theirs, loaded = auto.from_pretrained(made.output, output_loading_info=True)

    assert isinstance(theirs, transformers.ResNetForImageClassification)
    assert not any(loaded.values())
    assert theirs.config.num_labels == 5
    with torch.inference_mode():
        assert torch.equal(theirs.eval()(images).logits, made.network(images))


def test_auto_model_takes_the_backbone_of_a_classifier(export, transformers, images):
    made = export("hugging_face", SPECS[1], classes=5)

    theirs, loaded = transformers.AutoModel.from_pretrained(made.output, output_loading_info=True)

    assert not loaded["missing_keys"]
    assert set(loaded["unexpected_keys"]) == {"classifier.1.weight", "classifier.1.bias"}
    with torch.inference_mode():
        found = theirs.eval()(images).pooler_output.flatten(1)
        assert torch.equal(found, made.network.features(images))


@pytest.mark.parametrize("resize", [73, None])
def test_the_image_processor_prepares_images_as_evaluation_does(export, transformers, resize):
    seen = Preprocessing(image_size=64, resize=resize, mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 1))
    made = export("hugging_face", SPECS[0], None, seen)
    pixels = np.random.default_rng(0).integers(0, 256, (80, 90, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(pixels).resize((90, 80)).resize((11, 10)).resize((90, 80)))

    processor = transformers.AutoImageProcessor.from_pretrained(made.output)
    theirs = processor(Image.fromarray(smooth), return_tensors="pt")["pixel_values"]

    ours = normalise(crop(smooth, seen)[None], seen)
    # One grey level is 1 / 255 / 0.4 = 0.01; their resize works on tensors, ours is PIL's.
    torch.testing.assert_close(theirs, ours.contiguous(), rtol=0, atol=0.03)
