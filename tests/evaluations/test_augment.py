import numpy as np
import pytest
import torch
from PIL import Image

from relicheck.checkpoints.errors import BadData, UsageError
from relicheck.evaluations.augment import Box, CropAndFlip, draw, view, views_of
from relicheck.evaluations.sources import from_arrays

RULES = ("clipped", "torchvision", "tensorflow")


@pytest.fixture
def photographs():
    pixels = np.random.default_rng(0).integers(0, 256, size=(6, 20, 30, 3), dtype=np.uint8)
    return from_arrays(
        pixels, name="noise", split="train", labels=np.arange(6) % 2, class_names=("a", "b")
    )


def boxes(height, width, views, count=4000):
    rng = np.random.default_rng(0)
    return np.array([draw(height, width, views, rng) for _ in range(count)])


@pytest.mark.parametrize("sampling", RULES)
def test_a_view_depends_on_seed_epoch_and_image_alone(photographs, sampling):
    views = CropAndFlip(sampling=sampling)
    whole = views_of(photographs, range(6), 8, views, seed=3, epoch=2)
    backwards = views_of(photographs, [5, 1], 8, views, seed=3, epoch=2)
    np.testing.assert_array_equal(backwards, whole[[5, 1]])


@pytest.mark.parametrize("other", [{"seed": 4}, {"epoch": 3}])
def test_another_seed_or_epoch_is_another_view(photographs, other):
    settings = {"seed": 3, "epoch": 2, **other}
    first = views_of(photographs, range(6), 8, CropAndFlip(), seed=3, epoch=2)
    second = views_of(photographs, range(6), 8, CropAndFlip(), **settings)
    assert (first != second).any()


def test_equal_images_at_other_indices_are_cut_differently():
    image = np.random.default_rng(0).integers(0, 256, size=(20, 20, 3), dtype=np.uint8)
    cuts = [view(image, 8, CropAndFlip(), seed=0, epoch=0, index=i) for i in range(2)]
    assert (cuts[0] != cuts[1]).any()


@pytest.mark.parametrize("sampling", RULES)
@pytest.mark.parametrize("shape", [(40, 60), (60, 40), (10, 100), (3, 3), (1, 1), (1, 9)])
def test_a_box_lies_in_the_image(sampling, shape):
    top, left, rows, columns = boxes(*shape, CropAndFlip(sampling=sampling), 500).T
    assert (np.minimum(top, left) >= 0).all()
    assert (np.minimum(rows, columns) >= 1).all()
    assert (top + rows).max() <= shape[0]
    assert (left + columns).max() <= shape[1]


@pytest.mark.parametrize("sampling", RULES)
def test_areas_and_aspects_stay_in_their_ranges(sampling):
    views = CropAndFlip(sampling=sampling, area=(0.2, 0.5))
    _, _, rows, columns = boxes(400, 400, views).T
    share = rows * columns / 400**2
    assert 0.199 < share.min() < 0.22
    assert 0.48 < share.max() < 0.501
    assert 0.745 < (columns / rows).min() < 0.77
    assert 1.31 < (columns / rows).max() < 1.34


def test_areas_are_uniform_but_for_tensorflows_which_draws_the_height():
    # With area from a to 1 times the whole, uniform heights have mean area
    # (1 + s + s^2) / 3 with s = sqrt(a), uniform areas (1 + a) / 2.
    # At a = 0.16 of half the image: 0.5 * (1 + .4 + .16) / 3 = 0.26 against 0.29.
    share = {}
    for sampling in RULES:
        views = CropAndFlip(sampling=sampling, area=(0.08, 0.5), least_covered=0.0)
        _, _, rows, columns = boxes(300, 300, views, 8000).T
        share[sampling] = float(np.mean(rows * columns)) / 300**2
    assert share["clipped"] == pytest.approx(0.29, abs=0.005)
    assert share["torchvision"] == pytest.approx(0.29, abs=0.005)
    assert share["tensorflow"] == pytest.approx(0.26, abs=0.005)


