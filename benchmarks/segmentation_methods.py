"""The five methods' backbones on CamVid, frozen: pretrained here, measured, and written as tables.

    python benchmarks/segmentation_methods.py FOLDER

Pretrains the demo's small network with each method for 300 steps of 64 images of CIFAR-10
(2 to 5 minutes each on two shared cores), measures them and the same network without training
by `segmentation_linear`, and writes segmentation_methods.md and .csv to FOLDER. A killed run
goes on where it stopped. So short a pretraining says how the chain runs, not which method is
better: a seed of pretraining moves each number.
"""

import subprocess
import sys
from pathlib import Path

from relicheck.reports.segmentation_table import measure, table

METHODS = ("simclr", "byol", "relic", "relicv2", "supervised", "random")
EPOCHS = 0.384  # 300 steps of 64 of the 50,000 images
SAID = (
    "ResNet-18 0.25x, pretrained for 300 steps of 64 images of CIFAR-10 at 32 px (recipe "
    "photographs, seed 0), random not at all: too short to say which method is better."
)


def pretrain(method, output):
    command = [sys.executable, "-m", "relicheck", "pretrain", "photographs", "--method", method]
    command += ["--data", "cifar10", "--seed", "0", "--set", f"epochs={EPOCHS}"]
    subprocess.run([*command, "--output", str(output)], check=True)


def main():
    folder = Path(sys.argv[1])
    files = {method: folder / f"{method}.safetensors" for method in METHODS}
    for method, file in files.items():
        pretrain(method, file)
    rows = measure(files, folder / "records", folder / "features")
    title = "Segmentation of CamVid: linear heads on five methods' frozen backbones"
    for ending, text in zip((".md", ".csv"), table(rows, "random"), strict=True):
        head = f"# {title}\n\n{SAID}\n\n" if ending == ".md" else ""
        (folder / f"segmentation_methods{ending}").write_text(head + text, encoding="utf-8")
        print(text)


if __name__ == "__main__":
    main()
