import colorsys
import io
import json
import tarfile
from functools import cache
from itertools import islice

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom

from relicheck.checkpoints.errors import UnknownName, UsageError
from relicheck.evaluations.corruptions import (
    CORRUPTIONS,
    EXTRA_CORRUPTIONS,
    SEVERITIES,
    TEST_CORRUPTIONS,
    corrupt_image,
)
from relicheck.evaluations.corruptions.blur import disk, jumps, soft_disk
from relicheck.evaluations.corruptions.constants import Constants, length_scale
from relicheck.evaluations.corruptions.digital import saturate, smooth
from relicheck.evaluations.corruptions.frost_sheets import frost_sheet
from relicheck.evaluations.corruptions.geometry import enlarge, plasma, smear
from relicheck.evaluations.corruptions.noise import (
    gaussian_noise,
    impulse_noise,
    shot_noise,
    speckle_noise,
)
from relicheck.evaluations.corruptions.spatter import edges, equalised
from relicheck.evaluations.corruptions.weather import brightness, fog
from relicheck.evaluations.dataset import open_split
from relicheck.evaluations.sources import part
from relicheck.evaluations.view import View, show

# Where the published constants themselves do not move an image farther at each severity:
# saturate first drains and then adds colour, spatter goes from water to mud, snow, frost,
# fog, glass and elastic trade one constant for another.
UNEVEN_IMAGENET = {
    "glass_blur", "snow", "frost", "fog", "elastic_transform", "spatter", "saturate",
}  # fmt: skip
UNEVEN_CIFAR = {"glass_blur", "frost", "elastic_transform", "spatter", "saturate"}


@pytest.fixture(scope="module")
def photo():
    """A colourful texture with detail of about four pixels, 64 x 64."""
    return texture(64)


def texture(side):
    field = np.random.default_rng(0).normal(size=(side, side, 3))
    smoothed = gaussian_filter(field, (2, 2, 0), mode="wrap")
    return np.clip(128 + 60 * smoothed / smoothed.std(), 0, 255).astype(np.uint8)


def distances(images, name):
    """Mean absolute change in grey levels at each severity."""
    return [
        np.mean([
            np.abs(corrupt_image(image, f"{name}/{level}", str(k)).astype(int) - image).mean()
            for k, image in enumerate(images)
        ])
        for level in SEVERITIES
    ]  # fmt: skip


@cache
def imagenet_photographs(root):
    with tarfile.open(root / "imagenet-samples" / "imagenet-1000x1-128.tar.gz") as archive:
        members = [member for member in islice(archive, 40) if member.isfile()]
        files = [archive.extractfile(member).read() for member in members]
    return [np.asarray(Image.open(io.BytesIO(file)).convert("RGB")) for file in files[:16]]


@cache
def cifar_photographs(root):
    return list(map(open_split("cifar10", "test", root).__getitem__, range(40)))


@pytest.fixture
def photographs(real_data):
    """Sixteen photographs of ImageNet, 128 px."""
    return imagenet_photographs(real_data)


@pytest.fixture
def small_photographs(real_data):
    """Forty images of CIFAR-10, 32 px."""
    return cifar_photographs(real_data)


def test_there_are_the_fifteen_that_are_scored_and_the_four_extra_ones():
    assert (len(TEST_CORRUPTIONS), len(EXTRA_CORRUPTIONS)) == (15, 4)
    assert EXTRA_CORRUPTIONS == ("speckle_noise", "gaussian_blur", "spatter", "saturate")


def test_the_fifteen_are_those_that_alexnet_s_errors_are_published_for(real_data):
    published = json.loads((real_data / "metadata/imagenet_c_alexnet_errors.json").read_text())
    assert tuple(published) == TEST_CORRUPTIONS


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_severity_moves_photographs_farther_each_time_where_its_constants_grow(name, photographs):
    found = distances(photographs, name)
    assert min(found) > 0
    assert (found == sorted(found)) == (name not in UNEVEN_IMAGENET)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_severity_moves_cifar_images_farther_each_time_where_its_constants_grow(
    name, small_photographs
):
    found = distances(small_photographs, name)
    assert min(found) > 0
    assert (found == sorted(found)) == (name not in UNEVEN_CIFAR)


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("shape", [(32, 32, 3), (40, 57, 3), (5, 3, 3), (1, 1, 3)])
def test_any_size_keeps_its_shape_and_stays_in_bytes(name, shape):
    image = np.random.default_rng(1).integers(0, 256, size=shape, dtype=np.uint8)
    for level in SEVERITIES:
        found = corrupt_image(image, f"{name}/{level}", "x")
        assert (found.shape, found.dtype) == (shape, np.uint8)


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_image_of_one_colour_is_no_trouble(name, grey):
    corrupt_image(np.full((32, 32, 3), grey, np.uint8), f"{name}/5", "x")


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_image_is_corrupted_alike_and_another_differently(name, photo):
    first = corrupt_image(photo, f"{name}/3", "a.png")
    assert (first == corrupt_image(photo, f"{name}/3", "a.png")).all()
    drawn = ("noise", "glass", "motion", "snow", "frost", "fog", "elastic", "spatter")
    if any(word in name for word in drawn):
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


