"""lightly's models with its own heads, saved by Lightning's trainer."""

import copy
import warnings

import pytest
import torch
from torch import nn

from relicheck.checkpoints.errors import BadCheckpoint
from relicheck.checkpoints.source import read_source


@pytest.fixture(scope="module")
def lightning(torchvision):
    """Lightning, lightly's heads, lightly's ResNet and its classifiers; torchvision comes first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about libraries that they look for
        import pytorch_lightning
        from lightly.models import ResNetGenerator, modules
        from lightly.utils.benchmarking import LinearClassifier, OnlineLinearClassifier
    modules.ResNetGenerator = ResNetGenerator
    modules.OnlineLinearClassifier = OnlineLinearClassifier
    modules.LinearClassifier = LinearClassifier
    return pytorch_lightning, modules


@pytest.fixture
def save(tmp_path, lightning):
    """Call with a LightningModule: the file that a trainer saves of it."""

    def run(model):
        library = lightning[0]
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
            trainer.save_checkpoint(tmp_path / "last.ckpt")
        return tmp_path / "last.ckpt"

    return run


def _module(library, **children):
    model = library.LightningModule()
    for name, child in children.items():
        setattr(model, name, child)
    return model.eval()


def _without_fc(network):
    network.fc = nn.Identity()
    return network


def test_the_benchmarks_backbone_is_read_with_its_online_classifier(
    lightning, resnet, save, assert_same_stages, detected
):
    # benchmarks/imagenet/resnet50/byol.py
    library, parts = lightning
    backbone, teacher = _without_fc(resnet(50)), _without_fc(resnet(50, seed=1))
    model = _module(
        library,
        backbone=backbone,
        projection_head=parts.BYOLProjectionHead(256, 16, 8),
        prediction_head=parts.BYOLPredictionHead(8, 16, 8),
        teacher_backbone=teacher,
        teacher_projection_head=parts.BYOLProjectionHead(256, 16, 8),
        online_classifier=parts.OnlineLinearClassifier(feature_dim=256, num_classes=10),
    )
    path = save(model)

    ours = assert_same_stages(path, backbone)
    assert_same_stages(path, teacher, network="momentum")

    assert detected(path) == "lightly"
    assert ours.manifest.classes == 10
    head = model.online_classifier.classification_head
    assert torch.equal(ours.fc.weight, head.weight)
    assert ours.manifest.training["stored"]["pytorch-lightning_version"] == library.__version__


@pytest.mark.parametrize("depth", [18, 50])
def test_a_sequential_of_torchvisions_children_is_read(
    lightning, resnet, save, assert_same_stages, detected, depth
):
    # examples/pytorch_lightning/moco.py
    library, parts = lightning
    width = 64 if depth == 18 else 256
    backbone = nn.Sequential(*list(resnet(depth).children())[:-1])
    model = _module(
        library,
        backbone=backbone,
        projection_head=parts.MoCoProjectionHead(width, 16, 8),
        backbone_momentum=nn.Sequential(*list(resnet(depth, seed=1).children())[:-1]),
        projection_head_momentum=parts.MoCoProjectionHead(width, 16, 8),
    )
    path = save(model)

    assert_same_stages(path, backbone)
    assert_same_stages(path, model.backbone_momentum, network="momentum")

    assert detected(path) == "lightly"


# lightly's head calls torch's older weight normalisation.
@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_dinos_benchmark_evaluates_its_backbone_which_is_the_teacher(
    lightning, resnet, save, assert_same_stages
):
    # benchmarks/imagenet/resnet50/dino.py
    library, parts = lightning
    model = _module(
        library,
        backbone=_without_fc(resnet()),
        projection_head=parts.DINOProjectionHead(64, 16, 8, 12),
        student_backbone=_without_fc(resnet(seed=1)),
        student_projection_head=parts.DINOProjectionHead(64, 16, 8, 12),
    )
    path = save(model)

    assert_same_stages(path, model.backbone)
    assert_same_stages(path, model.student_backbone, network="student")


def test_linear_evaluation_keeps_the_model_inside_and_its_classifier_beside_it(
    lightning, resnet, save, assert_same_stages, detected
):
    # benchmarks/imagenet/resnet50/linear_eval.py
    library, parts = lightning
    model = _module(
        library,
        backbone=_without_fc(resnet()),
        projection_head=parts.SimCLRProjectionHead(64, 16, 8),
        online_classifier=parts.OnlineLinearClassifier(feature_dim=64, num_classes=10),
    )
    classifier = parts.LinearClassifier(
        model=model, batch_size_per_device=2, feature_dim=64, num_classes=10
    )
    path = save(classifier)

    ours = assert_same_stages(path, model.backbone)

    assert detected(path) == "lightly"
    assert torch.equal(ours.fc.weight, classifier.classification_head.weight)


def test_a_state_dict_without_lightning_is_lightlys_by_its_heads(
    tmp_path, lightning, resnet, modules, assert_same_stages, detected
):
    # examples/pytorch/simclr.py
    backbone = nn.Sequential(*list(resnet().children())[:-1])
    head = lightning[1].SimCLRProjectionHead(64, 16, 8)
    model = modules(backbone=backbone, projection_head=head)
    torch.save(copy.deepcopy(model).state_dict(), tmp_path / "simclr.pth")

    assert_same_stages(tmp_path / "simclr.pth", backbone)

    assert detected(tmp_path / "simclr.pth") == "lightly"


def test_children_of_lightlys_own_resnet_lost_the_relu_of_the_stem_and_are_refused(lightning, save):
    # docs/source/getting_started/benchmarks/cifar10_benchmark.py: the ReLU is no child.
    library, parts = lightning
    own = parts.ResNetGenerator("resnet-18", width=1 / 8)
    backbone = nn.Sequential(*list(own.children())[:-1], nn.AdaptiveAvgPool2d(1))
    model = _module(
        library, backbone=backbone, projection_head=parts.SimCLRProjectionHead(64, 16, 8)
    )

    with pytest.raises(BadCheckpoint, match="a Sequential without the ReLU of its stem"):
        read_source(save(model))
