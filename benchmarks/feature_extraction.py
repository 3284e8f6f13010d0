"""How much of feature extraction is the network, and what a second evaluator costs.

    RELICHECK_DATA=data python benchmarks/feature_extraction.py
    python benchmarks/feature_extraction.py --jpegs photographs.tar --networks resnet50

Extraction reads JPEG files from memory, decodes, resizes, crops, normalises and runs the
network; the bare forward pass runs the same network, in the same arithmetic and batches, on
tensors that are in memory already. Both take turns in this process; what counts is the
median of the paired ratios, 1.0 where decoding is free. `cores` is the ratio of the seconds
that all cores worked: what overlapping leaves where no core would have been idle, and what
holds on a busy machine. `proof`, the hashes of the weights before and after, costs the
same whatever the number of images and is left out of the ratios.

The JPEGs are those of a tar: under $RELICHECK_DATA, imagenet-samples (shorter side 128 px)
and camvid (480 x 360 px, the size of a usual ImageNet photograph). Weights are random: they
change no time. CIFAR images are arrays in memory.

The cost of a second evaluator is that of its features: from the cache, by a new subject
whose shards are verified anew, over the first's.
"""

import argparse
import os
import tarfile
import tempfile
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from relicheck.checkpoints.manifest import Manifest
from relicheck.checkpoints.resnet import ResNet
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec
from relicheck.evaluations import feature_entry
from relicheck.evaluations.arithmetic import arithmetic
from relicheck.evaluations.features import extract, state_hash
from relicheck.evaluations.images import decode
from relicheck.evaluations.prefetch import default_workers
from relicheck.evaluations.preprocess import batch_images, normalise
from relicheck.evaluations.provenance import device, device_name
from relicheck.evaluations.sources import Images, from_arrays
from relicheck.evaluations.subject import Subject, open_model
from relicheck.evaluations.view import View

PHOTOGRAPH = Preprocessing(image_size=224, resize=256)
CIFAR = Preprocessing(image_size=32)
NETWORKS = {
    "resnet18": (ResNetSpec(depth=18), PHOTOGRAPH),
    "resnet50": (ResNetSpec(depth=50), PHOTOGRAPH),
    "resnet20": (ResNetSpec(depth=20, stem="cifar", shortcut="parameter_free"), CIFAR),
}
TARS = ("imagenet-samples/imagenet-1000x1-128.tar.gz", "camvid/camvid.tar.gz")


def jpegs(archive, images):
    """A source over the first JPEG files of a tar, kept encoded in memory."""
    with tarfile.open(archive) as tar:
        named = (m for m in tar if m.name.lower().endswith((".jpg", ".jpeg")))
        contents = [tar.extractfile(member).read() for member in islice(named, images)]
    where = Path(archive).parent.name
    return Images(
        name=where,
        split="test",
        labels=np.zeros(len(contents), np.int64),
        identities=[str(index) for index in range(len(contents))],
        class_names=("any",),
        read=lambda index: decode(contents[index], f"{where}, {index}"),
        digest=lambda: f"sha256:{where}",
    )


def arrays(images):
    pixels = np.random.default_rng(0).integers(0, 256, (images, 32, 32, 3), dtype=np.uint8)
    labels = np.zeros(images, np.int64)
    return from_arrays(pixels, name="arrays", split="test", labels=labels, class_names=("any",))


def seconds(function):
    """Seconds of the wall's clock, and of all cores together."""
    started, worked = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - started, time.process_time() - worked


def compare(spec, preprocessing, source, repeats, workers):
    """Print images per second of extraction and of the bare forward pass, and their ratio."""
    network = ResNet(spec).eval().to(device()).to(memory_format=torch.channels_last)
    view = View(preprocessing=preprocessing)
    size = batch_images(preprocessing)
    side = preprocessing.image_size
    batch = np.random.default_rng(0).integers(0, 256, (size, side, side, 3), dtype=np.uint8)
    inputs = normalise(batch, preprocessing, device())

    def forward():
        with arithmetic("float32"):
            done = [
                network.features(inputs[: min(size, len(source) - begin)])
                for begin in range(0, len(source), size)
            ]
            torch.cat(done).cpu()

    def extraction():
        extract(network, source, [view], workers=workers)

    def proof():
        state_hash(network)
        state_hash(network)

    runs = [[seconds(f) for f in (extraction, forward, proof)] for _ in range(repeats + 1)][1:]
    # [repeats, (extraction, forward, proof), (wall, cores)]
    whole, bare, hashing = np.moveaxis(np.array(runs), 1, 0)
    ratio, cores = (bare / (whole - hashing)).T
    print(
        f"{spec.name:<14} {side:>4} px  {source.name:<17} "
        f"{len(source) / np.median(whole - hashing, axis=0)[0]:9.1f} "
        f"{len(source) / np.median(bare, axis=0)[0]:9.1f}  {np.median(ratio):6.3f} "
        f"({ratio.min():.3f}-{ratio.max():.3f})  {np.median(cores):6.3f}  "
        f"{np.median(hashing, axis=0)[0]:6.2f} s",
        flush=True,
    )


def second_evaluator(spec, preprocessing, source):
    """Print the time of the features for a first evaluator, and for a second."""
    network = ResNet(spec).eval()
    network.manifest = Manifest(
        spec=spec, preprocessing=preprocessing, method="random", source="", licence="Apache-2.0"
    )
    with tempfile.TemporaryDirectory() as cache:

        def features():
            feature_entry._verified.clear()  # as in a process of its own
            subject = Subject(model=open_model(network), data="benchmark", cache=Path(cache))
            subject._images["test"] = replace(source)
            np.asarray(subject.features("test")[0]).sum()

        first, second = seconds(features)[0], seconds(features)[0]
    print(
        f"{spec.name:<14} {preprocessing.image_size:>4} px  {source.name:<17} first {first:.2f} s, "
        f"second {second:.3f} s: {100 * second / first:.2f} %",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--jpegs", nargs="*", type=Path, help="tars of JPEG files")
    parser.add_argument("--images", type=int, default=96)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, help="threads that decode")
    parser.add_argument("--threads", type=int, help="threads of the network")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    root = Path(os.environ.get("RELICHECK_DATA", "data"))
    tars = arguments.jpegs or [root / tar for tar in TARS]
    photographs = [jpegs(tar, arguments.images) for tar in tars]
    workers = arguments.workers or default_workers()
    print(f"{device_name()}, {torch.get_num_threads()} threads, {workers} decoding")
    columns = f"{'network':<24}{'images':<17} extract/s forward/s"
    print(f"{columns}   ratio {'cores':>20}   proof")
    for name in arguments.networks:
        spec, preprocessing = NETWORKS[name]
        small = preprocessing is CIFAR
        for source in [arrays(20 * arguments.images)] if small else photographs:
            compare(spec, preprocessing, source, arguments.repeats, arguments.workers)
    for name in arguments.networks:
        spec, preprocessing = NETWORKS[name]
        small = preprocessing is CIFAR
        second_evaluator(
            spec, preprocessing, arrays(20 * arguments.images) if small else photographs[0]
        )


if __name__ == "__main__":
    main()
