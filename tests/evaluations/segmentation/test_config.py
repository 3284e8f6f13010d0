"""Configurations are written from protocols, and say what the protocols' sources say."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from relicheck.checkpoints.common import write_checkpoint
from relicheck.checkpoints.errors import UsageError
from relicheck.checkpoints.manifest import Manifest
from relicheck.checkpoints.resnet import untrained
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec
from relicheck.evaluations.evaluator import evaluators
from relicheck.evaluations.segmentation.bridge import open_bridge, quiet
from relicheck.evaluations.segmentation.config import Images, Network, config_of
from relicheck.evaluations.segmentation.protocol import FcnProtocol

DETCON = evaluators.load("segmentation").protocol
MMSEG = evaluators.load("segmentation_mmsegmentation").protocol
FCN = [
    protocol
    for name in evaluators.names()
    if isinstance(protocol := evaluators.load(name).protocol, FcnProtocol)
]


def config(protocol, data="voc2012", spec=None, checkpoint="r50", classes=21, **options):
    network = Network(
        checkpoint=checkpoint,
        spec=spec or ResNetSpec(depth=50),
        preprocessing=Preprocessing(image_size=224),
    )
    images = Images(
        data=data,
        root=None,
        name=data,
        palette=None,
        classes=[f"class {i}" for i in range(classes)],
    )
    options = {"learning_rate": protocol.learning_rates[0], "seed": 0, **options}
    return config_of(protocol, network, images, **options)


@pytest.mark.parametrize("protocol", FCN, ids=lambda p: p.name)
def test_a_configuration_holds_plain_values_only(protocol):
    made = config(protocol)
    assert ast.literal_eval(repr(made)) == made


def test_there_are_the_recipe_of_the_papers_and_mmsegmentation_s_own():
    assert {p.id for p in FCN} >= {"segmentation_detcon/1", "segmentation_mmsegmentation/1"}


def test_the_papers_recipe_is_that_of_byol():
    # BYOL, App. D.4, in its own words: see the protocol's docstring.
    made = config(DETCON)
    head, steps = made["model"]["decode_head"], made["train_dataloader"]["dataset"]["pipeline"]
    assert (head["channels"], head["num_convs"], head["dilation"]) == (256, 2, 6)
    assert head["concat_input"] is False
    assert made["model"]["backbone"]["output_stride"] == 16
    assert "auxiliary_head" not in made["model"]
    assert steps[0] == {"type": "RelicheckScaleOwnSize", "smallest": 0.5, "largest": 2.0}
    assert steps[1]["crop_size"] == (513, 513)
    assert made["train_dataloader"]["batch_size"] == 16
    assert made["optim_wrapper"]["optimizer"]["weight_decay"] == 1e-4
    assert made["param_scheduler"][0]["milestones"] == [21_000, 27_000]
    assert made["train_cfg"]["max_iters"] == 30_000


def test_its_learning_rates_are_five_from_a_thousandth_to_a_tenth_log_spaced():
    assert DETCON.learning_rates == pytest.approx(np.logspace(-3, -1, 5), rel=2e-3)


def test_a_fifth_of_the_augmented_training_images_are_as_many_as_byol_held_out():
    assert round(DETCON.held_out_fraction * 10_582) in range(2_110, 2_125)  # 2,119 there


def test_cityscapes_has_crops_of_its_own():
    steps = config(DETCON, "cityscapes")["train_dataloader"]["dataset"]["pipeline"]
    assert steps[1]["crop_size"] == (769, 769)


def published(name):
    """A configuration that mmsegmentation ships."""
    open_bridge()
    import mmseg
    from mmengine.config import Config

    path = Path(mmseg.__file__).parent / ".mim" / "configs" / "fcn" / name
    if not path.is_file():
        pytest.skip("this mmsegmentation ships no configurations")
    with quiet():
        return Config.fromfile(path).to_dict()


# Where ours must differ, with the reason.
OURS = {
    "norm_cfg",  # on one device BatchNorm sees the batch, as SyncBN does over four
    "ignore_index",  # its default
    "out_channels",  # its default
}


@pytest.mark.parametrize("head", ["decode_head", "auxiliary_head"])
def test_mmsegmentation_s_heads_are_those_it_ships(head):
    theirs = published("fcn_r50-d8_4xb4-20k_voc12aug-512x512.py")["model"][head]
    mine = config(MMSEG)["model"][head]
    # False and 1 are their defaults, which mmsegmentation leaves unsaid.
    assert mine["loss_decode"].pop("avg_non_ignore") is False
    assert mine.pop("dilation", 1) == 1
    assert {k: v for k, v in mine.items() if k not in OURS} == {
        k: v for k, v in theirs.items() if k not in OURS
    }


def test_mmsegmentation_s_training_is_the_one_it_ships():
    theirs = published("fcn_r50-d8_4xb4-20k_voc12aug-512x512.py")
    mine = config(MMSEG)
    assert mine["optim_wrapper"]["optimizer"] == theirs["optimizer"]
    assert mine["param_scheduler"] == theirs["param_scheduler"]
    assert mine["train_cfg"]["max_iters"] == theirs["train_cfg"]["max_iters"] == 20_000
    assert mine["train_dataloader"]["batch_size"] == 4 * theirs["train_dataloader"]["batch_size"]
    backbone = theirs["model"]["backbone"]
    assert (backbone["dilations"], backbone["contract_dilation"]) == ((1, 1, 2, 4), True)
    assert (MMSEG.output_stride, MMSEG.exact_dilation) == (8, True)
    assert mine["model"]["data_preprocessor"]["size"] == theirs["data_preprocessor"]["size"]
    for name in ("mean", "std"):
        wanted = theirs["model"]["data_preprocessor"][name]
        assert mine["model"]["data_preprocessor"][name] == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("data", "file"),
    [
        ("voc2012", "fcn_r50-d8_4xb4-20k_voc12aug-512x512.py"),
        ("cityscapes", "fcn_r50-d8_4xb2-40k_cityscapes-512x1024.py"),
    ],
)
def test_mmsegmentation_s_images_are_shown_as_it_shows_them(data, file):
    theirs, mine = published(file), config(MMSEG, data)
    ours = mine["train_dataloader"]["dataset"]["pipeline"]
    # Loading is ours, and filling up to the crop is done where batches are made.
    left_out = ("LoadImageFromFile", "LoadAnnotations", "Pad")
    assert ours == [s for s in theirs["train_pipeline"] if s["type"] not in left_out]
    scored = mine["test_dataloader"]["dataset"]["pipeline"]
    assert scored == [s for s in theirs["test_pipeline"] if s["type"] not in left_out]


def test_the_network_that_is_built_is_the_paper_s(tmp_path):
    open_bridge()
    from mmengine.registry import init_default_scope

    from relicheck.evaluations.segmentation import mmseg_modules

    spec, path = ResNetSpec(depth=18, width_multiplier=1 / 8), tmp_path / "r18.safetensors"
    network = untrained(spec)
    manifest = Manifest(spec=spec, preprocessing=Preprocessing(image_size=32), method="random",
                        source="a test", licence="Apache-2.0")  # fmt: skip
    write_checkpoint(path, network.canonical_tensors(), manifest)
    init_default_scope("mmseg")
    with quiet():
        model = mmseg_modules.MODELS.build(config(DETCON, spec=spec, checkpoint=str(path))["model"])
    head = model.decode_head
    kinds = [type(m).__name__ for block in head.convs for m in block.children()]
    assert kinds == ["Conv2d", "BatchNorm2d", "ReLU"] * 2
    assert {m.dilation for m in head.convs.modules() if isinstance(m, torch.nn.Conv2d)} == {(6, 6)}
    assert (head.conv_seg.kernel_size, head.conv_seg.out_channels) == ((1, 1), 21)
    assert head.dropout is None
    with torch.inference_mode():
        maps = model.backbone(torch.zeros(1, 3, 513, 513))
        assert head(maps).shape == (1, 21, 33, 33)  # output stride 16: (513 - 1) / 16 + 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("iterations", 0, "iterations: 0. Wanted: at least 1"),
        ("batch_size", 1, "batch_size: 1. Wanted: at least 2: BatchNorm"),
        ("learning_rates", (), "learning_rates"),
        ("learning_rates", (0.1, -1.0), "one or more above 0"),
        ("learning_rates", (0.1, 0.1), "each once"),
        ("schedule", "cosine", "cosine. Wanted: step or poly"),
        ("crop_px", (513,), r"crop_px: \(513,\). Wanted: height and width"),
        ("crop_px", (4, 4), "at least 8 px"),
        ("smallest_scale", 3.0, "the smaller first"),
        ("flip", 1.5, "0 to 1"),
        ("dropout", 1.0, "below 1"),
        ("head_convolutions", 0, "at least 1"),
        ("head_dilation", 0, "at least 1 each"),
        ("held_out_fraction", 1.0, "below 1"),
    ],
)
def test_a_protocol_that_cannot_be_is_refused_with_the_field(field, value, message):
    with pytest.raises(UsageError, match=message):
        replace(DETCON, **{field: value}).check()


@pytest.mark.parametrize("protocol", FCN, ids=lambda p: p.name)
def test_the_published_protocols_can_be(protocol):
    protocol.check()
