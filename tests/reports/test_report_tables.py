"""`relicheck report --table`: a paper's table from records, in any format."""

import json

import pytest

from relicheck.evaluations.record import write_record
from relicheck.reports import generated
from relicheck.reports.cli import run
from relicheck.reports.generated import Table, regenerate

OBJECTNET = "relicv2/objectnet/top1/rn50"


@pytest.fixture
def records(scored, tmp_path):
    """A folder with one record of ReLICv2's ResNet-50 on ObjectNet: 4,811 of 18,574 are right."""
    item = scored(
        "relicv2",
        "objectnet",
        keep=False,
        dataset="objectnet",
        architecture="ResNet-50 1x",
        protocol="objectnet.best_of_1000.border2.resize224/1",
        value=100 * 4811 / 18574,
        images=18574,
        data_images=18574,
        correct_sha256=None,
    )
    write_record(tmp_path / "records", item.record)
    return tmp_path / "records"


def test_a_table_is_filled_from_records(records, capsys):
    assert run(["report", "--table", "relicv2_ood", "--records", str(records)]) == 0

    out, err = capsys.readouterr()
    # 4,811 / 18,574 = 25.90 %
    assert "25.9 / 25.90 ± " in out
    assert "1 of 1 reproduced" in out
    assert err == ""


def test_a_table_without_records_says_what_is_claimed(bare_machine, capsys):
    assert run(["report", "--table", "relicv2_ood"]) == 0

    assert "25.9 / -" in capsys.readouterr().out


def test_a_table_goes_to_a_file_in_the_format_named(bare_machine, capsys):
    command = ["report", "--table", "relic_1", "--table", "relic_2", "--format", "latex"]

    assert run([*command, "-o", "tables.tex"]) == 0

    text = (bare_machine / "tables.tex").read_text(encoding="utf-8")
    assert text.count(r"\begin{table}") == 2
    assert capsys.readouterr().out == ""


def test_every_table_can_be_had_at_once(bare_machine, capsys):
    assert run(["report", "--table", "all", "--json"]) == 0

    assert len(json.loads(capsys.readouterr().out)["tables"]) > 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table", "relicv2_odd"], "Did you mean 'relicv2_ood'"),
        (["--table", "relic_1", "--format", "latx"], "Did you mean 'latex'"),
        (["--table", "relic_1", "--records", "nowhere"], "there is no such folder"),
        (["--table", "relic_1", "--model-cards"], "exclude each other"),
        (["--only", "battery"], "go with --tables"),
        (["--tables", "t", "--only", "batery"], "Did you mean 'battery'"),
    ],
)
def test_wrong_use_is_a_message(bare_machine, capsys, arguments, message):
    assert run(["report", *arguments]) == 2

    assert message in capsys.readouterr().err


def test_a_card_is_written_per_checkpoint(records, bare_machine, capsys):
    assert run(["report", "--model-cards", "--records", str(records), "-o", "cards"]) == 0

    (card,) = (bare_machine / "cards").glob("*.md")
    assert card.read_text(encoding="utf-8").startswith('---\nmodel-index:\n  - name: "relicv2"\n')


def test_a_file_that_no_table_gives_is_found(monkeypatch, tmp_path):
    table = Table(make=lambda: {"csv/a.csv": "x\n"}, folders=("csv",))
    monkeypatch.setattr(generated, "TABLES", {"papers": table})
    regenerate(tmp_path)
    (tmp_path / "csv" / "old.csv").write_text("x\n", encoding="utf-8")

    states = {o.name: o.state for o in regenerate(tmp_path, check=True)}

    assert states == {"csv/a.csv": "unchanged", "csv/old.csv": "stray"}


def test_the_check_prints_what_differs_and_counts_the_rest(monkeypatch, bare_machine, capsys):
    files = {"a.csv": "x\n", "b.csv": "y\n", "c.csv": None}
    monkeypatch.setattr(generated, "TABLES", {"papers": Table(make=lambda: files)})
    assert run(["report", "--tables", "t"]) == 0
    (bare_machine / "t" / "b.csv").write_text("z\n", encoding="utf-8")
    capsys.readouterr()

    assert run(["report", "--tables", "t", "--check"]) == 1

    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "b.csv: different",
        "1 skipped: its data are not all under $RELICHECK_DATA",
        "1 of 3 files unchanged",
    ]
    assert "-z" in err
    assert "+y" in err


def test_a_long_table_is_made_where_it_is_named(monkeypatch, tmp_path):
    table = Table(make=lambda: {"long.csv": "x\n"}, long=True)
    monkeypatch.setattr(generated, "TABLES", {"long": table})

    assert [o.state for o in regenerate(tmp_path)] == ["skipped"]
    assert [o.state for o in regenerate(tmp_path, only=["long"])] == ["written"]
