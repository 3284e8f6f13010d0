import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relicheck.checkpoints.errors import BadData
from relicheck.evaluations.images import decode, is_image, read_image


def encoded(image, kind="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def gradient(mode="RGB"):
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[..., 0] = np.arange(6) * 40
    return Image.fromarray(pixels).convert(mode)


def test_grey_becomes_three_equal_channels():
    pixels = decode(encoded(gradient("L")), "x.png")
    assert pixels.shape == (4, 6, 3)
    assert (pixels[..., 0] == pixels[..., 2]).all()


@pytest.mark.parametrize("mode", ["1", "P", "RGBA", "LA"])
def test_other_modes_become_rgb(mode):
    pixels = decode(encoded(gradient(mode)), "x.png")
    assert (pixels.shape, pixels.dtype) == ((4, 6, 3), np.uint8)


def test_cmyk_jpeg_becomes_rgb():
    red = Image.new("RGB", (8, 8), (255, 0, 0)).convert("CMYK")
    pixels = decode(encoded(red, "JPEG"), "x.jpg")
    assert pixels[4, 4, 0] > 200
    assert pixels[4, 4, 1] < 60


def test_a_palette_with_transparency_becomes_rgb():
    pixels = decode(encoded(gradient("P"), transparency=b"\x00\x80"), "x.png")
    assert pixels.shape == (4, 6, 3)


def test_sixteen_bit_grey_keeps_its_upper_byte():
    deep = Image.fromarray(np.array([[0, 0x1234], [0x8000, 0xFFFF]], np.uint16))
    # PIL's own conversion clips at 255 and returns white.
    assert decode(encoded(deep), "x.png")[..., 0].tolist() == [[0x00, 0x12], [0x80, 0xFF]]


def test_exif_rotation_is_followed_for_own_folders_and_not_for_published_sets():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    content = encoded(gradient(), "JPEG", exif=exif)
    assert decode(content, "x.jpg").shape == (4, 6, 3)
    assert decode(content, "x.jpg", upright=True).shape == (6, 4, 3)


@pytest.mark.parametrize("name", ["a.JPEG", "a.Png", "a.webp"])
def test_suffixes_count_in_either_case(name):
    assert is_image(Path(name))


@pytest.mark.parametrize("name", ["a.txt", ".DS_Store", "._a.jpg", "Thumbs.db"])
def test_other_files_are_not_images(name):
    assert not is_image(Path(name))


def test_an_empty_file_is_named(tmp_path):
    (tmp_path / "empty.png").touch()
    with pytest.raises(BadData, match=r"empty\.png: the file is empty"):
        read_image(tmp_path / "empty.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_a_truncated_file_is_named(kind, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, size=(64, 64, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    path = tmp_path / f"cut.{kind.lower()}"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(BadData, match=r"cut\.\w+: cannot be read as an image"):
        read_image(path)


def test_text_in_an_image_s_clothes_is_named(tmp_path):
    (tmp_path / "page.jpg").write_text("<html>404</html>")
    with pytest.raises(BadData, match=r"page\.jpg: cannot be read as an image"):
        read_image(tmp_path / "page.jpg")
