"""A table of a paper as plain data: every cell claimed, measured and judged, or why not."""

from dataclasses import replace

import pytest

from relicheck.reports.claim_registry import load_claims
from relicheck.reports.paper_tables import letters, paper_tables
from relicheck.reports.selection import find_claim
from relicheck.reports.verdict import Judgement, Verdict

OBJECTNET = "relicv2/objectnet/top1/rn50"


@pytest.fixture
def reproduced():
    return Judgement(
        claim=find_claim(load_claims(), OBJECTNET),
        verdict=Verdict.REPRODUCED,
        reason="within the margin",
        measured=25.874,
        difference=-0.026,
        interval=(-0.276, 0.224),
        margin=0.5,
    )


def cell_of(tables, table, claim):
    return next(c for c in tables[table].cells if c.claim and c.claim.id == claim)


def test_a_measured_cell_has_claimed_measured_and_verdict(reproduced):
    cell = cell_of(paper_tables([reproduced]), "relicv2_ood", OBJECTNET)

    # half of the interval is 0.25; half of the claim's last digit, 0.05, is rounding
    assert (cell.state, cell.text) == ("judged", "25.9 / 25.87 ± 0.20 / reproduced")
    assert cell.marks == ()


def test_an_unmeasured_cell_says_what_is_missing():
    table = paper_tables()["relicv2_ood"]
    cell = cell_of({"t": table}, "t", OBJECTNET)
    notes = {note.mark: note.text for note in table.notes if note.mark}

    assert (cell.state, cell.text) == ("not_measured", "25.9 / -")
    assert [notes[mark][:37] for mark in cell.marks] == [
        "needs ObjectNet under $RELICHECK_DATA",
        "needs the weights of ReLICv2 (links i",
    ]


def test_a_recalled_claim_is_shown_and_not_judged():
    cell = cell_of(paper_tables(), "relicv2_ood", "relicv2-paper/relicv2/imagenet-r/top1/rn50")

    assert (cell.state, cell.text) == ("recalled", "(23.9) / -")


def test_a_cell_that_the_paper_leaves_empty_says_so():
    table = paper_tables()["relic_1"]
    cell = table.rows[0].cells[1]

    assert (table.rows[0].labels, cell.state, cell.text) == (("PIRL",), "empty", "-")
    assert "Where - stands alone, the paper leaves the cell empty." in [
        note.text for note in table.notes
    ]


def test_a_disagreement_has_a_note_with_its_reason(reproduced):
    off = replace(reproduced, verdict=Verdict.NOT_REPRODUCED, reason="too low", measured=20.0)
    table = paper_tables([off])["relicv2_ood"]
    cell = cell_of({"t": table}, "t", OBJECTNET)

    assert cell.text == "25.9 / 20.00 ± 0.20 / not reproduced"
    assert {n.text for n in table.notes if n.mark in cell.marks} == {"too low"}


def test_two_checkpoints_that_speak_of_a_claim_are_both_shown(reproduced):
    other = replace(reproduced, measured=25.5, verdict=Verdict.INCONCLUSIVE, reason="wide")
    cell = cell_of(paper_tables([reproduced, other]), "relicv2_ood", OBJECTNET)

    assert cell.text == "25.9 / 25.87 ± 0.20; 25.50 ± 0.20 / reproduced; inconclusive"


def test_each_marks_note_stands_once_and_every_mark_has_a_note():
    for table in paper_tables().values():
        marks = [note.mark for note in table.notes if note.mark]
        used = {mark for cell in table.cells for mark in cell.marks}
        assert sorted(marks) == sorted(used)
        assert len(set(marks)) == len(marks)


def test_an_unmeasured_cell_always_has_a_reason():
    for table in paper_tables().values():
        assert all(c.marks for c in table.cells if c.state == "not_measured")


def test_marks_go_on_after_z():
    assert [letters(n) for n in (0, 25, 26, 51, 52)] == ["a", "z", "aa", "az", "ba"]
