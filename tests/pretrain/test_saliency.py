import numpy as np
import pytest

from relicheck.pretrain.saliency import border_contrast, foreground_masks, otsu_thresholds


@pytest.fixture
def square():
    """A red square of 6 pixels on a grey ground, [1, 16, 16, 3] uint8."""
    image = np.full((1, 16, 16, 3), 120, dtype=np.uint8)
    image[0, 5:11, 5:11] = (220, 30, 40)
    return image


def test_the_mask_of_a_square_on_plain_ground_is_the_square(square):
    mask = foreground_masks(square)[0]

    inside = np.zeros((16, 16), dtype=bool)
    inside[5:11, 5:11] = True
    # The 3x3 blur moves an edge by at most one pixel.
    assert mask[6:10, 6:10].all()
    assert not mask[:4].any()
    assert (mask != inside).sum() <= 24


def test_the_mask_does_not_depend_on_which_of_the_two_is_bright(square):
    assert np.array_equal(foreground_masks(square), foreground_masks(255 - square))


def test_an_image_of_one_colour_has_no_background_to_remove():
    assert foreground_masks(np.full((2, 8, 8, 3), 77, dtype=np.uint8)).all()


def test_border_contrast_is_zero_at_the_borders_colour(square):
    contrast = border_contrast(square)

    assert contrast[0, 0, 0] == 0
    # Far from the edges the blur changes nothing: |(220, 30, 40) - 120|.
    assert contrast[0, 8, 8] == pytest.approx(np.sqrt(100**2 + 90**2 + 80**2))


def test_otsu_maximises_the_variance_between_the_two_sides():
    values = np.random.default_rng(0).gamma(2.0, size=(3, 10, 10)).astype(np.float32)

    def between(row, threshold):
        low, high = row[row <= threshold], row[row > threshold]
        if not (low.size and high.size):
            return 0.0
        return low.size * high.size * (low.mean() - high.mean()) ** 2

    for row, found in zip(values.reshape(3, -1), otsu_thresholds(values), strict=True):
        edges = np.arange(1, 64) / 64 * row.max()
        best = max(between(row, edge) for edge in edges)
        assert between(row, found) == pytest.approx(best, rel=0.02)
