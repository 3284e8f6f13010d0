"""Converting BYOL's files at their true size: peak memory and time over reading the file.

Makes a file as byol/utils/checkpointing.py writes it (protocol 2, a named tuple of online
and target parameters and the optimiser's momentum; random values), then converts it and
reads it in turn, each in a process of its own:

    python benchmarks/conversion.py --depth 50            # about 0.6 GB
    python benchmarks/conversion.py --depth 200 --width 2 # about 5 GB of disk, 1 GB of memory

Reading is done with the file in the page cache (warm) and after it was dropped from it
(cold, which depends on the disk); by SHA-256, which every conversion computes of the whole
file; and by pickle.load, which is how the file is read otherwise (safe here: this script
wrote it). Times are of the work itself, without the interpreter's start and imports, except
`process_s`, which is the whole of `relicheck convert`. Peaks are of whole processes.
"""

import argparse
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from relicheck.checkpoints.parameters import parameter_shapes
from relicheck.checkpoints.spec import ResNetSpec

# The head sizes of byol/configs/byol.py.
PROJECTOR, EMBEDDING, CLASSES = 4096, 256, 1000
PYCACHE = Path(tempfile.gettempdir()) / "relicheck-benchmark-pycache"


class Later:
    """An array of random numbers that exists only while it is pickled."""

    def __init__(self, *shape):
        self.shape = shape

    def __reduce__(self):
        values = np.random.default_rng(0).standard_normal(self.shape, np.float32)
        return (0.02 * values + 0.5 * (len(self.shape) == 1)).__reduce__()


def haiku_names(name):
    """`layer2.0.conv1.weight` -> (module, leaf, is a statistic)."""
    module, _, leaf = name.rpartition(".")
    parts = module.split(".")
    if parts[0].startswith("layer"):
        group, block = int(parts[0][5:]) - 1, parts[1]
        inner = {"downsample.0": "shortcut_conv", "downsample.1": "shortcut_batchnorm"}.get(
            ".".join(parts[2:]), ""
        ) or parts[2].replace("bn", "batchnorm_").replace("conv", "conv_")
        if inner[-1].isdigit():
            inner = f"{inner[:-1]}{int(inner[-1]) - 1}"
        module = f"block_group_{group}/~/block_{block}/~/{inner}"
    else:
        module = {"conv1": "initial_conv", "bn1": "initial_batchnorm"}[module]
    moment = {"running_mean": "mean_ema", "running_var": "var_ema"}.get(leaf)
    if moment:
        return f"res_net/~/{module}/~/{moment}", "average", True
    leaf = "w" if "conv" in module else {"weight": "scale", "bias": "offset"}[leaf]
    return f"res_net/~/{module}", leaf, False


def trees(spec):
    params, state = {}, {}
    for name, shape in parameter_shapes(spec).items():
        module, leaf, statistic = haiku_names(name)
        shape = tuple(shape[axis] for axis in (2, 3, 1, 0)) if len(shape) == 4 else shape
        (state if statistic else params).setdefault(module, {})[leaf] = Later(*shape)
    dims = {"projector": spec.feature_dim, "predictor": EMBEDDING}
    for head, dim in dims.items():
        params[f"{head}/~/linear"] = {"w": Later(dim, PROJECTOR), "b": Later(PROJECTOR)}
        params[f"{head}/~/linear_1"] = {"w": Later(PROJECTOR, EMBEDDING)}
    params["classifier"] = {"w": Later(spec.feature_dim, CLASSES), "b": Later(CLASSES)}
    return params, state


def make(path, spec):
    (online, online_state), (target, target_state), (momentum, _) = (trees(spec) for _ in range(3))
    experiment = {
        "online_params": online,
        "target_params": target,
        "online_state": online_state,
        "target_state": target_state,
        "opt_state": {"momentum": momentum},
    }
    with path.open("wb") as stream:
        pickler = pickle.Pickler(stream, protocol=2)
        pickler.fast = True  # no memo, so that no array outlives its turn
        pickler.dump({"experiment_state": experiment, "step": 1, "rng": [0, 0]})


READ = """
import sys, time
start = time.perf_counter()
with open(sys.argv[1], "rb", buffering=0) as stream:
    buffer = bytearray(1 << 20)
    while stream.readinto(buffer): pass
print(time.perf_counter() - start)
"""
HASH = """
import hashlib, sys, time
start = time.perf_counter()
with open(sys.argv[1], "rb") as stream:
    hashlib.file_digest(stream, "sha256")
print(time.perf_counter() - start)
"""
UNPICKLE = """
import pickle, sys, time, numpy
start = time.perf_counter()
with open(sys.argv[1], "rb") as stream:
    pickle.load(stream)
print(time.perf_counter() - start)
"""
CONVERT = """
import sys, time
from relicheck.checkpoints.convert import convert
start = time.perf_counter()
convert(sys.argv[1], sys.argv[2], "haiku")
print(time.perf_counter() - start)
"""
# Without what a process pays once, whatever it converts: importing torch and PIL.
CONVERT_LOADED = "import torch, PIL.Image" + CONVERT


def run(code, *arguments):
    """(seconds of the work, seconds of the process, its peak resident bytes)."""
    # As pip installs a package, with its modules compiled: not compiled again by every run.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(PYCACHE)
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"ended with {status}")
    return float(said), time.perf_counter() - start, usage.ru_maxrss * 1024


def drop_from_cache(path):
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depth", type=int, default=50)
    parser.add_argument("--width", type=float, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the file is made")
    options = parser.parse_args()
    spec = ResNetSpec(depth=options.depth, width_multiplier=options.width, padding="same")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path, output = Path(folder) / "byol.pkl", Path(folder) / "out.safetensors"
        make(path, spec)
        kept = sum(4 * int(np.prod(s)) for s in parameter_shapes(spec, CLASSES).values())
        rows = []
        run(CONVERT, path, output)  # compiles the modules
        for _ in range(options.runs):
            row = {"read_warm_s": run(READ, path)[0], "hash_s": run(HASH, path)[0]}
            row["convert_warm_s"] = run(CONVERT_LOADED, path, output)[0]
            _, row["process_s"], row["peak_MB"] = run(CONVERT, path, output)
            drop_from_cache(path)
            row["read_cold_s"] = run(READ, path)[0]
            drop_from_cache(path)
            row["convert_cold_s"] = run(CONVERT_LOADED, path, output)[0]
            row["unpickle_s"], _, row["unpickle_peak_MB"] = run(UNPICKLE, path)
            rows.append(row)
        report = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
        limit = 1.5 * kept + 300e6
        ratios = {
            "peak_over_limit": report["peak_MB"] / limit,
            "speed_over_reading_cold": report["read_cold_s"] / report["convert_cold_s"],
            "speed_over_reading_warm": report["read_warm_s"] / report["convert_warm_s"],
            "speed_over_hashing": report["hash_s"] / report["convert_warm_s"],
            "speed_over_unpickling": report["unpickle_s"] / report["convert_warm_s"],
        }
        scale = {name: 1e6 if name.endswith("_MB") else 1 for name in report}
        report = {name: round(value / scale[name], 3) for name, value in report.items()}
        size = {"file_MB": round(path.stat().st_size / 1e6), "kept_MB": round(kept / 1e6)}
        ratios = {name: round(value, 3) for name, value in ratios.items()}
        print(json.dumps({"network": spec.name, **size, **report, **ratios}, indent=1))


if __name__ == "__main__":
    main()
