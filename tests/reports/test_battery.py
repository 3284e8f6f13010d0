"""The table of evaluators on real images: shared by processes, the same numbers."""

import csv
import io

from relicheck.reports.battery import ROWS, Row, battery


def test_two_processes_give_the_table_of_one(real_data):
    rows = (Row(data="cifar10_jpeg", evaluator="classifier", heads_only=True, limit=64),)

    alone, shared = battery(rows, workers=1), battery(rows, workers=2)

    assert alone is not None
    assert alone == shared
    lines = list(csv.DictReader(io.StringIO(alone[1])))
    assert [line["Metric"] for line in lines] == ["top1", "top5"]
    assert {line["ResNet-56 untrained"] for line in lines} == {"no classifier"}


def test_there_is_no_table_without_its_images(bare_machine):
    assert battery(ROWS[:1], workers=1) is None
