"""What every export keeps: bit-equal tensors, refusal of what it cannot express, whole files."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from relicheck.checkpoints.container import open_checkpoint
from relicheck.checkpoints.errors import BadCheckpoint, UnknownName, UsageError
from relicheck.checkpoints.export import export_checkpoint
from relicheck.checkpoints.export_format import exports
from relicheck.checkpoints.source import read_upstream
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec
from relicheck.reports.cli import run
from relicheck.reports.commands.export import COMMAND

WIDE = ResNetSpec(depth=18)  # torchvision and timm build no other width
NARROW = ResNetSpec(depth=50, width_multiplier=1 / 8)
SMALL = {"torchvision": WIDE, "timm": WIDE, "hugging_face": NARROW, "flax": NARROW, "onnx": NARROW}
CIFAR = ResNetSpec(depth=20, stem="cifar", shortcut="parameter_free")


def test_the_issues_targets_are_all_there():
    assert exports.names() == ["flax", "hugging_face", "onnx", "timm", "torchvision"]


@pytest.mark.parametrize("classes", [None, 3])
@pytest.mark.parametrize("target", exports.names())
def test_a_round_trip_is_bit_equal(export, target, classes):
    seen = Preprocessing(
        image_size=32, resize=40, interpolation="bilinear", mean=(0.1, 0.2, 0.3), std=(1, 2, 3)
    )
    made = export(target, SMALL[target], classes, seen)
    opened = open_checkpoint(made.output)

    _, upstream = read_upstream(opened)

    before = made.network.canonical_tensors()
    assert set(upstream.tensors) == set(before)
    for tensor, values in before.items():
        assert np.array_equal(upstream.tensors[tensor].read().view("u4"), values.view("u4"))
    assert upstream.spec == made.manifest.spec
    assert upstream.classes == classes
    # A state dict of torchvision's has no place for it.
    assert target == "torchvision" or upstream.preprocessing == seen


@pytest.mark.parametrize("target", ["torchvision", "timm", "hugging_face"])
@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (replace(WIDE, padding="same"), "padding 'same'"),
        (replace(WIDE, padding="fixed"), "padding 'fixed'"),
        (replace(WIDE, padding="flax"), "padding 'flax'"),
        (replace(WIDE, stem="cifar"), "stem 'cifar'"),
        (CIFAR, "stem 'cifar'"),
        (replace(CIFAR, stem="imagenet"), "shortcut 'parameter_free'"),
        (replace(WIDE, shortcut="every_stage"), "shortcut 'every_stage'"),
        (replace(WIDE, bn_epsilon=1e-3), "bn_epsilon 0.001"),
    ],
)
def test_what_a_library_cannot_build_is_refused_by_field(export, tmp_path, target, spec, field):
    narrow = replace(spec, width_multiplier=1 / 4)

    with pytest.raises(UsageError, match=f"built with {field}.*--to onnx or --to flax"):
        export(target, narrow)
    assert [path.name for path in tmp_path.iterdir()] == ["common.safetensors"]


@pytest.mark.parametrize("target", ["torchvision", "timm"])
def test_a_width_that_only_the_inner_convolutions_could_have_is_refused(export, target):
    # Both libraries' width arguments leave the stem and the outer channels as they are.
    with pytest.raises(UsageError, match=r"width_multiplier 0\.25.*Wanted: width_multiplier 1\.0"):
        export(target, replace(WIDE, width_multiplier=1 / 4))


@pytest.mark.parametrize("target", ["flax", "onnx"])
@pytest.mark.parametrize("padding", ["same", "symmetric", "fixed", "flax"])
@pytest.mark.parametrize("base", [CIFAR, replace(WIDE, shortcut="every_stage")])
def test_flax_and_onnx_carry_every_network(export, target, padding, base):
    spec = replace(base, padding=padding, width_multiplier=1 / 4)

    made = export(target, spec)

    opened = open_checkpoint(made.output)
    assert read_upstream(opened)[1].spec == spec


def test_a_bottlenecks_shortcuts_are_the_same_by_either_name(export):
    # BYOL's ResNet-50 says `every_stage`; its first stage has a projection in any case.
    spec = replace(NARROW, shortcut="every_stage")

    assert export("hugging_face", spec).result.tensors == 265


def test_a_result_that_does_not_read_back_is_removed(export, monkeypatch, tmp_path):
    flax = exports.load("flax")

    def mixed_up(tensors, manifest, output):
        flax.write({**tensors, "bn1.bias": tensors["bn1.running_mean"]}, manifest, output)

    monkeypatch.setattr(exports, "load", lambda name: replace(flax, write=mixed_up))

    with pytest.raises(BadCheckpoint, match=r"bn1\.bias differs after writing"):
        export("flax", NARROW)
    assert [path.name for path in tmp_path.iterdir()] == ["common.safetensors"]


def test_a_folder_that_holds_something_is_left_alone(export, tmp_path):
    folder = tmp_path / "exported_hugging_face"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")

    with pytest.raises(UsageError, match="a new folder"):
        export("hugging_face", NARROW)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_a_file_is_not_written_over_a_folder(export, tmp_path):
    (tmp_path / "exported_onnx").mkdir()

    with pytest.raises(UsageError, match="is a folder"):
        export("onnx", NARROW)


def test_an_exported_folder_is_as_readable_as_any_other(export, tmp_path):
    (tmp_path / "plain").mkdir()

    made = export("hugging_face", NARROW)

    assert made.output.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_unknown_target_gets_the_nearest(tmp_path):
    with pytest.raises(UnknownName, match="Did you mean 'torchvision'"):
        export_checkpoint(tmp_path / "any", "torchvison", tmp_path / "out")


def test_a_file_that_is_not_converted_yet_is_sent_to_convert(export, tmp_path):
    made = export("onnx", NARROW)

    with pytest.raises(BadCheckpoint, match="not a whole"):
        export_checkpoint(made.output, "flax", tmp_path / "out")


def test_the_command_prints_what_was_written(export, tmp_path):
    made = export("onnx", NARROW, classes=3)
    arguments = [str(made.source), "--to", "flax", "--output", str(tmp_path / "a.msgpack")]

    result = CliRunner().invoke(COMMAND, [*arguments, "--json"])
    plain = CliRunner().invoke(COMMAND, arguments)

    printed = json.loads(result.output)
    assert (printed["target"], printed["classes"], printed["tensors"]) == ("flax", 3, 267)
    assert printed["bytes"] == (tmp_path / "a.msgpack").stat().st_size
    assert "network        ResNet-50 0.125x" in plain.output


def test_the_command_ends_with_2_where_the_library_cannot_build_the_network(export, capsys):
    made = export("onnx", replace(NARROW, padding="same"))

    assert run(["export", str(made.source), "--to", "timm", "--output", str(made.output)]) == 2
    assert "padding 'same'" in capsys.readouterr().err


def test_the_commands_help_names_every_target():
    help_text = CliRunner().invoke(COMMAND, ["--help"]).output

    assert all(name in help_text for name in exports.names())
