import hashlib

import numpy as np
import pytest

from relicheck.evaluations.record import Record
from relicheck.reports.claims import Claim
from relicheck.reports.scored import Scored


@pytest.fixture(scope="session")
def scored():
    """Build one record with its answers: scored("byol", "linear", "1101") got images 0, 1, 3."""

    def build(method, evaluator="linear", answers="1100", keep=True, **fields):
        correct = np.array([digit == "1" for digit in answers])
        protocol_fields = fields.pop("protocol_fields", {})
        share = float(correct.mean())
        values = {
            "metric": "top1",
            "value": 100 * share,
            "unit": "%",
            "images": len(correct),
            "standard_error": 100 * float(np.sqrt(share * (1 - share) / len(correct))),
            "condition": "",
            "subject": method,
            "subject_kind": "checkpoint",
            "weights_sha256": hashlib.sha256(method.encode()).hexdigest(),
            "source_sha256": None,
            "method": method,
            "architecture": "none" if method == "raw_pixels" else "ResNet-18 0.25x",
            "dataset": "digits",
            "split": "test",
            "data_fingerprint": "sha256:d161",
            "data_images": len(correct),
            "source": "images",
            "evaluator": evaluator,
            "protocol": f"{evaluator}_test/1",
            "protocol_sha256": hashlib.sha256(f"{evaluator}{protocol_fields}".encode()).hexdigest(),
            "protocol_fields": protocol_fields,
            "seed": 0,
            "code_sha256": "c0de",
            "correct_sha256": hashlib.sha256(correct.tobytes()).hexdigest(),
        }
        record = Record(**{**values, **fields})
        return Scored(record=record, correct=correct if keep else None)

    return build


@pytest.fixture(scope="session")
def claim():
    """Build a claim: claim(value="25.9")."""

    def build(**fields):
        values = {
            "id": "byol/objectnet/top1/rn50",
            "paper": "ReLICv2",
            "table": "benchmark list",
            "method": "BYOL",
            "architecture": "ResNet-50 1x",
            "pretrain_data": "ImageNet-1k",
            "task": "ood",
            "dataset": "ObjectNet",
            "protocol": "linear",
            "metric": "top1",
            "value": "23.0",
            "unit": "%",
            "source": "a page",
            "confidence": "seen",
            "kind": "probe",
            "data": "objectnet",
            "evaluators": ("linear",),
            "protocols": (),
            "unmeasurable": "",
            "margin": 0.5,
            "margin_reason": "probe",
        }
        return Claim(**{**values, **fields})

    return build