def test_impulse_noise_hits_the_published_share_half_of_it_white():
    grey = np.full((224, 224, 3), 0.5)
    noisy = impulse_noise(grey, 5, np.random.default_rng(0))
    assert (noisy != 0.5).mean() == pytest.approx(0.27, abs=0.005)
    assert (noisy == 1).mean() == pytest.approx(0.135, abs=0.005)


def test_speckle_noise_scales_with_the_value():
    grey = np.full((224, 224, 3), 0.4)
    noisy = speckle_noise(grey, 3, np.random.default_rng(0))
    assert noisy.std() == pytest.approx(0.35 * 0.4, rel=0.02)


def test_cifar_s_constants_are_taken_at_32_px_and_only_there():
    rng = np.random.default_rng(0)
    # Severity 5: 0.38 for ImageNet, 0.10 for CIFAR.
    grey = np.full((32, 32, 3), 0.5)
    assert gaussian_noise(grey, 5, rng).std() == pytest.approx(0.10, rel=0.1)
    grey = np.full((33, 32, 3), 0.5)
    assert gaussian_noise(grey, 5, rng).std() == pytest.approx(0.38, rel=0.1)


def test_lengths_scale_with_the_shorter_side_except_at_cifar_s_size():
    sizes = [(224, 300, 3), (448, 448, 3), (32, 32, 3), (32, 64, 3)]
    scales = [length_scale(np.zeros(size)) for size in sizes]
    assert scales == [1, 2, 1, 32 / 224]
    assert Constants((1, 2, 3, 4, 5), (6, 7, 8, 9, 0)).of(np.zeros((32, 32, 3)), 5) == 0


def test_jpeg_is_pil_s_at_the_published_quality():
    for side, quality in ((64, 7), (32, 40)):
        stream = io.BytesIO()
        Image.fromarray(texture(side)).save(stream, "JPEG", quality=quality)
        expected = np.asarray(Image.open(stream))
        assert (corrupt_image(texture(side), "jpeg_compression/5") == expected).all()


def test_pixelate_is_pil_s_box_filter_twice():
    small = Image.fromarray(texture(32)).resize((20, 20), Image.Resampling.BOX)  # 0.65 * 32
    expected = np.asarray(small.resize((32, 32), Image.Resampling.BOX))
    assert (corrupt_image(texture(32), "pixelate/5") == expected).all()


def test_saturation_changes_as_colorsys_does_and_grey_turns_reddish():
    colours = np.random.default_rng(0).random((4, 4, 3))
    colours[0, 0], colours[0, 1] = 0.5, 0
    found = saturate(colours, 4, np.random.default_rng(0))  # saturation times 5 plus 0.1
    for row in range(4):
        for column in range(4):
            hue, saturation, value = colorsys.rgb_to_hsv(*colours[row, column])
            expected = colorsys.hsv_to_rgb(hue, min(5 * saturation + 0.1, 1), value)
            np.testing.assert_allclose(found[row, column], expected, atol=1e-5)


@pytest.mark.parametrize("factor", [1.0, 1.05, 1.16, 1.3, 2.5])
def test_enlarging_is_scipy_s_zoom_of_the_middle(factor):
    image = texture(48).astype(np.float32) / 255
    crop = int(np.ceil(48 / factor))
    top = (48 - crop) // 2
    whole = zoom(image[top : top + crop, top : top + crop], (factor, factor, 1), order=1)
    trim = (len(whole) - 48) // 2
    expected = whole[trim : trim + 48, trim : trim + 48]
    np.testing.assert_allclose(enlarge(image, factor), expected, atol=1e-5)


def test_a_smear_to_the_right_reads_the_pixels_to_the_right_with_half_a_gaussian():
    point = np.zeros((1, 9), np.float32)
    point[0, 8] = 1
    weights = np.exp(-(np.arange(7) ** 2) / (2 * 2.0**2))
    weights /= weights.sum()
    found = smear(point, 3, 2.0, 0)
    # Six steps at most; the last pixel sees itself and its repetitions beyond the border.
    np.testing.assert_allclose(found[0, 2:8], weights[:0:-1].cumsum(), atol=1e-6)
    assert found[0, 8] == pytest.approx(1)
    assert found[0, 1] == 0


