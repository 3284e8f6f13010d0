"""Order, views and folds follow from the seed, whoever reads the images."""

import random
from collections import Counter

import numpy as np
import pytest
import torch

from relicheck.checkpoints.errors import BadData
from relicheck.evaluations.dataset import open_split
from relicheck.evaluations.image_source import masks_of
from relicheck.evaluations.segmentation.bridge import open_bridge, quiet
from relicheck.evaluations.segmentation.order import drawn_for, held_out, image_at

CLASSES = ("ground", "red", "green")


@pytest.fixture
def modules():
    open_bridge()
    from mmengine.registry import init_default_scope

    from relicheck.evaluations.segmentation import mmseg_modules

    init_default_scope("mmseg")
    return mmseg_modules


def images_of(modules, folder, **options):
    views = [
        {"type": "RelicheckScaleOwnSize", "smallest": 0.5, "largest": 2.0},
        {"type": "RandomCrop", "crop_size": (24, 24), "cat_max_ratio": 1.0},
        {"type": "RandomFlip", "prob": 0.5},
        {"type": "PhotoMetricDistortion"},
        {"type": "PackSegInputs"},
    ]
    options = {"split": "train", "training_seed": 3, "pipeline": views, **options}
    with quiet():
        return modules.MaskedImages(str(folder), classes=CLASSES, **options)


def test_every_epoch_shows_every_image_once_in_a_new_order():
    shown = [image_at(position, 7, seed=1) for position in range(21)]
    assert Counter(shown) == {(epoch, image): 1 for epoch in range(3) for image in range(7)}
    orders = [tuple(i for e, i in shown if e == epoch) for epoch in range(3)]
    assert len(set(orders)) == 3
    assert shown != [image_at(position, 7, seed=2) for position in range(21)]


def test_what_is_drawn_for_an_image_leaves_the_global_generators_as_they_were():
    np.random.seed(5)
    random.seed(5)
    before = (np.random.get_state()[1].tolist(), random.getstate())
    with drawn_for(0, 1, 2):
        first = (np.random.rand(), random.random())
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before
    with drawn_for(0, 1, 2):
        assert (np.random.rand(), random.random()) == first
    with drawn_for(0, 1, 3):
        assert (np.random.rand(), random.random()) != first


def test_kept_and_held_images_are_all_of_them_and_share_none(modules, masked_folder):
    kept, held = (
        images_of(modules, masked_folder, fold=fold, held_out_fraction=0.25)
        for fold in ("kept", "held")
    )
    indices = [dataset._open()[2].tolist() for dataset in (kept, held)]
    assert sorted(indices[0] + indices[1]) == list(range(12))
    assert indices[1] == held_out(12, 0.25, 0).tolist()


# jax, where another test imported it, says so of every fork; these workers never touch it.
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")
def test_worker_processes_read_the_same_views(modules, masked_folder):
    def read(workers):
        dataset = images_of(modules, masked_folder)
        loader = torch.utils.data.DataLoader(
            dataset, 4, sampler=modules.Positions(dataset), num_workers=workers,
            collate_fn=lambda batch: batch,
        )  # fmt: skip
        batches = iter(loader)
        return [sample for _ in range(4) for sample in next(batches)]

    for alone, shared in zip(read(0), read(2), strict=True):
        assert torch.equal(alone["inputs"], shared["inputs"])
        masks = [s["data_samples"].gt_sem_seg.data for s in (alone, shared)]
        assert torch.equal(*masks)


def test_going_on_at_a_position_shows_what_would_have_been_shown(modules, masked_folder):
    dataset = images_of(modules, masked_folder)
    whole, rest = modules.Positions(dataset), modules.Positions(dataset)
    rest.begin = 10
    positions = iter(whole)
    for _ in range(10):
        next(positions)
    later = iter(rest)
    assert [next(positions) for _ in range(5)] == [next(later) for _ in range(5)]


def test_a_scored_image_is_whole_blue_first_and_its_mask_is_not_resized(modules, masked_folder):
    steps = [
        {"type": "Resize", "scale": (32, 24), "keep_ratio": True},
        {"type": "PackSegInputs"},
    ]
    dataset = images_of(
        modules, masked_folder, split="test", training_seed=None, pipeline=steps[1:]
    )
    source = open_split(masked_folder, "test")
    packed = dataset[1]
    assert packed["inputs"].numpy()[::-1].tolist() == source[1].transpose(2, 0, 1).tolist()
    smaller = images_of(modules, masked_folder, split="test", training_seed=None, pipeline=steps)[1]
    assert smaller["inputs"].shape[1:] == (24, 32)
    mask = smaller["data_samples"].gt_sem_seg.data.squeeze().numpy()
    assert mask.tolist() == masks_of(source)(1).tolist()


def test_an_image_and_its_mask_are_scaled_by_one_factor(modules):
    step = modules.ScaleOwnSize(1.5, 1.5)
    mask = np.arange(12, dtype=np.uint8).reshape(3, 4)
    image = np.repeat(mask[:, :, None], 3, axis=2)
    scaled = step.transform({"img": image, "gt_seg_map": mask, "seg_fields": ["gt_seg_map"]})
    assert scaled["img"].shape == (4, 6, 3)  # 4.5 rounds to even
    assert scaled["gt_seg_map"].shape == scaled["img_shape"] == (4, 6)
    assert set(np.unique(scaled["gt_seg_map"])) <= set(range(12))  # no class in between
    assert scaled["scale_factor"] == (1.5, 4 / 3)


def test_classes_that_are_not_the_configuration_s_are_refused(modules, masked_folder):
    with quiet(), pytest.raises(BadData, match="its classes are ground, red, green"):
        modules.MaskedImages(str(masked_folder), "train", [], ("sky", "road"))
