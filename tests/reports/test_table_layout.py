"""The papers' tables are declared as data, and the declarations fit the registry."""

from dataclasses import replace

import pytest

from relicheck.checkpoints.errors import BadClaim, UnknownName
from relicheck.reports.claim_registry import load_claims
from relicheck.reports.table_claims import place, unplaced
from relicheck.reports.table_layout import find_layout, load_layouts

LAYOUTS = load_layouts()
CLAIMS = load_claims()
HEAD = """
paper = "ReLICv2"
[[table]]
name = "t"
title = "T"
topic = "linear evaluation"
source = "Table 1"
layout = "seen"
covers = ["benchmark list"]
stub = ["Method"]
"""


@pytest.fixture
def declared(tmp_path):
    def write(body, head=HEAD):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        (folder / "relicv2.toml").write_text(head + body, encoding="utf-8")
        return load_layouts(folder)

    return write


@pytest.mark.parametrize("name", LAYOUTS)
def test_no_cell_of_a_table_points_at_a_claim_that_is_not_there(name):
    # `place` refuses a row or a column without a claim, and a claim in two cells
    assert any(claim for row in place(LAYOUTS[name], CLAIMS) for claim in row)


def test_every_claim_of_a_covered_table_stands_in_exactly_one_cell():
    assert unplaced(LAYOUTS, CLAIMS) == []


@pytest.mark.parametrize("paper", ["ReLICv2", "ReLIC", "BYOL", "SimCLR"])
def test_every_claim_of_the_papers_that_this_is_about_has_its_table(paper):
    covered = {pair for layout in LAYOUTS.values() for pair in layout.covers}

    assert [c.id for c in CLAIMS if c.paper == paper and (c.paper, c.table) not in covered] == []


def test_every_table_that_is_covered_or_quoted_is_one_of_the_registry():
    named = {pair for layout in LAYOUTS.values() for pair in (*layout.covers, *layout.quotes)}

    assert named <= {(claim.paper, claim.table) for claim in CLAIMS}


def test_no_table_of_a_paper_is_composed_of_what_it_covers():
    assert [x.name for x in LAYOUTS.values() if (x.layout == "composed") == bool(x.covers)] == []


def test_a_claim_that_no_row_names_is_found():
    layouts = {"t": LAYOUTS["relicv2_gain"]}
    claims = [c for c in CLAIMS if c.table == "abstract of arXiv v2"]
    extra = replace(claims[0], id="new", architecture="ResNet-18 1x")

    assert unplaced(layouts, claims) == []
    assert unplaced(layouts, [*claims, extra]) == ["new"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('columns = [{ head = "A" }]\nkeys = ["method"]\nrows = ["X", ["Y", "Z"]]', "2 labels"),
        ('columns = [{ head = "A", wrong = "x" }]\nrows = []', "t, wrong"),
        ('columns = [{ metric = "top1" }]\nrows = []', "a column with a head"),
        ("columns = []\nrows = []\n[[table.section]]\nrows = []", "both or neither"),
        ("columns = []\nrow = []", "an unknown key 'row'"),
        ("rows = []", "no 'columns'"),
        ("columns = [", "not valid TOML"),
    ],
)
def test_a_table_that_is_not_declared_as_it_should_be_is_refused(declared, body, message):
    with pytest.raises(BadClaim, match=message):
        declared(body)


def test_two_claims_in_one_cell_are_refused(declared):
    layouts = declared(
        'columns = [{ head = "Top-1", metric = "top1" }]\nkeys = ["method"]\nrows = ["ReLICv2"]'
    )

    with pytest.raises(BadClaim, match=r"table t, the cell of .*: 2 claims"):
        place(layouts["t"], CLAIMS)


def test_a_row_that_no_claim_is_of_is_refused(declared):
    layouts = declared(
        'columns = [{ head = "O", dataset = "ObjectNet" }]\nkeys = ["method"]\nrows = ["MoCo"]'
    )

    with pytest.raises(BadClaim, match="no claim is of this row"):
        place(layouts["t"], CLAIMS)


def test_an_unknown_table_gets_the_nearest_name():
    with pytest.raises(UnknownName, match="Did you mean 'relicv2_ood'"):
        find_layout("relicv2_odd")
