"""Small backbones on CamVid, fine-tuned with mmsegmentation, and written as a table.

    python benchmarks/segmentation_fine_tuning.py FOLDER CHECKPOINT...

Measures every CHECKPOINT (a file, or a published name) by `segmentation_camvid_cpu`, prints time
and memory of each, and writes segmentation_fine_tuning.md, .csv and .png to FOLDER, with the
differences from the last one named. Minutes each on one core; a killed run goes on.
"""

import resource
import sys
import time
from pathlib import Path

from relicheck.evaluations.evaluate import evaluate
from relicheck.evaluations.segmentation.kept import read_confusions
from relicheck.reports.scored import read_scored
from relicheck.reports.segmentation_files import segmentation_files, segmentation_sets
from relicheck.reports.segmentation_table import DATA, Row, table

EVALUATOR = "segmentation_camvid_cpu"
# Of the checkpoints behind the committed table.
SAID = (
    "Protocol `segmentation_camvid_cpu`, seed 0. The akamaster networks were trained to classify "
    "CIFAR-10; the others (ResNet-18 0.25x) were pretrained for 300 steps of 64 images of CIFAR-10 "
    "at 32 px (recipe photographs, seed 0), random not at all: too short to say which method is "
    "better. The most frequent class everywhere gives 2.4 % (segmentation.md). Made by "
    "benchmarks/segmentation_fine_tuning.py."
)


def measure(checkpoint, folder):
    begin = time.monotonic()
    found = evaluate(
        checkpoint, DATA, [EVALUATOR], records=folder / "records", cache=folder / "features"
    )
    mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    record = next(record for record in found if record.metric == "miou")
    print(f"{record.subject}: {record.value:.2f} %, {time.monotonic() - begin:.0f} s, "
          f"{mebibytes:.0f} MiB at most so far")  # fmt: skip
    confusions = read_confusions(folder / "records" / f"{record.id}.json")
    return Row(name=record.subject, record=record, confusions=confusions)


def main():
    folder, checkpoints = Path(sys.argv[1]), sys.argv[2:]
    rows = [measure(checkpoint, folder) for checkpoint in checkpoints]
    reference = rows[-1].name
    rows.sort(key=lambda row: -row.record.value)
    title = "Segmentation of CamVid: small networks fine-tuned with mmsegmentation"
    for ending, text in zip((".md", ".csv"), table(rows, reference), strict=True):
        head = f"# {title}\n\n{SAID}\n\n" if ending == ".md" else ""
        (folder / f"segmentation_fine_tuning{ending}").write_text(head + text, encoding="utf-8")
        print(text)
    pictures = segmentation_files(segmentation_sets(read_scored(folder / "records")))
    (folder / "segmentation_fine_tuning.png").write_bytes(pictures[f"segmentation-{DATA}.png"])


if __name__ == "__main__":
    main()
