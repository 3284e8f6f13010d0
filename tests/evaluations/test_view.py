from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from relicheck.checkpoints.errors import BadData, UnknownName, UsageError
from relicheck.checkpoints.spec import Preprocessing
from relicheck.evaluations.corruptions import corrupt_image
from relicheck.evaluations.sources import from_arrays
from relicheck.evaluations.subject import Subject, open_model
from relicheck.evaluations.view import View, show

PLAIN = View(preprocessing=None)
EIGHT = Preprocessing(image_size=8, resize=8)


class Counting:
    """A source that counts how often each image is read."""

    def __init__(self, source):
        self._source, self.reads = source, np.zeros(len(source), int)

    def __getattr__(self, name):
        return getattr(self._source, name)

    def __len__(self):
        return len(self._source)

    def __getitem__(self, index):
        self.reads[index] += 1
        return self._source[index]


@pytest.fixture
def framed():
    """Two images of 20 x 16 pixels with a white frame of two pixels."""
    pixels = np.full((2, 16, 20, 3), 255, np.uint8)
    inside = np.random.default_rng(0).integers(0, 200, size=(2, 12, 16, 3))
    pixels[:, 2:-2, 2:-2] = inside
    return from_arrays(pixels, name="framed", split="test", labels=[0, 1], class_names=("a", "b"))


def test_a_view_cuts_the_border_then_corrupts_then_resizes(framed):
    view = View(preprocessing=EIGHT, border_px=2, corruption="gaussian_noise/3")
    inside = corrupt_image(framed[1][2:-2, 2:-2], "gaussian_noise/3", "1")
    # 16 x 12 inside the frame: the shorter side to 8, the longer to int(8 * 16 / 12) = 10.
    resized = Image.fromarray(inside).resize((10, 8), Image.Resampling.BICUBIC)
    [shown] = show(framed, 1, [view])
    np.testing.assert_array_equal(shown, np.asarray(resized)[:, 1:9])


def test_without_anything_to_do_a_view_shows_the_image_itself(framed):
    [shown] = show(framed, 0, [PLAIN])
    np.testing.assert_array_equal(shown, framed[0])


def test_an_image_that_is_all_border_is_refused(framed):
    with pytest.raises(BadData, match=r"framed, test, image 0: 20 x 16 px.*a larger image"):
        show(framed, 0, [replace(PLAIN, border_px=8)])


@pytest.mark.parametrize(
    ("corruption", "error"), [("gausian_noise/1", UnknownName), ("contrast/6", UsageError)]
)
def test_a_corruption_that_does_not_exist_makes_no_view(corruption, error):
    with pytest.raises(error):
        replace(PLAIN, corruption=corruption)


def test_an_image_is_decoded_once_for_all_the_views_of_a_subject(network, image_folder, tmp_path):
    subject = Subject(model=open_model(network), data=image_folder, cache=tmp_path / "c")
    counting = Counting(subject.images("test"))
    subject._images["test"] = counting
    clean = subject.default_view("test")
    views = [clean, *(replace(clean, corruption=f"contrast/{level}") for level in (1, 2, 3))]

    made = subject.features_of("test", views)

    assert counting.reads.tolist() == [1] * 9
    assert len({features.tobytes() for features in made}) == 4


def test_views_asked_for_together_or_alone_have_the_same_features(network, image_folder, tmp_path):
    def subject():
        return Subject(model=open_model(network), data=image_folder)

    clean = subject().default_view("test")
    views = [replace(clean, corruption=f"gaussian_noise/{level}") for level in (1, 5)]
    together = subject().features_of("test", [clean, *views])
    for view, features in zip([clean, *views], together, strict=True):
        np.testing.assert_array_equal(subject().features("test", view)[0], features)


def test_the_default_view_cuts_the_frame_that_a_data_set_declares(network):
    assert Subject(model=open_model(network), data="objectnet").default_view("test").border_px == 2
    assert Subject(model=open_model(network), data="digits").default_view("test").border_px == 0


def test_raw_pixels_are_shown_by_views_too(framed):
    backbone = open_model("raw_pixels").backbone
    view = replace(PLAIN, border_px=2)
    expected = framed[0][2:-2, 2:-2].reshape(-1) / np.float32(255)
    np.testing.assert_array_equal(backbone.extract(framed, view)[0], expected)
