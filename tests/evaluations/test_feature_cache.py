"""Features on disk: found again, made again where damaged, shared, resumed, bounded."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from relicheck.checkpoints.errors import BadData, MissingData, UsageError
from relicheck.evaluations import feature_cache, feature_entry, shelf
from relicheck.evaluations.feature_cache import FeatureCache, cached_paths, entry_folders
from relicheck.evaluations.file_lock import FileLock
from relicheck.evaluations.subject import Subject, open_model


def subject(network, data, cache, **fields):
    return Subject(model=open_model(network), data=data, cache=cache, **fields)


@pytest.fixture
def small_shards(monkeypatch):
    """Shards of four rows: nine test images are three of them."""
    for module in (shelf, feature_entry, feature_cache):
        monkeypatch.setattr(module, "SHARD_ROWS", 4)


@pytest.fixture
def forget_verified(monkeypatch):
    """As in a new process: no shard has been verified yet."""
    monkeypatch.setattr(feature_entry, "_verified", set())


def fail(*_, **__):
    raise AssertionError("the network was run again")


def test_cached_features_are_reused(network, image_folder, tmp_path, monkeypatch):
    first, _ = subject(network, image_folder, tmp_path / "c").features("test")
    monkeypatch.setattr(type(network), "features", fail)
    again = subject(network, image_folder, tmp_path / "c")
    np.testing.assert_array_equal(again.features("test")[0], first)
    assert again.used_cache()


def test_cached_features_are_those_made_in_memory(network, image_folder, tmp_path, small_shards):
    cached, _ = subject(network, image_folder, tmp_path / "c").features("train")
    made, _ = subject(network, image_folder, None).features("train")
    np.testing.assert_array_equal(cached, made)


def test_features_are_a_read_only_memory_map_of_float32(network, image_folder, tmp_path):
    found, labels = subject(network, image_folder, tmp_path / "c").features("test")
    assert isinstance(found, np.memmap)
    assert (found.dtype, labels.dtype) == (np.float32, np.int64)
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 0


def test_other_weights_images_views_or_precision_are_not_found_in_the_cache(
    network, image_folder, tmp_path
):
    cache = tmp_path / "c"
    subject(network, image_folder, cache).features("test")
    clean = subject(network, image_folder, cache).default_view("test")
    for view in (
        replace(clean, border_px=1, preprocessing=replace(clean.preprocessing, image_size=14)),
        replace(clean, corruption="contrast/1"),
        replace(clean, preprocessing=replace(clean.preprocessing, mean=(0.5, 0.5, 0.5))),
    ):
        subject(network, image_folder, cache).features("test", view)
    subject(network, image_folder, cache, precision="bfloat16").features("test")
    (image_folder / "test" / "cat" / "000.png").unlink()
    subject(network, image_folder, cache).features("test")
    with torch.no_grad():
        network.conv1.weight += 1
    subject(network, image_folder, cache).features("test")
    assert len(entry_folders(cache)) == 7


@pytest.mark.parametrize("damage", ["truncate", "flip", "marker", "about", "labels", "grown"])
def test_what_is_damaged_is_made_again_with_a_message(
    network, image_folder, tmp_path, caplog, small_shards, forget_verified, monkeypatch, damage
):
    cache = tmp_path / "c"
    first, labels = subject(network, image_folder, cache).features("test")
    first = np.array(first)
    [entry] = entry_folders(cache)
    features = entry / "features.f32"
    content = bytearray(features.read_bytes())
    content[-5] ^= 0x40
    if damage in ("truncate", "flip", "grown"):
        changed = {"truncate": content[:-20], "flip": content, "grown": content + b"more"}
        features.write_bytes(changed[damage])
    else:
        name = {"marker": "00001.json", "about": "about.json", "labels": "labels.npy"}[damage]
        (entry / name).write_bytes(b"oops")
    monkeypatch.setattr(feature_entry, "_verified", set())

    again = subject(network, image_folder, cache)
    np.testing.assert_array_equal(again.features("test")[0], first)
    np.testing.assert_array_equal(again.features("test")[1], labels)
    # The labels come with the images that are here: no feature has to be made again.
    assert again.used_cache() == (damage == "labels")
    assert ("cached features cannot be used" in caplog.text) == (damage != "labels")
    image_folder.rename(tmp_path / "elsewhere")
    alone = subject(network, image_folder, cache)
    np.testing.assert_array_equal(alone.features("test")[0], first)
    np.testing.assert_array_equal(alone.features("test")[1], labels)


@pytest.mark.parametrize("name", ["labels.npy", "identities.json", "features.f32", "00000.json"])
def test_what_is_damaged_does_not_stand_in_for_absent_images(
    network, image_folder, tmp_path, forget_verified, monkeypatch, name
):
    subject(network, image_folder, tmp_path / "c").features("test")
    [entry] = entry_folders(tmp_path / "c")
    (entry / name).write_bytes((entry / name).read_bytes()[:-1] + b"?")
    monkeypatch.setattr(feature_entry, "_verified", set())
    image_folder.rename(tmp_path / "elsewhere")
    with pytest.raises(MissingData, match="there is no such folder"):
        subject(network, image_folder, tmp_path / "c").features("test")


def test_only_the_damaged_shard_is_made_again(
    network, image_folder, tmp_path, small_shards, monkeypatch
):
    cache = tmp_path / "c"
    subject(network, image_folder, cache).features("test")
    [entry] = entry_folders(cache)
    before = {path.name: path.stat().st_mtime_ns for path in entry.glob("0*.json")}
    with (entry / "features.f32").open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"?")
    monkeypatch.setattr(feature_entry, "_verified", set())
    subject(network, image_folder, cache).features("test")
    after = {path.name: path.stat().st_mtime_ns for path in entry.glob("0*.json")}
    changed = [name for name in before if before[name] != after[name]]
    assert (sorted(before), changed) == (["00000.json", "00001.json", "00002.json"], ["00002.json"])


def test_cached_features_stand_in_for_absent_images(network, image_folder, tmp_path):
    whole = subject(network, image_folder, tmp_path / "c")
    first, labels = whole.features("test")
    names = list(whole.images("test").identities)
    image_folder.rename(tmp_path / "elsewhere")
    alone = subject(network, image_folder, tmp_path / "c")
    np.testing.assert_array_equal(alone.features("test")[0], first)
    np.testing.assert_array_equal(alone.features("test")[1], labels)
    assert alone.images("test").identities == names
    with pytest.raises(MissingData, match="only cached features are here"):
        alone.images("test")[0]


def test_a_view_that_was_not_cached_needs_the_images(network, image_folder, tmp_path):
    subject(network, image_folder, tmp_path / "c").features("test")
    image_folder.rename(tmp_path / "elsewhere")
    alone = subject(network, image_folder, tmp_path / "c")
    corrupted = replace(alone.default_view("test"), corruption="contrast/1")
    with pytest.raises(MissingData, match="only cached features are here"):
        alone.features("test", corrupted)
    assert len(entry_folders(tmp_path / "c")) == 1  # nothing empty is left


def test_features_of_another_network_do_not_stand_in(network, image_folder, tmp_path):
    subject(network, image_folder, tmp_path / "c").features("test")
    image_folder.rename(tmp_path / "elsewhere")
    with torch.no_grad():
        network.conv1.weight += 1
    with pytest.raises(MissingData, match="there is no such folder"):
        subject(network, image_folder, tmp_path / "c").features("test")


def test_an_unfinished_entry_does_not_stand_in(network, image_folder, tmp_path, small_shards):
    subject(network, image_folder, tmp_path / "c").features("test")
    [entry] = entry_folders(tmp_path / "c")
    (entry / "00001.json").unlink()
    image_folder.rename(tmp_path / "elsewhere")
    with pytest.raises(MissingData, match="there is no such folder"):
        subject(network, image_folder, tmp_path / "c").features("test")


def test_statistics_that_move_leave_nothing_in_the_cache(
    network, image_folder, tmp_path, monkeypatch
):
    plain = type(network).features

    def moving(self, images):
        self.bn1.running_mean += 1
        return plain(self, images)

    monkeypatch.setattr(type(network), "features", moving)
    with pytest.raises(Exception, match="changed during a frozen evaluation"):
        subject(network, image_folder, tmp_path / "c").features("test")
    assert entry_folders(tmp_path / "c") == []


# A process of its own that extracts the features of 60 images in shards of 4, slowly.
WORKER = """
import sys, time
from pathlib import Path
from relicheck.evaluations import feature_cache, feature_entry, shelf
for module in (shelf, feature_entry, feature_cache):
    module.SHARD_ROWS = 4
