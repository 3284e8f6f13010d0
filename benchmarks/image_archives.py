"""Reading images from folders, tars in place, shards and Parquet: opening, in order, at random.

Writes the same JPEG files (noise under a blur, 160 x 120, about 7 kB) in each layout, then opens
and reads each. Reading is measured in turns, best of three, from the page cache, decoding left
out: it is the same for all. What a layout costs in files on disk is printed with it.

    python benchmarks/image_archives.py --images 20000
"""

import argparse
import io
import os
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from relicheck.evaluations.class_tars import read_class_tar
from relicheck.evaluations.folders import read_classes
from relicheck.evaluations.parquet import read_parquet
from relicheck.evaluations.webdataset import read_shards

CLASSES = [f"n{number:08d}" for number in range(100)]


def jpeg(seed):
    pixels = np.random.default_rng(seed).integers(0, 256, size=(120, 160, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(1)).save(stream, "JPEG", quality=85)
    return stream.getvalue()


def add(tar, name, content):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def write(root, images):
    import pyarrow as pa
    import pyarrow.parquet as pq

    contents = [jpeg(seed) for seed in range(200)]
    rows = [(i * len(CLASSES) // images, contents[i % 200]) for i in range(images)]
    with tarfile.open(root / "set.tar", "w") as whole, tarfile.open(root / "val-0.tar", "w") as wds:
        for number, (label, content) in enumerate(rows):
            folder = root / "folders" / CLASSES[label]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{number:07d}.JPEG").write_bytes(content)
            add(whole, f"set/{CLASSES[label]}/{number:07d}.JPEG", content)
            add(wds, f"{number:07d}.jpg", content)
            add(wds, f"{number:07d}.cls", b"%d" % label)
    table = pa.table({"image": [{"bytes": c, "path": ""} for _, c in rows],
                      "label": [label for label, _ in rows]})  # fmt: skip
    pq.write_table(table, root / "val.parquet", row_group_size=100)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=20_000)
    images = parser.parse_args().images
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        os.environ["RELICHECK_CACHE"] = str(root / "cache")
        write(root, images)
        rest = {"name": "x", "split": "val"}
        named = {**rest, "class_names": tuple(CLASSES)}
        layouts = {
            "class folders": lambda: read_classes(root / "folders", classes=CLASSES, **rest),
            "tar in place": lambda: read_class_tar(root / "set.tar", classes=CLASSES, **rest),
            "WebDataset": lambda: read_shards([root / "val-0.tar"], **named),
            "Parquet": lambda: read_parquet([root / "val.parquet"], **named),
        }
        files = {"class folders": images, "tar in place": 1, "WebDataset": 1, "Parquet": 1}
        opened, sources = {}, {}
        for name, open_layout in layouts.items():
            begin = time.perf_counter()
            sources[name] = open_layout()
            opened[name] = time.perf_counter() - begin
        in_order = range(0, images, max(1, images // 4000))
        at_random = np.random.default_rng(0).permutation(images)[:1000]
        print(f"{images:,} images of {os.cpu_count()} cores' machine; best of three, microseconds")
        print(f"{'layout':<14} {'files':>7} {'open, s':>8} {'in order':>9} {'at random':>10}")
        best = {}
        for _ in range(3):
            for name, source in sources.items():
                for way, indices in (("in order", in_order), ("at random", at_random)):
                    begin = time.perf_counter()
                    for index in indices:
                        source.encoded.read(int(index))
                    spent = 1e6 * (time.perf_counter() - begin) / len(indices)
                    best[name, way] = min(best.get((name, way), spent), spent)
        for name in layouts:
            print(
                f"{name:<14} {files[name]:>7,} {opened[name]:>8.2f} "
                f"{best[name, 'in order']:>9.1f} {best[name, 'at random']:>10.1f}"
            )


if __name__ == "__main__":
    main()
