"""ImageNet's size through the k-NN and the linear grid: time and peak memory, bounded by 8 GB.

    python benchmarks/imagenet_sized.py [--images 1281167] [--seconds 60]

Synthetic features, float16, memory-mapped from a temporary file that is removed (1.28 million
x 2,048: 5.2 GB). Each part runs in a process of its own, so that its peak is its own:

- k-NN: every training image is read and searched for 64 test images; what a further test
  image costs is measured on a part, and 50,000 are extrapolated from both.
- linear grid: steps of the global batch over the shuffled file, for the time asked for; an
  epoch is extrapolated from them. The peak then comes from reading the whole file in order,
  as scoring does: with every page of it resident.

The peak is the kernel's (ru_maxrss): it counts the mapped file's pages that are resident, which
can be dropped at any time, so what the program itself holds is printed too (RssAnon).
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

DIM, CLASSES, TEST, BATCH = 2048, 1000, 50_000, 1024
GRID = 3  # heads
LIMIT = 8e9


def mapped(path, images):
    return np.memmap(path, np.float16, "r", shape=(images, DIM))


def write(path, images):
    rng = np.random.default_rng(0)
    block = rng.standard_normal((20_000, DIM), dtype=np.float32)
    with path.open("wb") as file:
        for first in range(0, images, len(block)):
            count = min(len(block), images - first)
            # Shifted copies: a million rows that differ, without the hour that drawing takes.
            file.write(np.roll(block[:count], first // 20_000, axis=1).astype(np.float16).data)


def own_bytes():
    lines = Path("/proc/self/status").read_text().splitlines()
    [line] = [line for line in lines if line.startswith("RssAnon")]
    return 1024 * int(line.split()[1])


def report(name, text):
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    verdict = "within" if peak < LIMIT else "ABOVE"
    print(f"{name}: {text}")
    print(f"{name}: peak {peak / 1e9:.2f} GB, of it the program's own at the end "
          f"{own_bytes() / 1e9:.2f} GB: {verdict} 8 GB", flush=True)  # fmt: skip


def neighbours(path, images, _):
    from relicheck.evaluations.neighbours import nearest, votes

    train, labels = mapped(path, images), np.arange(images) % CLASSES
    rng = np.random.default_rng(1)
    test = rng.standard_normal((TEST, DIM), dtype=np.float32)
    few, more, part = 64, 1024, 65_536
    started = time.perf_counter()
    found = nearest(train, test[:few], 200)
    whole = time.perf_counter() - started
    votes(found, labels, CLASSES, 20, "weighted", 0.07)
    spent = []
    for count in (few, more):
        started = time.perf_counter()
        nearest(train[:part], test[:count], 200)
        spent.append(time.perf_counter() - started)
    # Reading and normalising cost the same for any number of test images; the rest is theirs.
    each = (spent[1] - spent[0]) / (more - few) * images / min(part, images)
    # The peak of the whole: all test images, a short training set, results of every one.
    nearest(train[:4096], test, 200)
    report("k-NN", f"{images} x {DIM} searched for {few} images, k 200, in {whole:.1f} s; "
           f"extrapolated to {TEST}: {(whole + each * (TEST - few)) / 3600:.2f} h")  # fmt: skip


def linear(path, images, seconds):
    import torch

    from relicheck.evaluations.heads import Heads, Point

    train, labels = mapped(path, images), np.arange(images) % CLASSES
    grid = [Point(learning_rate=rate, weight_decay=0.0) for rate in (3.0, 1.0, 0.3)[:GRID]]
    heads = Heads(grid, DIM, CLASSES, momentum=0.9)
    order = np.random.default_rng(0).permutation(images)
    started, steps = time.perf_counter(), 0
    while time.perf_counter() - started < seconds and (steps + 1) * BATCH <= images:
        rows = np.sort(order[steps * BATCH : (steps + 1) * BATCH])
        features = torch.from_numpy(np.asarray(train[rows], dtype=np.float32))
        truth = torch.from_numpy(labels[rows])
        heads.step(heads.gradient(features, truth, BATCH), 1.0, True)
        steps += 1
    spent = time.perf_counter() - started
    epoch = spent * images / (steps * BATCH)
    # Every page resident, as after a whole epoch.
    for first in range(0, images, 8192):
        np.count_nonzero(train[first : first + 8192])
    report("linear", f"{GRID} heads of {CLASSES} classes, {steps} steps of {BATCH} in "
           f"{spent:.1f} s; extrapolated to an epoch of {images}: {epoch / 60:.1f} min, "
           f"{epoch / 60 / GRID:.1f} a head")  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=1_281_167)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.float16"
        write(path, options.images)
        print(f"{path.stat().st_size / 1e9:.2f} GB of features", flush=True)
        for part in (neighbours, linear):
            process = context.Process(target=part, args=(path, options.images, options.seconds))
            process.start()
            process.join()
            assert process.exitcode == 0, part.__name__


if __name__ == "__main__":
    main()