def test_glass_blur_copies_neighbours_as_the_original_s_loop_does():
    height, width, reach = 9, 11, 2
    # The loop of the original, its arrays' shared memory spelled out: copy, not swap.
    slow = np.arange(height * width).reshape(height, width)
    rows, columns = height - 2 * reach, width - 2 * reach
    across, down = np.random.default_rng(3).integers(-reach, reach, size=(2, rows, columns))
    for i, h in enumerate(range(height - reach, reach, -1)):
        for j, w in enumerate(range(width - reach, reach, -1)):
            slow[h, w] = slow[h + down[i, j], w + across[i, j]]
    assert (jumps(height, width, reach, np.random.default_rng(3)) == slow.ravel()).all()


def test_the_original_s_swap_of_rows_of_a_numpy_array_is_a_copy():
    pixels = np.array([[1, 1, 1], [2, 2, 2]])
    pixels[0], pixels[1] = pixels[1], pixels[0]
    assert pixels.tolist() == [[2, 2, 2], [2, 2, 2]]


def test_smoothing_by_cosines_is_scipy_s_gaussian_even_beyond_the_image():
    field = np.random.default_rng(0).random((24, 37)).astype(np.float32)
    for sigma in (0.7, 3.0, 40.0):
        expected = gaussian_filter(field.astype(float), sigma, mode="reflect", truncate=3)
        np.testing.assert_allclose(smooth(field, sigma), expected, atol=1e-5)
    np.testing.assert_allclose(smooth(field, 0.0), field, atol=1e-6)


def test_a_plasma_wraps_fills_its_range_and_is_rougher_with_less_decay():
    rough, calm = (plasma(100, decay, np.random.default_rng(0)) for decay in (1.4, 3))
    assert rough.shape == (128, 128)
    assert (rough.min(), rough.max()) == (0, 1)
    steps = [np.abs(np.diff(heights, axis=0)).mean() / heights.std() for heights in (rough, calm)]
    assert steps[0] > 2 * steps[1]


def test_fog_never_makes_an_image_brighter_than_its_brightest_value():
    image = texture(64) / 512
    assert fog(image, 5, np.random.default_rng(0)).max() <= image.max() + 1e-6


def test_frost_has_the_colour_contrast_and_spectrum_of_the_photographs():
    sheet = frost_sheet(3).astype(float)
    np.testing.assert_allclose(sheet.mean(axis=(0, 1)), [137.6, 152.8, 165.2], atol=1)
    grey = sheet.mean(axis=2)
    assert grey.std() == pytest.approx(28.9, rel=0.03)
    power = np.abs(np.fft.fft2(grey - grey.mean())) ** 2
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(512), np.fft.fftfreq(512)))
    bands = [0.01, 0.03, 0.1, 0.3]
    means = [power[(radius >= f) & (radius < 1.5 * f)].mean() for f in bands]
    assert np.polyfit(np.log(bands), np.log(means), 1)[0] == pytest.approx(-1.9, abs=0.1)


def test_edges_are_the_rim_of_a_square_one_pixel_thin():
    grey = np.zeros((20, 20), np.float32)
    grey[5:15, 5:15] = 200
    found = edges(grey)
    assert found[10].sum() == 2
    assert not found[8:12, 8:12].any()
    assert not edges(np.full((8, 8), 90.0)).any()


def test_equalising_spreads_the_levels_over_the_bytes():
    levels = np.array([[10, 10, 20, 30]], np.uint8)
    # Beyond the first level's two pixels, one of two and two of two: 127.5 and 255.
    assert equalised(levels).tolist() == [[0, 0, 128, 255]]
    assert equalised(np.full((2, 2), 7, np.uint8)).tolist() == [[7, 7], [7, 7]]


def test_the_published_disk_is_whole_pixels_with_a_softened_rim():
    assert np.count_nonzero(soft_disk(3, 0.1) > 1e-6) == 29  # lattice points within radius 3
    soft = soft_disk(0.5, 0.6)
    # A single pixel under three taps: exp(-1 / 0.72) beside 1.
    side = np.exp(-1 / 0.72)
    middle = (1 / (1 + 2 * side)) ** 2
    assert soft[len(soft) // 2, len(soft) // 2] == pytest.approx(middle)


def test_a_wide_defocus_by_fft_is_the_direct_convolution():
    from scipy.ndimage import convolve

    image = texture(224)
    direct = convolve(image / 255, soft_disk(10, 0.5)[:, :, None], mode="mirror")
    found = corrupt_image(image, "defocus_blur/5").astype(int)
    assert np.abs(found - np.floor(direct * 255)).max() <= 1


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
