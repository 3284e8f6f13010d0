import colorsys

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from relicheck.checkpoints.errors import UnknownName, UsageError
from relicheck.evaluations.corruptions import (
    CORRUPTIONS,
    brightness,
    corrupt_image,
    disk,
    gaussian_noise,
    shot_noise,
)
from relicheck.evaluations.dataset import open_split
from relicheck.evaluations.sources import part
from relicheck.evaluations.view import View, show


@pytest.fixture(scope="module")
def photo():
    """A colourful texture with detail of about four pixels, 64 x 64."""
    field = np.random.default_rng(0).normal(size=(64, 64, 3))
    smooth = gaussian_filter(field, (2, 2, 0), mode="wrap")
    return np.clip(128 + 60 * smooth / smooth.std(), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_severity_is_farther_from_the_original_than_the_one_before(name, photo):
    distance = [
        np.abs(corrupt_image(photo, f"{name}/{level}").astype(int) - photo).mean()
        for level in range(1, 6)
    ]
    assert distance[0] > 0
    assert distance == sorted(distance)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_image_is_corrupted_alike_and_another_differently(name, photo):
    first = corrupt_image(photo, f"{name}/3", "a.png")
    assert (first == corrupt_image(photo, f"{name}/3", "a.png")).all()
    if "noise" in name:
        assert (first != corrupt_image(photo, f"{name}/3", "b.png")).any()


def test_gaussian_noise_has_the_published_deviation():
    grey = np.full((200, 200, 3), 0.5)
    noisy = gaussian_noise(grey, 1, np.random.default_rng(0))
    assert noisy.std() == pytest.approx(0.08, rel=0.02)


def test_shot_noise_has_the_variance_of_a_poisson_count():
    grey = np.full((200, 200, 3), 0.5)
    # Counts of mean 12 * 0.5 = 6 over 12: deviation sqrt(6) / 12.
    noisy = shot_noise(grey, 3, np.random.default_rng(0))
    assert noisy.mean() == pytest.approx(0.5, rel=0.01)
    assert noisy.std() == pytest.approx(np.sqrt(6) / 12, rel=0.02)


def test_brightness_raises_the_hsv_value_as_colorsys_does():
    colours = np.random.default_rng(0).random((4, 4, 3))
    colours[0, 0] = 0
    brighter = brightness(colours, 2, np.random.default_rng(0))
    for row in range(4):
        for column in range(4):
            hue, saturation, value = colorsys.rgb_to_hsv(*colours[row, column])
            expected = colorsys.hsv_to_rgb(hue, saturation, min(value + 0.2, 1))
            np.testing.assert_allclose(brighter[row, column], expected, atol=1e-12)


def test_a_disk_is_the_area_of_its_pixels():
    kernel = disk(3.0)
    assert kernel.shape == (7, 7)
    assert kernel.sum() == pytest.approx(1.0)
    # The whole centre pixel over the disk's area, pi * 9.
    assert kernel[3, 3] == pytest.approx(1 / (np.pi * 9), rel=0.01)


def test_a_disk_inside_one_pixel_changes_nothing():
    assert disk(0.3).tolist() == [[1.0]]


def test_a_part_of_a_split_is_corrupted_as_the_whole_is():
    digits = open_split("digits", "test")
    some = part(digits, 10)
    noisy = View(preprocessing=None, corruption="gaussian_noise/2")
    index = digits.identities.index(some.identities[3])
    assert (show(some, 3, [noisy])[0] == show(digits, index, [noisy])[0]).all()


def test_unknown_corruptions_and_severities_are_refused():
    with pytest.raises(UnknownName, match="Did you mean 'gaussian_noise'"):
        corrupt_image(np.zeros((4, 4, 3), np.uint8), "gausian_noise/1")
    with pytest.raises(UsageError, match="1 to 5"):
        corrupt_image(np.zeros((4, 4, 3), np.uint8), "contrast/6")
