"""The papers' tables in every format: the same facts, escaped, and the same bytes again."""

import csv
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from relicheck.reports.claim_registry import load_claims
from relicheck.reports.paper_tables import paper_tables
from relicheck.reports.selection import find_claim
from relicheck.reports.table_format import table_formats
from relicheck.reports.table_formats.latex import escaped
from relicheck.reports.tables import FACTS
from relicheck.reports.verdict import Judgement, Verdict

OBJECTNET = "relicv2/objectnet/top1/rn50"
FORMATS = table_formats.names()


@pytest.fixture(scope="module")
def reproduced():
    return Judgement(
        claim=find_claim(load_claims(), OBJECTNET),
        verdict=Verdict.REPRODUCED,
        reason="within the margin",
        measured=25.874321098765,
        standard_error=0.1,
        difference=-0.025678901235,
        interval=(-0.276, 0.224),
        margin=0.5,
        protocols=("objectnet.best_of_1000.border2.resize224/1",),
    )


@pytest.fixture(scope="module")
def tables(reproduced):
    return paper_tables([reproduced])


def rendered(name, *tables):
    return table_formats.load(name).render(tables)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_gives_the_same_text_for_the_same_judgements(name, reproduced):
    first, again = (list(paper_tables([reproduced]).values()) for _ in range(2))

    assert rendered(name, *first) == rendered(name, *again)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_ends_its_lines_as_unix_does_and_names_no_machine(name, tables):
    text = rendered(name, *tables.values())

    assert text.endswith("\n")
    assert "\r" not in text
    assert not re.search(r"/(work|tmp|home|root)/|\b20\d\d-\d\d-\d\dT", text)


@pytest.mark.parametrize("name", ["markdown", "text", "json", "latex"])
def test_a_measured_cell_is_claimed_measured_and_judged(name, tables):
    said = {"latex": r"25.9 / 25.87 $\pm$ 0.20 / reproduced"}

    assert said.get(name, "25.9 / 25.87 ± 0.20 / reproduced") in rendered(
        name, tables["relicv2_ood"]
    )


def test_markdown_is_one_rectangle_of_cells(tables):
    for table in tables.values():
        lines = [x for x in rendered("markdown", table).splitlines() if x.startswith("|")]
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
        assert widths == {len(table.stub) + len(table.columns) + 1}


def test_csv_has_one_row_per_claim_with_every_fact(tables):
    table = tables["relicv2_ood"]
    rows = list(csv.DictReader(io.StringIO(rendered("csv", table))))

    assert [row["claim"] for row in rows] == [c.claim.id for c in table.cells if c.claim]
    assert set(FACTS) <= set(rows[0])
    row = next(row for row in rows if row["claim"] == OBJECTNET)
    assert (row["row"], row["column"], row["claimed"]) == ("ReLICv2", "ObjectNet", "25.9")
    assert (row["measured"], row["verdict"]) == ("25.874321", "reproduced")


def test_json_keeps_numbers_in_full_and_follows_its_schema(tables):
    body = json.loads(rendered("json", tables["relicv2_ood"], tables["byol_1a"]))

    assert body["schema"] == "relicheck.paper_tables/1"
    assert [table["name"] for table in body["tables"]] == ["relicv2_ood", "byol_1a"]
    for table in body["tables"]:
        assert set(table) == {
            "name", "title", "topic", "paper", "source", "layout", "stub", "columns", "rows",
            "notes",
        }  # fmt: skip
        for row in table["rows"]:
            assert len(row["labels"]) == len(table["stub"])
            assert len(row["cells"]) == len(table["columns"])
            assert all(
                set(cell) == {"state", "claim", "text", "marks", "judgements"}
                and all(set(judgement) == set(FACTS) for judgement in cell["judgements"])
                for cell in row["cells"]
            )
    cells = [c for row in body["tables"][0]["rows"] for c in row["cells"]]
    cell = next(c for c in cells if c["claim"] == OBJECTNET)
    assert cell["judgements"][0]["measured"] == 25.874321098765
    assert cell["judgements"][0]["claimed"] == "25.9"


