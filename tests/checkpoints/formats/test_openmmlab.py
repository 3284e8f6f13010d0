"""OpenMMLab: open-mmlab/mmpretrain and mmselfsup (backbones, algorithms, converters) rebuilt."""

import pytest
import torch
from torch import nn

from relicheck.checkpoints.errors import BadCheckpoint
from relicheck.checkpoints.source import read_source

_CONFIG = """
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ResNet', depth=50, num_stages=4, out_indices=(3, ){more}),
    head=dict(type='LinearClsHead', loss=dict(type='CrossEntropyLoss'), topk=(1, 5)),
    teacher=dict(style='caffe'))
"""


@pytest.fixture
def save(tmp_path, modules):
    def run(state, more="", key="cfg", **top):
        path = tmp_path / "epoch_200.pth"
        meta = {"epoch": 200, "mmengine_version": "0.8.3", key: _CONFIG.replace("{more}", more)}
        torch.save({"meta": meta, "state_dict": state, "message_hub": {}, **top}, path)
        return path

    return run


@pytest.fixture
def classifier(resnet, modules):
    backbone = resnet(50)
    head = modules(fc=backbone.fc)
    del backbone.fc
    backbone.fc = nn.Identity()
    return modules(backbone=backbone, head=head)


def test_a_classifier_is_read_with_its_head(save, classifier, assert_same_stages, detected):
    path = save(classifier.state_dict())

    ours = assert_same_stages(path, classifier.backbone)

    assert detected(path) == "openmmlab"
    assert ours.manifest.classes == 5
    with torch.inference_mode():
        assert torch.equal(ours.fc.weight, classifier.head.fc.weight)


# mmselfsup 0.x keeps both encoders as Sequential(backbone, neck), the first again by itself;
# later versions keep the copy inside an averaged model.
@pytest.mark.parametrize("copy", ["encoder_k", "encoder_k.module", "target_net.module"])
def test_the_backbone_is_read_and_the_copy_when_asked_for(
    save, resnet, modules, assert_same_stages, detected, copy
):
    networks = [resnet(50), resnet(50, seed=1)]
    for network in networks:
        network.fc = nn.Identity()
    neck = nn.Sequential(nn.Linear(256, 16), nn.ReLU(), nn.Linear(16, 8))
    state = {f"backbone.{n}": t for n, t in networks[0].state_dict().items()}
    state |= {f"neck.{n}": t for n, t in neck.state_dict().items()}
    if copy == "encoder_k":
        state |= {f"encoder_q.0.{n}": t for n, t in networks[0].state_dict().items()}
    state |= {f"{copy}.0.{n}": t for n, t in networks[1].state_dict().items()}
    state |= {f"{copy}.1.{n}": t for n, t in neck.state_dict().items()}
    state |= {"queue": torch.zeros(8, 16), "queue_ptr": torch.zeros(1, dtype=torch.long)}
    path = save(state)

    assert_same_stages(path, networks[0])
    assert_same_stages(path, networks[1], network="momentum")

    assert detected(path) == "openmmlab"


def test_an_extracted_backbone_is_read_by_its_authors_mark(
    tmp_path, resnet, assert_same_stages, detected
):
    backbone = resnet(50)
    backbone.fc = nn.Identity()
    path = tmp_path / "backbone.pth"
    torch.save({"state_dict": backbone.state_dict(), "author": "MMSelfSup"}, path)

    assert_same_stages(path, backbone)

    assert detected(path) == "openmmlab"


@pytest.mark.parametrize("key", ["cfg", "config"])
@pytest.mark.parametrize(
    "more",
    [
        "style='caffe'",
        'style="caffe"',
        "avg_down=True",
        "strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4)",
        "norm_cfg=dict(type='BN'), dilations=[1, 1, 1, 2]",
    ],
)
def test_what_only_the_config_tells_is_refused(save, classifier, more, key):
    # The tensors are those of a plain ResNet: style moves a stride, dilations move samples.
    path = save(classifier.state_dict(), f", {more}", key)

    with pytest.raises(BadCheckpoint, match=r"its config says .*Wanted: a plain ResNet"):
        read_source(path)


def test_the_usual_values_written_out_are_no_reason_to_refuse(save, classifier):
    more = ", style='pytorch', strides=(1, 2, 2, 2), dilations=(1, 1, 1, 1), avg_down=False"

    assert read_source(save(classifier.state_dict(), more)).spec.depth == 50


def test_a_deep_stem_is_refused_by_name(save, resnet):
    # ResNetV1c: backbone.stem.0 to .7 stand where conv1 was.
    state = {f"backbone.{n}": t for n, t in resnet(50).state_dict().items() if "conv1" not in n[:5]}
    state["backbone.stem.0.weight"] = torch.zeros(4, 3, 3, 3)

    with pytest.raises(BadCheckpoint, match=r"a stem of several layers \(ResNet-C, -D\)"):
        read_source(save(state))
