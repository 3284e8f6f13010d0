"""Whole runs of a few steps: what they write, and that interruptions cost nothing."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from relicheck.checkpoints.common import read_checkpoint
from relicheck.checkpoints.errors import BadCheckpoint, BadData, TrainingFailed, UsageError
from relicheck.checkpoints.source import read_source
from relicheck.pretrain import methods, train, watch
from relicheck.pretrain.baseline import random_backbone
from relicheck.pretrain.heads import Network
from relicheck.pretrain.initial import initial_variables
from relicheck.pretrain.options import RunOptions
from relicheck.pretrain.state import state_path
from relicheck.pretrain.train import pretrain

QUIET = RunOptions(progress=False)


class Interrupting:
    """A progress bar whose update number `after` is a Ctrl-C."""

    def __init__(self, after):
        self.left = after

    def __call__(self, description, total, unit="step", at_once=False):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def set_postfix_str(self, s="", refresh=True):
        pass

    def update(self, n=1):
        self.left -= n
        if self.left < 0:
            raise KeyboardInterrupt


def of_method(config, method):
    count = methods.load(method).views or len(config.views)
    return replace(config, method=method, views=config.views[:count])


@pytest.mark.parametrize("method", methods.names())
def test_every_method_trains_and_exports_a_whole_checkpoint(
    tiny_config, tiny_images, tmp_path, method
):
    config = of_method(tiny_config, method)

    output = pretrain(config, *tiny_images, tmp_path / "out.safetensors", options=QUIET)

    tensors, manifest = read_checkpoint(output)
    assert manifest.method == method
    assert (manifest.spec, manifest.preprocessing) == (config.spec, config.preprocessing)
    assert manifest.training["steps"] == 6  # 12 images twice, batches of 4
    assert manifest.licence == "Apache-2.0"
    network = Network(config, methods.load(method), 3)
    start = initial_variables(network)["params"]["backbone"]["conv1"]["kernel"]
    assert np.abs(tensors["conv1.weight"].transpose(2, 3, 1, 0) - start).max() > 0
    assert list(tmp_path.glob("*.state")) == []


def test_an_interrupted_run_goes_on_to_the_same_bits(
    tiny_config, tiny_images, tmp_path, monkeypatch
):
    through = pretrain(tiny_config, *tiny_images, tmp_path / "a.safetensors", options=QUIET)
    output = tmp_path / "b.safetensors"
    with monkeypatch.context() as patched:
        # Update 0 is the count of steps already taken; two steps later comes Ctrl-C.
        patched.setattr(watch, "progress_bar", Interrupting(after=1))
        with pytest.raises(KeyboardInterrupt):
            pretrain(tiny_config, *tiny_images, output)
    assert state_path(output).exists()
    assert not output.exists()

    pretrain(tiny_config, *tiny_images, output, options=QUIET)

    assert output.read_bytes() == through.read_bytes()
    assert not state_path(output).exists()


def test_a_finished_run_is_not_repeated(tiny_config, tiny_images, tmp_path, monkeypatch):
    output = pretrain(tiny_config, *tiny_images, tmp_path / "a.safetensors", options=QUIET)
    monkeypatch.setattr(train, "run", None)  # training again would call it

    assert pretrain(tiny_config, *tiny_images, output, options=QUIET) == output


@pytest.mark.parametrize("change", ["config", "seed", "images"])
def test_another_run_never_overwrites_a_finished_one(tiny_config, tiny_images, tmp_path, change):
    images = tiny_images[0]
    output = random_backbone(tiny_config, images, tmp_path / "a.safetensors")
    before = output.read_bytes()
    other = {"config": {"temperature": 0.5}, "seed": {"seed": 1}, "images": {}}[change]
    pixels = 255 - images if change == "images" else images

    with pytest.raises(UsageError, match="is not this run"):
        random_backbone(replace(tiny_config, **other), pixels, output)

    assert output.read_bytes() == before


def test_the_state_of_another_run_is_refused(tiny_config, tiny_images, tmp_path, monkeypatch):
    output = tmp_path / "a.safetensors"
    monkeypatch.setattr(watch, "progress_bar", Interrupting(after=0))
    with pytest.raises(KeyboardInterrupt):
        pretrain(tiny_config, *tiny_images, output)

    with pytest.raises(UsageError, match="another config, seed or images"):
        pretrain(replace(tiny_config, seed=7), *tiny_images, output)


@pytest.mark.parametrize(("network", "place"), [("online", "params"), ("target", "target")])
def test_the_state_of_an_unfinished_run_can_be_converted(
    tiny_config, tiny_images, tmp_path, monkeypatch, network, place
):
    output = tmp_path / "a.safetensors"
    monkeypatch.setattr(watch, "progress_bar", Interrupting(after=1))
    with pytest.raises(KeyboardInterrupt):
        pretrain(tiny_config, *tiny_images, output)

    source = read_source(state_path(output), network=network)

    arrays = load_file(state_path(output))
    kernel = arrays[f"{place}/backbone/layer2_0/conv1/kernel"]
    tensors = source.read()
    assert np.array_equal(tensors["layer2.0.conv1.weight"], kernel.transpose(3, 2, 0, 1))
    assert np.array_equal(tensors["bn1.running_mean"], arrays["batch_stats/backbone/bn1/mean"])
    assert (source.spec, source.preprocessing) == (tiny_config.spec, tiny_config.preprocessing)
    assert source.manifest.method == "byol"
    assert source.manifest.training["stored"]["step"] == "2"


def test_a_damaged_state_is_named(tiny_config, tiny_images, tmp_path):
    output = tmp_path / "a.safetensors"
    state_path(output).write_bytes(b"no state")

    with pytest.raises(BadCheckpoint, match=r"a\.safetensors\.state.*Delete it to start again"):
        pretrain(tiny_config, *tiny_images, output, options=QUIET)


def test_a_loss_that_is_not_finite_ends_the_run_without_a_file(tiny_config, tiny_images, tmp_path):
    wild = replace(tiny_config, optimizer="sgd", base_learning_rate=1e38)

    with pytest.raises(TrainingFailed, match=r"byol, step \d of 6: the (loss|outputs)"):
        pretrain(wild, *tiny_images, tmp_path / "a.safetensors", options=QUIET)

    assert list(tmp_path.iterdir()) == []


def test_the_random_backbone_is_the_start_with_the_images_statistics(
    tiny_config, tiny_images, tmp_path
):
    images, _ = tiny_images
    path = random_backbone(tiny_config, images, tmp_path / "a.safetensors")

    tensors, manifest = read_checkpoint(path)
    assert manifest.method == "random"
    kernel = tensors["conv1.weight"].transpose(2, 3, 1, 0)
    # The first convolution by hand: 7x7 at stride 2, SAME at side 8 pads (2, 3).
    x = np.pad((images / 255 - 0.5) / 0.5, ((0, 0), (2, 3), (2, 3), (0, 0)))
    out = np.array(
        [
            [
                [np.sum(image[r : r + 7, c : c + 7, :, None] * kernel, (0, 1, 2)) for c in places]
                for r in places
            ]
            for image in x
            for places in [range(0, 8, 2)]
        ]
    )
    assert tensors["bn1.running_mean"] == pytest.approx(out.mean((0, 1, 2)), abs=1e-4)
    assert tensors["bn1.running_var"] == pytest.approx(out.var((0, 1, 2)), rel=1e-3)


def test_all_methods_start_from_the_same_backbone(tiny_config, tiny_images, tmp_path):
    starts = [
        read_checkpoint(
            random_backbone(
                of_method(tiny_config, method), tiny_images[0], tmp_path / f"{method}.safetensors"
            )
        )[0]
        for method in ("byol", "supervised")
    ]

    assert all(np.array_equal(starts[0][name], starts[1][name]) for name in starts[0])


def test_a_method_refuses_a_number_of_views_it_is_not_defined_for(
    tiny_config, tiny_images, tmp_path
):
    three = replace(tiny_config, method="simclr", views=tiny_config.views[:1] * 3)

    with pytest.raises(UsageError, match=r"3 large and 0 small views.*2 large and no small"):
        pretrain(three, *tiny_images, tmp_path / "a.safetensors")


def test_too_few_images_and_wrong_arrays_are_named(tiny_config, tiny_images, tmp_path):
    images, labels = tiny_images
    output = tmp_path / "a.safetensors"

    with pytest.raises(UsageError, match="there are 3"):
        pretrain(tiny_config, images[:3], labels[:3], output)
    with pytest.raises(BadData, match=r"float64 of shape \(12, 8, 8, 3\)"):
        pretrain(tiny_config, images / 255, labels, output)
    with pytest.raises(BadData, match=r"labels: int64 of shape \(5,\)"):
        pretrain(tiny_config, images, labels[:5], output)
