"""One test per claim of the registry: `pytest -m benchmark -k objectnet`.

What is missing is a skip that names where it was looked for. A known true disagreement
stands in the claim's file as `expected_verdict` with its reason; the test asserts that
the verdict is exactly that one, so a disagreement neither hides nor stays red.
"""

from pathlib import Path

import pytest

from relicheck.reports.claim_registry import load_claims
from relicheck.reports.claims import Claim
from relicheck.reports.measuring import Measuring
from relicheck.reports.verdict import Judgement, Verdict
from relicheck.reports.verify import verify_claim

_OPEN = (Verdict.INCONCLUSIVE, Verdict.CONSISTENT, Verdict.PROTOCOL_DEPENDENT)


@pytest.fixture(scope="session")
def measuring(tmp_path_factory) -> Measuring:
    """What was measured once is shared by all claims of the session."""
    return Measuring(records=tmp_path_factory.mktemp("records"))


@pytest.mark.benchmark
@pytest.mark.parametrize("claim", load_claims(), ids=lambda claim: claim.id)
def test_claim_is_reproduced(claim: Claim, measuring: Measuring):
    judgement = verify_claim(claim, measuring)
    if judgement.verdict is Verdict.NOT_MEASURED:
        pytest.skip(judgement.reason)
    if judgement.verdict in _OPEN and not claim.expected_verdict:
        pytest.xfail(f"{judgement.verdict}: {judgement.reason}")
    if judgement.verdict != (claim.expected_verdict or Verdict.REPRODUCED):
        pytest.fail(describe(judgement, measuring.records), pytrace=False)


def describe(judgement: Judgement, records: Path) -> str:
    """Return claimed, measured, interval, margin and where the records are, in lines."""
    claim = judgement.claim
    interval = judgement.interval and "{:+.4f} to {:+.4f}".format(*judgement.interval)
    lines = (
        f"{claim.id}: {judgement.verdict}, not {claim.expected_verdict or Verdict.REPRODUCED}",
        f"claimed   {claim.value} {claim.unit}, {claim.paper}, {claim.table}",
        f"measured  {judgement.measured}",
        f"interval  {interval} (90 %, of measured minus claimed)",
        f"margin    {claim.margin:g}: {claim.margin_reason}",
        f"reason    {judgement.reason}",
        *(f"record    {records / record.id}.json" for record in judgement.records),
    )
    return "\n".join(lines)
