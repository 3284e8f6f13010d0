"""What is registered keeps its contract: a new file is covered the moment it exists."""

import ast
import importlib
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from click.testing import CliRunner

import relicheck
from relicheck.checkpoints import containers, formats
from relicheck.checkpoints.discovery import Modules
from relicheck.checkpoints.errors import UnknownName
from relicheck.checkpoints.export_format import exports
from relicheck.checkpoints.zoo import published_names, read_published
from relicheck.evaluations.dataset import datasets
from relicheck.evaluations.evaluator import Protocol, evaluators
from relicheck.pretrain import methods, recipes
from relicheck.reports.claim_registry import load_claims
from relicheck.reports.cli import commands, run
from relicheck.reports.table_format import table_formats

REGISTRIES: dict[str, tuple[Modules, str]] = {
    "containers": (containers, "checkpoints/containers"),
    "formats": (formats, "checkpoints/formats"),
    "exports": (exports, "checkpoints/exports"),
    "methods": (methods, "pretrain/methods"),
    "configs": (recipes, "pretrain/configs"),
    "datasets": (datasets, "evaluations/datasets"),
    "evaluators": (evaluators, "evaluations/evaluators"),
    "commands": (commands, "reports/commands"),
    "table formats": (table_formats, "reports/table_formats"),
}
REGISTERED = [
    pytest.param(registry, name, folder, id=f"{kind}-{name}")
    for kind, (registry, folder) in REGISTRIES.items()
    for name in registry.names()
]
VERBS = commands.names()


@pytest.mark.parametrize("kind", REGISTRIES)
def test_every_registry_holds_something(kind):
    assert REGISTRIES[kind][0].names()


@pytest.mark.parametrize(("registry", "name", "folder"), REGISTERED)
def test_every_name_loads(registry, name, folder):
    assert registry.load(name) is registry.load(name)


@pytest.mark.parametrize(("registry", "name", "folder"), REGISTERED)
def test_every_module_says_in_one_line_what_it_is(registry, name, folder):
    line = registry.summary(name)

    assert 10 <= len(line) <= 98
    assert line.endswith(".")


@pytest.mark.parametrize(("registry", "name", "folder"), REGISTERED)
def test_every_public_function_and_class_has_a_docstring(registry, name, folder):
    path = Path(relicheck.__file__).parent / folder / f"{name}.py"
    bare = [
        node.name
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]

    assert bare == []


@pytest.mark.parametrize("kind", REGISTRIES)
def test_a_wrong_name_gets_the_nearest(kind):
    registry = REGISTRIES[kind][0]
    name = registry.names()[0]

    with pytest.raises(UnknownName, match=f"Did you mean '{name}'"):
        registry.load(name + "x")


@pytest.mark.parametrize("name", evaluators.names())
def test_every_evaluator_names_its_protocol_and_source(name):
    evaluator = evaluators.load(name)

    assert isinstance(evaluator.protocol, Protocol)
    assert evaluator.source
    assert evaluator.protocol.digest == type(evaluator.protocol)().digest


def test_no_two_evaluators_share_a_protocol_id():
    identities = [evaluators.load(name).protocol.id for name in evaluators.names()]

    assert len(identities) == len(set(identities))


@pytest.mark.parametrize("name", datasets.names())
def test_every_data_set_says_where_it_comes_from_and_what_is_scored(name):
    dataset = datasets.load(name)

    assert dataset.scored in dataset.splits
    assert dataset.training is None or dataset.training in dataset.splits
    assert dataset.licence
    assert dataset.source
    assert dataset.obtain


@pytest.mark.parametrize("name", published_names())
def test_every_published_checkpoint_is_read_by_a_known_format(name):
    assert read_published(name).format in formats.names()


@pytest.mark.parametrize("name", published_names())
def test_every_claim_that_a_published_checkpoint_can_settle_is_in_the_registry(name):
    ids = [claim.id for claim in load_claims()]
    answered = [
        pattern
        for pattern in read_published(name).claims
        if any(fnmatchcase(identifier, pattern) for identifier in ids)
    ]

    assert answered == list(read_published(name).claims)


def test_every_claim_about_a_published_checkpoint_knows_it_by_its_hash():
    # Without one, a claim would be held against any network that has no hash either.
    subjects = {
        claim.subject.removeprefix("published:"): claim.id
        for claim in load_claims()
        if claim.subject.startswith("published:")
    }

    assert subjects
    assert [name for name in subjects if read_published(name).sha256 is None] == []
    assert all(read_published(name).answers(claim) for name, claim in subjects.items())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_one_full_example(verb):
    result = CliRunner().invoke(commands.load(verb), ["--help"])

    assert result.exit_code == 0
    assert re.search(rf"^ +relicheck {verb}\b", result.output, re.MULTILINE)


@pytest.mark.parametrize("verb", VERBS)
def test_help_exits_with_0_through_the_command_line(verb, capsys):
    assert run([verb, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: relicheck {verb}")


@pytest.mark.parametrize("verb", VERBS)
def test_an_unknown_option_is_wrong_use(verb, capsys):
    assert run([verb, "--no-such-option"]) == 2
    assert "no-such-option" in capsys.readouterr().err


def test_the_issues_verbs_are_all_there():
    assert {
        "pretrain", "convert", "evaluate", "verify", "claims", "report", "list", "demo",
    } <= set(VERBS)  # fmt: skip


def test_an_unknown_verb_gets_the_nearest(capsys):
    assert run(["verfy"]) == 2
    assert "verify" in capsys.readouterr().err


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_prints_a_result_can_print_json(verb):
    options = {option for p in commands.load(verb).params for option in p.opts}

    assert "--json" in options


@pytest.mark.parametrize("name", methods.names())
def test_every_method_module_names_its_paper_or_its_baseline(name):
    module = importlib.import_module(f"relicheck.pretrain.methods.{name}")

    assert "arXiv:" in module.__doc__ or "baseline" in module.__doc__