def test_torchvision_s_distribution_is_that_of_its_own_transform(torchvision):
    crop = torchvision.transforms.RandomResizedCrop
    torch.manual_seed(0)
    image = torch.zeros(3, 100, 160)
    ranges = {"scale": [0.08, 1.0], "ratio": [3 / 4, 4 / 3]}
    theirs = np.array([crop.get_params(image, **ranges) for _ in range(4000)])
    ours = boxes(100, 160, CropAndFlip(sampling="torchvision"))
    # Standard errors of the means lie below 0.6 pixels.
    np.testing.assert_allclose(ours.mean(axis=0), theirs.mean(axis=0), atol=2.0)
    np.testing.assert_allclose(ours.std(axis=0), theirs.std(axis=0), atol=1.5)


def test_a_long_image_is_cut_to_its_side_by_byols_rule_and_centred_by_torchvisions():
    # No square of at least half the area fits in 10 x 100.
    views = {"area": (0.5, 1.0), "aspect": (1.0, 1.0)}
    _, _, rows, columns = boxes(10, 100, CropAndFlip(**views), 200).T
    assert set(rows) == {10}
    assert columns.min() >= 22  # the square root of half of 1,000
    rng = np.random.default_rng(0)
    assert draw(10, 100, CropAndFlip(sampling="torchvision", **views), rng) == Box(0, 45, 10, 10)
    assert draw(10, 100, CropAndFlip(sampling="tensorflow", **views), rng) == Box(0, 0, 10, 100)


def test_tensorflows_boxes_cover_a_tenth_of_the_image():
    _, _, rows, columns = boxes(200, 200, CropAndFlip(sampling="tensorflow", attempts=100)).T
    assert (rows * columns).min() >= 4000


def test_half_of_the_views_are_mirrored_and_none_where_none_should_be():
    ramp = np.repeat(np.arange(16, dtype=np.uint8)[None, :, None], 16, axis=0).repeat(3, axis=2)
    whole = {"area": (1.0, 1.0), "aspect": (1.0, 1.0)}

    def mirrored(views):
        cuts = [view(ramp, 16, views, seed=0, epoch=0, index=i) for i in range(1000)]
        return np.mean([cut[0, 0, 0] > cut[0, -1, 0] for cut in cuts])

    assert 0.45 < mirrored(CropAndFlip(**whole)) < 0.55
    assert mirrored(CropAndFlip(**whole, flip=0.0)) == 0
    assert mirrored(CropAndFlip(**whole, flip=1.0)) == 1


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_the_cut_is_resized_by_pil(interpolation):
    image = np.random.default_rng(0).integers(0, 256, size=(12, 12, 3), dtype=np.uint8)
    views = CropAndFlip(area=(1.0, 1.0), aspect=(1.0, 1.0), flip=0.0, interpolation=interpolation)
    expected = Image.fromarray(image).resize((7, 7), Image.Resampling[interpolation.upper()])
    np.testing.assert_array_equal(view(image, 7, views, seed=0, epoch=0, index=0), expected)


@pytest.mark.parametrize(
    "wrong",
    [{"area": (0.0, 1.0)}, {"aspect": (2.0, 1.0)}, {"flip": 1.5}, {"attempts": 0}],
)
def test_impossible_ranges_are_one_message(wrong):
    with pytest.raises(UsageError, match="ranges from low to high"):
        CropAndFlip(**wrong)


def test_an_unknown_rule_names_the_known_ones():
    with pytest.raises(UsageError, match="clipped, torchvision, tensorflow"):
        CropAndFlip(sampling="jax")


def test_an_image_of_floats_is_refused_by_name():
    with pytest.raises(BadData, match=r"cat\.png: shape .* float64"):
        view(np.zeros((4, 4, 3)), 2, CropAndFlip(), seed=0, epoch=0, index=0, where="cat.png")
