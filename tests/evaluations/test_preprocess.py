import numpy as np
import pytest
from PIL import Image

from relicheck.checkpoints.errors import BadData
from relicheck.checkpoints.spec import Preprocessing
from relicheck.evaluations.preprocess import crop, normalise


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, size=(height, width, 3), dtype=np.uint8)


def test_without_a_resize_only_the_centre_is_cut():
    image = noise(20, 31)
    # (20 - 16) / 2 = 2; (31 - 16) / 2 = 7.5, which Python rounds to 8, as torchvision does.
    expected = image[2:18, 8:24]
    assert (crop(image, Preprocessing(image_size=16)) == expected).all()


@pytest.mark.parametrize(
    ("interpolation", "method"),
    [("bicubic", Image.Resampling.BICUBIC), ("bilinear", Image.Resampling.BILINEAR)],
)
def test_the_shorter_side_is_resized_and_the_longer_one_follows(interpolation, method):
    image = noise(50, 75)
    # Shorter side 50 to 32: the longer becomes int(32 * 75 / 50) = 48; centre (48 - 28) / 2.
    resized = np.asarray(Image.fromarray(image).resize((48, 32), method))
    found = crop(image, Preprocessing(image_size=28, resize=32, interpolation=interpolation))
    assert (found == resized[2:30, 10:38]).all()


def test_tall_images_are_resized_by_their_width():
    found = crop(noise(75, 50), Preprocessing(image_size=28, resize=32))
    assert found.shape == (28, 28, 3)


def test_an_image_smaller_than_the_input_is_named_with_both_sizes():
    with pytest.raises(BadData, match=r"cat/1\.png: 12 x 20 px\. Wanted: at least 16 x 16"):
        crop(noise(20, 12), Preprocessing(image_size=16), "cat/1.png")


def test_channels_are_scaled_then_shifted_by_their_own_constants():
    white = np.full((1, 2, 2, 3), 255, np.uint8)
    preprocessing = Preprocessing(image_size=2, mean=(0.0, 0.5, 1.0), std=(1.0, 0.5, 0.25))
    # (1 - 0) / 1, (1 - 0.5) / 0.5, (1 - 1) / 0.25
    assert normalise(white, preprocessing)[0, :, 0, 0].tolist() == [1.0, 1.0, 0.0]
