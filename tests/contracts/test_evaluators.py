"""What every registered evaluator keeps to; a new file is held to it at once."""

import dataclasses
import inspect
import json
import subprocess
import sys
from importlib import import_module

import pytest

from relicheck.evaluations.evaluator import Evaluator, Protocol, evaluators

NAMES = evaluators.names()


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def test_there_are_evaluators():
    assert {"linear", "knn", "semi_supervised", "robustness", "classifier"} <= set(NAMES)


def test_the_file_name_is_the_name_and_offers_an_evaluator(name):
    assert isinstance(evaluators.load(name), Evaluator)


def test_the_module_and_its_protocol_say_what_they_do(name):
    module = import_module(f"relicheck.evaluations.evaluators.{name}")
    assert len(module.__doc__ or "") > 30
    assert len(type(evaluators.load(name).protocol).__doc__ or "") > 60
    assert "Yield" in (evaluators.load(name).run.__doc__ or "")


def test_the_source_can_be_looked_up(name):
    source = evaluators.load(name).source
    assert "arXiv" in source or "NeurIPS" in source


def test_the_protocol_is_frozen_and_its_hash_is_stable(name):
    protocol = evaluators.load(name).protocol
    assert protocol.digest == type(protocol)().digest
    assert json.loads(json.dumps(protocol.fields())) == protocol.fields()
    with pytest.raises(dataclasses.FrozenInstanceError):
        protocol.version = 2


def test_every_field_changes_the_hash(name):
    protocol = evaluators.load(name).protocol
    for field in dataclasses.fields(protocol):
        changed = dataclasses.replace(protocol, **{field.name: "another value"})
        assert changed.digest != protocol.digest, field.name


def test_no_two_evaluators_share_a_protocol():
    names = [evaluators.load(name).protocol.name for name in NAMES]
    assert len(set(names)) == len(names)


def test_the_splits_are_roles(name):
    splits = evaluators.load(name).splits
    assert "test" in splits
    assert set(splits) <= {"train", "test"}


def test_run_takes_subject_protocol_and_seed(name):
    run = evaluators.load(name).run
    assert list(inspect.signature(run).parameters) == ["subject", "protocol", "seed"]
    assert inspect.isgeneratorfunction(run)


def test_the_protocol_is_a_subclass_of_its_own(name):
    protocol = evaluators.load(name).protocol
    assert isinstance(protocol, Protocol)
    assert type(protocol).__module__.endswith(f"evaluators.{name}")


def test_loading_every_evaluator_imports_neither_torch_nor_jax():
    code = (
        "import sys; from relicheck.evaluations.evaluator import evaluators as e; "
        "[e.load(n) for n in e.names()]; "
        "print(sorted({'torch', 'jax', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
