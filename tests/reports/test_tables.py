"""Claimed beside measured, and the committed tables made again."""

import csv
import io
import json
from pathlib import Path

import pytest

from relicheck.checkpoints.errors import UsageError
from relicheck.reports.generated import regenerate, relicv2_page
from relicheck.reports.layout import csv_table, markdown_table, text_table
from relicheck.reports.tables import (
    HEADER,
    judgement_dicts,
    judgement_rows,
    judgements_csv,
    judgements_json,
    judgements_markdown,
    judgements_text,
    reason_groups,
)
from relicheck.reports.verdict import Judgement, Verdict

COMMITTED = Path(__file__).resolve().parents[2] / "reports" / "tables"


@pytest.fixture
def measured(claim):
    return Judgement(
        claim=claim(value="25.9"),
        verdict=Verdict.REPRODUCED,
        reason="within the margin",
        measured=25.874,
        standard_error=0.1,
        difference=-0.026,
        interval=(-0.276, 0.224),
        margin=0.5,
        protocols=("linear_lbfgs/1",),
    )


@pytest.fixture
def unmeasured(claim):
    return Judgement(
        claim=claim(id="relic/objectnet", method="ReLIC", value="23.8"),
        verdict=Verdict.NOT_MEASURED,
        reason="needs the images",
        missing=("needs the images", "needs the weights"),
    )


def test_a_row_has_claimed_measured_half_width_protocol_and_verdict(measured):
    # half of the interval is 0.25; half of the claim's last digit, 0.05, is rounding
    assert judgement_rows([measured]) == [
        (
            "ObjectNet",
            "BYOL, ResNet-50 1x",
            "top1 (%)",
            "25.9",
            "25.87 ± 0.20",
            "linear_lbfgs/1",
            "reproduced",
        )
    ]


def test_a_measurement_has_at_least_the_claims_decimals(claim, measured):
    from dataclasses import replace

    judgement = replace(measured, claim=claim(value="69.758"), measured=69.758)

    assert judgement_rows([judgement])[0][4].startswith("69.758 ±")


def test_what_was_not_measured_is_an_empty_cell(unmeasured):
    row = judgement_rows([unmeasured])[0]

    assert row[4:] == ("", "", "not measured")
    assert judgement_dicts([unmeasured])[0]["measured"] is None


def test_a_recalled_claim_says_so_beside_its_value(claim):
    judgement = Judgement(
        claim=claim(confidence="recalled"), verdict=Verdict.NOT_MEASURED, reason="recalled"
    )

    assert judgement_rows([judgement])[0][3] == "23.0 (recalled)"


def test_each_missing_thing_is_named_once(unmeasured):
    assert reason_groups([unmeasured]) == [
        ("not measured", "needs the images needs the weights", ("relic/objectnet",))
    ]


def test_every_layout_is_the_same_whatever_the_order(measured, unmeasured):
    both, turned = [measured, unmeasured], [unmeasured, measured]

    for layout in (judgements_text, judgements_markdown, judgements_csv, judgements_json):
        assert layout(both) == layout(turned)
        assert "\r" not in layout(both)


def test_csv_can_be_read_back(measured, unmeasured):
    rows = list(csv.DictReader(io.StringIO(judgements_csv([measured, unmeasured]))))

    assert [row["verdict"] for row in rows] == ["reproduced", "not_measured"]
    assert [row["measured"] for row in rows] == ["25.874000", ""]


def test_an_empty_csv_still_has_its_header():
    assert judgements_csv([]).startswith("claim,dataset,method,")


def test_json_is_json(measured):
    assert json.loads(judgements_json([measured]))[0]["interval"] == [-0.276, 0.224]


def test_text_puts_quantities_to_the_right():
    assert text_table(("A", "Value"), [("x", "1.0 ± 2"), ("yy", "")]) == (
        "A     Value\n--  -------\nx   1.0 ± 2\nyy\n"
    )


def test_a_control_character_does_not_reach_the_terminal():
    assert "\x1b" not in text_table(("A",), [("\x1b[2Jx\ny",)])


def test_markdown_escapes_what_would_end_the_cell():
    assert markdown_table(("A",), [("a|b <i>",)]) == "| A |\n| --- |\n| a\\|b &lt;i> |\n"


def test_csv_quotes_and_uses_unix_line_ends():
    assert csv_table(("A", "B"), [('x,"y"', "1")]) == 'A,B\n"x,""y""",1\n'


@pytest.mark.parametrize("layout", [text_table, markdown_table, csv_table])
def test_a_row_of_another_length_is_refused(layout):
    with pytest.raises(UsageError, match="row 2 of the table: 1 cells"):
        layout(("A", "B"), [("x", "y"), ("z",)])


def test_the_bare_tables_are_those_committed(bare_machine):
    if not COMMITTED.is_dir():
        pytest.skip(f"no committed tables at {COMMITTED}: not run from a checkout")

    states = {o.name: (o.state, o.detail) for o in regenerate(COMMITTED, check=True)}

    assert states["relicv2_page.md"] == ("unchanged", "")
    assert states["relicv2_page.csv"] == ("unchanged", "")
    assert states["published_predictions.md"][0] == "skipped"
    assert {name: found for name, found in states.items() if found[0] == "different"} == {}


def test_the_page_of_relicv2_shows_its_four_objectnet_claims_unmeasured(bare_machine):
    rows = judgement_rows(relicv2_page())

    objectnet = {(row[1], row[3], row[6]) for row in rows if row[0] == "ObjectNet"}
    assert objectnet == {
        ("ReLIC, ResNet-50 1x", "23.8", "not measured"),
        ("ReLICv2, ResNet-50 1x", "25.9", "not measured"),
        ("SimCLR, ResNet-50 1x", "14.6", "not measured"),
        ("BYOL, ResNet-50 1x", "23.0", "not measured"),
    }


def test_a_changed_table_is_found_and_written_anew(bare_machine):
    folder = bare_machine / "tables"
    regenerate(folder)
    path = folder / "relicv2_page.md"
    before = path.read_bytes()
    path.write_bytes(before.replace(b"25.9", b"26.9"))

    found = {o.name: o for o in regenerate(folder, check=True)}["relicv2_page.md"]

    assert found.state == "different"
    assert "-| ObjectNet | ReLICv2, ResNet-50 1x | top1 (%) | 26.9" in found.detail
    regenerate(folder)
    assert path.read_bytes() == before


def test_windows_line_ends_are_a_difference(bare_machine):
    regenerate(bare_machine)
    path = bare_machine / "relicv2_page.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    states = {o.name: o.state for o in regenerate(bare_machine, check=True)}

    assert states["relicv2_page.csv"] == "different"


@pytest.mark.slow
def test_the_measured_tables_are_those_committed(real_data):
    if not COMMITTED.is_dir():
        pytest.skip(f"no committed tables at {COMMITTED}: not run from a checkout")

    outcomes = regenerate(COMMITTED, check=True)

    assert {o.name: o.detail for o in outcomes if o.state in ("different", "stray")} == {}


def test_the_header_is_the_issues():
    assert HEADER == (
        "Dataset", "Model", "Metric", "Claimed", "Measured ±", "Protocol", "Verdict",
    )  # fmt: skip
