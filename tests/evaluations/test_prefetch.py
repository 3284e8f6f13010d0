import threading
import time

import numpy as np
import pytest

from relicheck.checkpoints.errors import BadData
from relicheck.evaluations.features import extract
from relicheck.evaluations.prefetch import Shard, shown_pieces
from relicheck.evaluations.sources import Images
from relicheck.evaluations.view import View

PLAIN = View(preprocessing=None)


def source(read, images=40):
    return Images(
        name="numbers",
        split="test",
        labels=np.zeros(images, np.int64),
        identities=[f"{index}.png" for index in range(images)],
        class_names=("any",),
        read=read,
        digest=lambda: "sha256:numbers",
    )


def pixel(index):
    return np.full((1, 1, 3), index, np.uint8)


def pieces(images, workers, views=(PLAIN,)):
    everything = [Shard(number=0, rows=range(len(images)), which=range(len(views)))]
    return shown_pieces(images, views, everything, workers)


@pytest.mark.parametrize("workers", [1, 3])
def test_images_come_in_order_however_long_each_takes(workers):
    def slow_at_first(index):
        time.sleep(0.02 if index < 8 else 0)
        return pixel(index)

    shown = [piece.squares[0][:, 0, 0, 0] for piece in pieces(source(slow_at_first), workers)]
    np.testing.assert_array_equal(np.concatenate(shown), np.arange(40))


def test_images_are_read_in_other_threads_and_only_a_little_ahead():
    read, threads = [], set()

    def count(index):
        read.append(index)
        threads.add(threading.current_thread())
        return pixel(index)

    ahead = pieces(source(count, images=400), workers=1)
    next(ahead)
    time.sleep(0.1)
    # The piece that was taken and the one thread's three: 8 images each.
    assert len(read) <= 4 * 8
    assert threading.current_thread() not in threads
    ahead.close()


@pytest.mark.parametrize("workers", [1, 3])
def test_the_first_image_that_cannot_be_read_is_the_one_named(workers):
    def broken(index):
        if index == 9:
            time.sleep(0.05)
        if index in (9, 17):
            raise BadData(f"{index}.png", "cannot be read as an image")
        return pixel(index)

    with pytest.raises(BadData, match=r"^9\.png"):
        list(pieces(source(broken), workers))
    assert not [t for t in threading.enumerate() if t.name.startswith("decode")]


def test_features_do_not_depend_on_the_number_of_threads(network, noise):
    view = View(preprocessing=network.manifest.preprocessing, corruption="gaussian_noise/2")
    one, four = (extract(network, noise, [view], workers=n)[0] for n in (1, 4))
    np.testing.assert_array_equal(one, four)
