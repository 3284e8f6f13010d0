"""Exact k-NN over faiss's flat index on the same cores: time as a ratio, neighbours compared.

    pip install faiss-cpu
    python benchmarks/nearest_neighbours.py [--threads 1]

Both get float32 features in memory and find the nearest by cosine, in turn in this process,
alternating who goes first. The ratio is ours over faiss's: below 1 is faster. Times are the
process's own seconds of processor, which others on the machine do not lengthen. Both bring
a copy of the features to unit length (faiss by its normalize_L2); faiss's time includes
building the index, which copies them once more.
"""

import argparse
import statistics
import time

import faiss
import numpy as np
from threadpoolctl import threadpool_limits

from relicheck.evaluations.neighbours import nearest

SIZES = (
    (30_000, 1_000, 2048, 200),
    (100_000, 1_000, 2048, 20),
    (50_000, 2_000, 512, 20),
    (50_000, 4_000, 64, 20),
)
REPEATS = 3


def seconds(function, *arguments):
    started = time.process_time()
    result = function(*arguments)
    return time.process_time() - started, result


def search(train, test, k):
    train, test = train.copy(), test.copy()
    faiss.normalize_L2(train)
    faiss.normalize_L2(test)
    index = faiss.IndexFlatIP(train.shape[1])
    index.add(train)
    return index.search(test, k)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    faiss.omp_set_num_threads(threads)
    print(f"{threads} thread(s), faiss {faiss.__version__}, medians of {REPEATS} pairs")
    for images, queries, dim, k in SIZES:
        rng = np.random.default_rng(0)
        train = rng.standard_normal((images, dim), dtype=np.float32) + 0.5
        test = rng.standard_normal((queries, dim), dtype=np.float32) + 0.5
        pairs = []
        with threadpool_limits(threads):
            for turn in range(REPEATS):
                if turn % 2:
                    theirs, (_, index) = seconds(search, train, test, k)
                ours, found = seconds(nearest, train, test, k)
                if not turn % 2:
                    theirs, (_, index) = seconds(search, train, test, k)
                pairs.append((ours, theirs))
        same = float(np.mean(np.sort(found.index, axis=1) == np.sort(index, axis=1)))
        print(
            f"{images} x {dim}, {queries} queries, k {k}: ours "
            f"{statistics.median(o for o, _ in pairs):.2f} s, faiss "
            f"{statistics.median(t for _, t in pairs):.2f} s, ratio "
            f"{statistics.median(o / t for o, t in pairs):.3f} "
            f"({min(o / t for o, t in pairs):.3f}-{max(o / t for o, t in pairs):.3f}); "
            f"neighbours equal {100 * same:.3f} %"
        )


if __name__ == "__main__":
    main()