def test_the_tracker_has_the_trackers_columns_and_each_claim_once(tables):
    lines = rendered("tracker", *tables.values()).splitlines()

    assert lines[0] == "| Dataset | Model | Metric | Claimed | Verified | Status |"
    assert len(lines) - 2 == len(load_claims())
    assert (
        "| ObjectNet | ReLICv2, ResNet-50 1x | top1 (%) | 25.9 | 25.87 ± 0.20 | reproduced |"
        in (lines)
    )


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a_b & 50 % of #1 {x} $y", r"a\_b \& 50 \% of \#1 \{x\} \$y"),
        (r"C:\dir", r"C:\textbackslash{}dir"),
        ("1.25^2 ~ <wnid> | `x`", r"1.25\textasciicircum{}2 \textasciitilde{} \textless{}wnid"
         r"\textgreater{} \textbar{} \textasciigrave{}x\textasciigrave{}"),
        ("--checkpoint FILE", "-{}-checkpoint FILE"),
        ("2 ± 1\nnext", r"2 $\pm$ 1 next"),
    ],
)  # fmt: skip
def test_latex_prints_special_characters_as_they_are(text, printed):
    assert escaped(text) == printed


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_latex_compiles_without_a_line_that_is_too_wide(tables, tmp_path):
    text = rendered("latex", *tables.values())
    (tmp_path / "all.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs,graphicx}\\begin{document}\n"
        + text
        + "\\end{document}\n",
        encoding="utf-8",
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout[-2000:]
    assert "Overfull \\hbox" not in run.stdout
    assert "too large for page" not in run.stdout


def test_latex_is_balanced_and_has_as_many_cells_as_columns(tables):
    for table in tables.values():
        text = rendered("latex", table)
        assert_balanced(text)
        panels = re.findall(r"\\begin\{tabular\}\{([lc]+)\}\n(.*?)\\end\{tabular\}", text, re.S)
        stub = len(table.stub)
        assert sum(len(columns) - stub for columns, _ in panels) == len(table.columns)
        for columns, body in panels:
            for line in (line for line in body.splitlines() if line.endswith(r"\\")):
                spans = [int(width) for width in re.findall(r"\\multicolumn\{(\d+)\}", line)]
                cells = len(re.findall(r"(?<!\\)&", line)) + 1
                assert cells - len(spans) + sum(spans) == len(columns), line


def test_latex_is_printable_ascii_when_the_claims_are_and_uses_no_macro_of_another_package(tables):
    text = rendered("latex", *tables.values())
    known = {
        "begin", "end", "usepackage", "centering", "caption", "label", "resizebox", "ifdim",
        "width", "linewidth", "else", "fi", "toprule", "midrule", "bottomrule", "multicolumn",
        "cmidrule", "emph", "textsuperscript", "medskip", "footnotesize", "raggedright", "par",
        "allowbreak", "textless", "textgreater", "textasciicircum", "textasciitilde", "textbar",
        "textbackslash", "textasciigrave", "pm", "times", "small", "setlength", "parindent", "ref",
        "addtocounter",
    }  # fmt: skip

    assert text.isascii()
    assert set(re.findall(r"\\([A-Za-z]+)", text)) <= known


def assert_balanced(text):
    depth, environments = 0, []
    plain = re.sub(r"\\[&%$#_{}\\]", "", re.sub(r"^%.*$", "", text, flags=re.M))
    for token in re.findall(r"\\begin\{\w+\}|\\end\{\w+\}|[{}$&#_^~%]", plain):
        if token.startswith(r"\begin"):
            environments.append(token[7:-1])
        elif token.startswith(r"\end"):
            assert environments.pop() == token[5:-1]
        elif token in "{}":
            depth += 1 if token == "{" else -1
            assert depth >= 0
        else:
            assert token in "$&_~" or token == "%", token
    assert (depth, environments) == (0, [])
    assert plain.count("$") % 2 == 0


def test_a_judgement_from_two_checkpoints_has_two_rows(reproduced):
    other = replace(reproduced, measured=25.5)
    table = paper_tables([reproduced, other])["relicv2_ood"]
    rows = list(csv.DictReader(io.StringIO(rendered("csv", table))))

    assert [row["measured"] for row in rows if row["claim"] == OBJECTNET] == [
        "25.874321",
        "25.500000",
    ]