from relicheck.evaluations.file_lock import FileLock
from relicheck.evaluations.subject import Subject, open_model
checkpoint, data, cache, pause = sys.argv[1:]
model = open_model(checkpoint)
plain = type(model.backbone).features
batches = 0
def slow(self, images):
    global batches
    batches += 1
    time.sleep(float(pause))
    return plain(self, images)
type(model.backbone).features = slow
print("ready", flush=True)
sys.stdin.readline()
subject = Subject(model=model, data=Path(data), cache=Path(cache))
found, labels = subject.features("train")
import hashlib
print(hashlib.sha256(found.tobytes() + labels.tobytes()).hexdigest(), batches, flush=True)
"""


@pytest.fixture
def sixty(tmp_path):
    from .conftest import write_images

    root = tmp_path / "many"
    for name in ("cat", "dog", "emu"):
        write_images(root / "train" / name, 20)
        write_images(root / "test" / name, 1)
    return root


@pytest.fixture
def worker(checkpoint, sixty, tmp_path):
    """A starter of processes that extract: (pause per batch, folder) -> process."""
    started = []

    def start(pause=0.0, cache=tmp_path / "c"):
        arguments = [sys.executable, "-c", WORKER, checkpoint, sixty, cache, str(pause)]
        process = subprocess.Popen(
            [str(a) for a in arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def expected(checkpoint, sixty, small_shards):
    """What a worker prints: the features and labels, made here and in memory."""
    alone = Subject(model=open_model(checkpoint), data=sixty)
    features, labels = alone.features("train")
    return hashlib.sha256(features.tobytes() + labels.tobytes()).hexdigest()


def go(*processes):
    """Let the processes begin once all of them have loaded their network."""
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return processes


def markers(cache):
    return sorted(cache.glob("*/[0-9]*.json"))


def results(process):
    """The hash of the features, and how many batches the process made of them itself."""
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    found, batches = out.split()
    return found, int(batches)


def finish(process):
    return results(process)[0]


def test_a_killed_run_goes_on_at_the_shard_where_it_stopped(worker, expected, tmp_path):
    [killed] = go(worker(pause=0.1))
    deadline = time.monotonic() + 30
    while len(markers(tmp_path / "c")) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    before = {path: path.stat().st_mtime_ns for path in markers(tmp_path / "c")}
    assert 5 <= len(before) < 15

    assert finish(*go(worker())) == expected

    after = {path: path.stat().st_mtime_ns for path in markers(tmp_path / "c")}
    assert len(after) == 15
    assert all(after[path] == time_written for path, time_written in before.items())


def test_two_processes_share_the_work_and_get_the_same_features(worker, expected, tmp_path):
    first, second = go(worker(pause=0.1), worker(pause=0.1))
    (one, ran), (other, ran_too) = results(first), results(second)
    assert one == other == expected
    assert len(entry_folders(tmp_path / "c")) == 1
    # 15 shards in all: none was made twice, and neither process stood by.
    assert ran + ran_too == 15
    assert min(ran, ran_too) > 0


def test_a_process_takes_over_from_one_that_dies(worker, expected):
    dying, living = go(worker(pause=1.0), worker(pause=0.0))
    time.sleep(0.5)
    dying.send_signal(signal.SIGKILL)
    assert finish(living) == expected


def cached(network, folder, cache, count, **fields):
    """Cache `count` views of the test images, 9 x 64 x 4 = 2,304 bytes and a little each."""
    one = subject(network, folder, cache, **fields)
    view = one.default_view("test")
    for level in range(1, count + 1):
        one.features("test", replace(view, corruption=f"contrast/{level}"))


def corruptions(cache):
    about = [json.loads((e / "about.json").read_text()) for e in entry_folders(cache)]
    return sorted(a["facts"]["corruption"] for a in about)


def test_what_was_not_used_for_longest_is_evicted(network, image_folder, tmp_path):
    cache = tmp_path / "c"
    cached(network, image_folder, cache, 3)
    view = subject(network, image_folder, cache).default_view("test")
    # The first is used again, so that the second was not used for longest.
    subject(network, image_folder, cache).features("test", replace(view, corruption="contrast/1"))
    size = sum(f.stat().st_size for e in entry_folders(cache) for f in e.iterdir())
    bounded = subject(network, image_folder, cache, cache_bytes=size)
    bounded.features("test", replace(view, corruption="contrast/4"))
    assert corruptions(cache) == ["contrast/1", "contrast/3", "contrast/4"]


def test_what_is_in_use_is_not_evicted(network, image_folder, tmp_path):
    cache = tmp_path / "c"
    used = subject(network, image_folder, cache)
    held, _ = used.features("test")
    expected = np.array(held)
    cached(network, image_folder, cache, 1)
    FeatureCache(folder=cache, max_bytes=0).trim()
    assert corruptions(cache) == [""]
    np.testing.assert_array_equal(held, expected)
    del held, used
    FeatureCache(folder=cache, max_bytes=0).trim()
    assert cached_paths(cache) == []


def test_features_that_cannot_fit_are_refused_before_the_work(
    network, image_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(type(network), "features", fail)
    with pytest.raises(UsageError, match=r"do not fit.*--cache-size of at least"):
        subject(network, image_folder, tmp_path / "c", cache_bytes=2000).features("test")
    assert entry_folders(tmp_path / "c") == []


def test_files_of_the_earlier_version_are_the_first_to_go(network, image_folder, tmp_path):
    cache = tmp_path / "c"
    cache.mkdir()
    (cache / "digits-test-0123456789abcdef.safetensors").write_bytes(b"x" * 100_000)
    subject(network, image_folder, cache, cache_bytes=50_000).features("test")
    assert [path.suffix for path in cached_paths(cache)] == [""]


def test_reading_and_verifying_takes_the_memory_of_a_shard_and_not_of_the_set(
    noise, tmp_path, forget_verified, monkeypatch
):
    import tracemalloc

    rows, dim = 8 * shelf.SHARD_ROWS, 512  # 32 MiB in shards of 4
    images = replace_rows(noise, rows)
    cache = FeatureCache(folder=tmp_path / "c")
    entry = cache.begin({"dataset": "large", "split": "test"}, images, dim, "none")
    rng = np.random.default_rng(0)
    for shard in entry.missing():
        assert entry.take(shard)
        entry.put(shard, rng.random((shelf.SHARD_ROWS, dim), dtype=np.float32))
    entry.complete()
    entry.close()
    monkeypatch.setattr(feature_entry, "_verified", set())

    tracemalloc.start()
    try:
        found = cache.find({"dataset": "large", "split": "test"})
        assert found.discard_damaged() == []
        mapped = found.features()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert mapped.shape == (rows, dim)
    assert peak < 2 * 4 * shelf.SHARD_ROWS * dim


def replace_rows(source, rows):
    from relicheck.evaluations.sources import from_arrays

    return from_arrays(
        np.zeros((rows, 1, 1, 3), np.uint8), name=source.name, split="test",
        labels=np.zeros(rows, np.int64), class_names=("any",),
    )  # fmt: skip


def test_a_full_disk_is_one_message_that_says_what_to_do(noise, tmp_path, monkeypatch):
    cache = FeatureCache(folder=tmp_path / "c")
    entry = cache.begin({"dataset": "noise", "split": "test"}, noise, 4, "none")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    assert entry.take(0)
    with pytest.raises(BadData, match=r"No space left on device.*relicheck cache lists"):
        entry.put(0, np.zeros((12, 4), np.float32))
    entry.abandon()
    assert entry_folders(tmp_path / "c") == []


def test_a_lock_excludes_another_and_is_shared_by_sharers(tmp_path):
    first, second = FileLock(tmp_path / "x.lock"), FileLock(tmp_path / "x.lock")
    assert first.acquire(shared=True)
    assert second.acquire(shared=True)
    second.release()
    assert not second.acquire(wait=False)
    first.release()
    assert second.acquire(wait=False)


def test_a_lock_whose_file_was_removed_is_taken_on_the_new_file(tmp_path):
    path = tmp_path / "x.lock"
    old, new = FileLock(path), FileLock(path)
    assert old.acquire()
    path.unlink()
    assert new.acquire(wait=False)
    assert path.exists()


def test_what_a_killed_removal_left_is_removed_with_the_next(network, image_folder, tmp_path):
    cache = tmp_path / "c"
    subject(network, image_folder, cache).features("test")
    [entry] = entry_folders(cache)
    entry.rename(cache / ".removed-0123456789abcdef")
    for name in ("in_use.lock", "about.json"):
        (cache / ".removed-0123456789abcdef" / name).unlink()
    assert len(cached_paths(cache)) == 1
    FeatureCache(folder=cache, max_bytes=0).trim()
    assert cached_paths(cache) == []
