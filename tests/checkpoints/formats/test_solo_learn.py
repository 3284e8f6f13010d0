"""solo-learn: vturrisi/solo-learn: solo/methods/base.py rebuilt, saved by Lightning's trainer."""

import json
import warnings

import pytest
import torch
from torch import nn

from relicheck.checkpoints.source import read_source


@pytest.fixture(scope="module")
def library(torchvision):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about libraries that it looks for
        import pytorch_lightning
    return pytorch_lightning


@pytest.fixture
def save(tmp_path, library, resnet):
    """Call with the backbone's name: the file that solo-learn's trainer keeps, and its model."""

    def run(name="backbone", stem="imagenet"):
        from omegaconf import OmegaConf

        class Method(library.LightningModule):
            def __init__(self, cfg):
                super().__init__()
                # Its first versions did; the configuration must stay data.
                self.save_hyperparameters()
                for seed, prefix in enumerate(("", "momentum_")):
                    backbone = resnet(stem=stem, seed=seed)
                    backbone.fc = nn.Identity()
                    setattr(self, f"{prefix}{name}", backbone)
                    setattr(self, f"{prefix}classifier", nn.Linear(64, 10))
                self.projector = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 8))

        cfg = OmegaConf.create({"method": "byol", "data": {"dataset": "imagenet100"}})
        model = Method(cfg).eval()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer = library.Trainer(
                accelerator="cpu",
                logger=False,
                enable_checkpointing=False,
                enable_model_summary=False,
                default_root_dir=tmp_path,
            )
            trainer.strategy.connect(model)
            trainer.save_checkpoint(tmp_path / "byol-ep=399.ckpt")
        return tmp_path / "byol-ep=399.ckpt", model

    return run


# `encoder` is what the first versions called it: main_linear.py still replaces the name.
@pytest.mark.parametrize("name", ["backbone", "encoder"])
def test_the_backbone_is_read_with_its_online_classifier(save, assert_same_stages, detected, name):
    path, model = save(name)

    ours = assert_same_stages(path, getattr(model, name))

    assert detected(path) == "solo_learn"
    assert (ours.manifest.method, ours.manifest.classes) == ("unstated", 10)
    assert torch.equal(ours.fc.weight, model.classifier.weight)


def test_the_momentum_backbone_is_read_with_its_own_classifier(save, assert_same_stages):
    path, model = save()

    ours = assert_same_stages(path, model.momentum_backbone, network="momentum")

    assert torch.equal(ours.fc.weight, model.momentum_classifier.weight)


def test_the_method_is_in_the_file_that_the_checkpointer_writes_beside_it(save):
    path, _ = save()
    (path.parent / "args.json").write_text(json.dumps({"method": "byol", "name": "byol-im100"}))

    assert read_source(path).manifest.method == "byol"


def test_another_programs_args_json_says_nothing(save):
    path, _ = save()
    (path.parent / "args.json").write_text("[1, 2")

    assert read_source(path).manifest.method == "unstated"


def test_a_cifar_stem_pads_by_two_pixels_which_no_tensor_tells(save, assert_same_stages):
    # base.py replaces conv1 by one of 3x3, stride 1, padding 2: 32 pixels become 34.
    path, model = save(stem="cifar")
    for backbone in (model.backbone, model.momentum_backbone):
        backbone.conv1.padding = (2, 2)

    ours = assert_same_stages(path, model.backbone, sides=(32, 33))

    assert ours.spec.stem == "cifar_padded"
    assert ours.manifest.preprocessing.std == (0.247, 0.243, 0.261)
    assert ours.stages(torch.zeros(1, 3, 32, 32))[0].shape[-2:] == (34, 34)
