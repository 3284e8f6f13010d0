"""Contradictions between sources: every statement's arithmetic, on the claims as they are now."""

from dataclasses import replace
from decimal import Decimal

import pytest

from relicheck.checkpoints.errors import BadClaim
from relicheck.evaluations.record import write_record
from relicheck.reports.claim_registry import load_claims
from relicheck.reports.cli import run
from relicheck.reports.contradictions import (
    FILE,
    contradictions_of,
    load_contradictions,
    read_contradictions,
)
from relicheck.reports.selection import find_claim

ENTRY = """
[[contradiction]]
id = "one"
title = "A title"
statement = "What it means."
source = "somewhere"
facts = [{fact}]
"""


def value(identifier: str) -> Decimal:
    return Decimal(find_claim(load_claims(), identifier).value)


def test_objectnet_claims_equal_a_hundred_minus_the_imagenet_r_errors():
    """protocols.md, 10.1, from the claims' values and not from the file."""
    byol, relic = "byol/objectnet/top1/rn50", "relic/objectnet/top1/rn50"
    assert value(byol) == 100 - value("relic-paper/byol/imagenet-r/top1-error/rn50")
    assert value(relic) == 100 - value("relic-paper/relic-t/imagenet-r/top1-error/rn50")
    # SimCLR's do not coincide: 14.6 and 18.3.
    assert value("simclr/objectnet/top1/rn50") != 100 - value(
        "relic-paper/simclr/imagenet-r/top1-error/rn50"
    )
    found = {fact.claims: fact.arithmetic for fact in contradictions_of(byol)[0].facts}
    arithmetic = found["relic-paper/byol/imagenet-r/top1-error/rn50", byol]
    assert arithmetic == "100 - 77.0 = 23.0, and 23.0 is claimed"
    assert contradictions_of(relic)[0].id == "objectnet_equals_imagenet_r"


def test_two_countings_of_objectnet_lie_nearly_a_factor_of_two_apart():
    found = next(c for c in load_contradictions() if c.id == "objectnet_countings")
    ratio = float(value("testbed/simclrv2-linear-tf-port/objectnet/top1/rn50")) / float(
        value("simclr/objectnet/top1/rn50")
    )
    assert ratio == pytest.approx(1.75, abs=0.005)
    assert found.facts[0].arithmetic == "25.53 / 14.6 = 1.75"


def test_every_statement_has_arithmetic_or_figures_and_names_registered_claims():
    ids = {claim.id for claim in load_claims()}
    for contradiction in load_contradictions():
        assert contradiction.facts or contradiction.figures
        assert set(contradiction.claims) <= ids


def test_a_recalled_value_is_shown_as_such():
    found = next(c for c in load_contradictions() if c.id == "objectnet_countings")
    assert found.facts[1].arithmetic == "35.75 / 26.6 (recalled) = 1.3"


def test_a_corrected_claim_refuses_the_statement_that_it_outdates():
    changed = [
        replace(c, value="23.1") if c.id == "byol/objectnet/top1/rn50" else c for c in load_claims()
    ]
    with pytest.raises(BadClaim, match=r"says 23\.0.*100 - 77\.0 = 23\.0, and 23\.1 is claimed"):
        read_contradictions(FILE, changed)


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        ('["difference", "byol/objectnet/top1/rn50", "simclr/objectnet/top1/rn50", "8.3"]',
         r"says 8\.3.*23\.0 - 14\.6 = \+8\.4"),
        ('["difference", "byol/objectnet/top1/rn50", "simclr/objectnet/top1/nobody", "8.4"]',
         "no claim 'simclr/objectnet/top1/nobody'"),
        ('["nearly", "byol/objectnet/top1/rn50", "simclr/objectnet/top1/rn50", "8.4"]',
         "'nearly'.*complement, equal, difference, ratio"),
        ('["equal", "byol/objectnet/top1/rn50", "simclr/objectnet/top1/rn50", "23.0"]',
         "23.0 = 14.6"),
        ("", "no facts and no figures"),
    ],
)  # fmt: skip
def test_a_statement_whose_arithmetic_fails_is_refused(tmp_path, fact, message):
    file = tmp_path / "contradictions.toml"
    file.write_text(ENTRY.format(fact=fact), encoding="utf-8")
    with pytest.raises(BadClaim, match=message):
        read_contradictions(file, load_claims())


def test_verify_names_what_is_contradicted_between_the_sources(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("RELICHECK_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert run(["verify", "--claim", "byol/objectnet/top1/rn50"]) == 0
    out = capsys.readouterr().out
    assert "Between the sources (relicheck claims contradictions):" in out
    assert "to the digit: 100 - 77.0 = 23.0, and 23.0 is claimed" in out


def test_the_report_prints_the_contradictions_of_the_claims_it_judges(capsys, tmp_path, scored):
    claim = find_claim(load_claims(), "byol-paper/byol/imagenet/linear-top1/rn50")
    record = replace(
        scored("byol", keep=False).record,
        value=74.3,
        images=50_000,
        data_images=50_000,
        dataset="imagenet",
        split="val",
        architecture="ResNet-50 1x",
        evaluator=claim.evaluators[-1],
        correct_sha256=None,
    )
    write_record(tmp_path / "records", record)
    code = run(
        ["report", "--records", str(tmp_path / "records"), "--output", str(tmp_path / "out")]
    )
    captured = capsys.readouterr()
    assert code == 0, captured.err
    assert "74.4 - 74.3 = +0.1" in captured.out
    assert "BYOL's own numbers differ by a tenth" in captured.out
    assert "reproduced, 95 % Wilson interval" in captured.err
