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


def test_a_claim_that_is_reproduced_needs_no_reason(reproduced):
    notes = paper_tables([reproduced])["relicv2_ood"].notes

    assert "within the margin" not in {note.text for note in notes}


def test_an_unmeasured_cell_says_what_is_missing():
    table = paper_tables()["relicv2_ood"]
    cell = cell_of({"t": table}, "t", OBJECTNET)
    notes = {note.mark: note.text for note in table.notes if note.mark}

    assert (cell.state, cell.text) == ("not_measured", "25.9 / -")
    said = {notes[mark][:37] for mark in cell.marks}
    assert {
        "needs ObjectNet under $RELICHECK_DATA",
        "needs the weights of ReLICv2 (links i",
    } <= said


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
    assert "too low" in {n.text for n in table.notes if n.mark in cell.marks}


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


def test_a_table_says_how_many_of_its_claims_were_reproduced(reproduced):
    notes = [note.text for note in paper_tables([reproduced])["relicv2_ood"].notes]

    # Wilson's interval of 1 of 1: 1 / (1 + 1.96^2) = 20.7 %
    assert "1 of 1 reproduced, 95 % Wilson interval 20.7 to 100.0 %." in notes
    assert not any("reproduced, 95" in n.text for n in paper_tables()["relicv2_ood"].notes)


def test_a_sampled_verdict_has_its_p_value_after_holm(reproduced):
    ids = ("simclr/objectnet/top1/rn50", "byol/objectnet/top1/rn50")
    off = [
        replace(
            reproduced,
            claim=find_claim(load_claims(), name),
            verdict=Verdict.NOT_REPRODUCED,
            reason=f"{name} is too low.",
            p_value=p,
        )
        for name, p in zip(ids, (0.01, 0.04), strict=True)
    ]
    tables = paper_tables(off)
    notes = {n.mark: n.text for n in tables["relicv2_ood"].notes if n.mark}
    cells = [cell_of(tables, "relicv2_ood", name) for name in ids]

    # Holm over two: 0.01 x 2 = 0.02; then max(0.02, 0.04 x 1) = 0.04
    said = [" ".join(notes[mark] for mark in cell.marks) for cell in cells]
    assert "p = 0.01 that the claim holds within its margin, 0.02 after Holm over 2" in said[0]
    assert "0.04 after Holm over 2 claims of ReLICv2, benchmark list" in said[1]
    assert [cell.verdict for cell in cells] == ["not reproduced", "not reproduced"]


def test_a_claim_that_others_contradict_has_a_note_with_the_arithmetic():
    table = paper_tables()["relicv2_ood"]
    cell = cell_of({"t": table}, "t", "byol/objectnet/top1/rn50")
    said = " ".join(note.text for note in table.notes if note.mark in cell.marks)

    assert "100 - 77.0 = 23.0, and 23.0 is claimed" in said


def test_a_claim_that_is_the_best_of_several_says_what_chance_adds():
    table = paper_tables()["relicv2_knn"]
    (cell,) = table.cells
    said = " ".join(note.text for note in table.notes if note.mark in cell.marks)

    assert "The best of 2" in said
