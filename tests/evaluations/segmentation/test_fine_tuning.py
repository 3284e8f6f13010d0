"""Fine-tuned segmentation end to end: tiny networks, mmsegmentation's Runner, real records."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from relicheck.checkpoints.common import write_checkpoint
from relicheck.checkpoints.errors import BadCheckpoint, BadData, ManifestMismatch, UsageError
from relicheck.evaluations.dataset import open_split
from relicheck.evaluations.evaluate import evaluate
from relicheck.evaluations.features import state_hash
from relicheck.evaluations.image_source import masks_of
from relicheck.evaluations.segmentation import fine_tuning, training
from relicheck.evaluations.segmentation.bridge import open_bridge, quiet
from relicheck.evaluations.segmentation.dump import configuration
from relicheck.evaluations.segmentation.kept import read_confusions
from relicheck.evaluations.segmentation.mmengine_states import load_from_local
from relicheck.evaluations.segmentation.scores import confusion, mean_iou
from relicheck.evaluations.segmentation.shown import read_shown
from relicheck.evaluations.streamed_training import Diverged

NAME = "segmentation_camvid_cpu"
# The smallest training that dilates, scales, crops, flips, draws dropout and steps its rate.
SMALL = {
    "iterations": 4,
    "batch_size": 4,
    "crop_px": (33, 41),
    "resize_px": (0, 0),
    "head_channels": 8,
    "head_dilation": 2,
    "dropout": 0.3,
    "auxiliary_weight": 0.4,
    "auxiliary_channels": 8,
}
OVERRIDES = {f"{NAME}.{field}": value for field, value in SMALL.items()}


def measured(network, folder, tmp_path, seed=0, name="records", **changed):
    overrides = {**OVERRIDES, **{f"{NAME}.{field}": value for field, value in changed.items()}}
    return evaluate(
        network, folder, [NAME], records=tmp_path / name, cache=tmp_path / "cache", seeds=(seed,),
        overrides=overrides,
    )  # fmt: skip


@dataclass
class Seen:
    """What runs leave behind: every iteration's loss, and the last state of every run of ours."""

    losses: list[float] = field(default_factory=list)
    weights: list[dict] = field(default_factory=list)


@contextmanager
def seen():
    """Watch every training of this process, ours or mmengine's."""
    open_bridge()
    from relicheck.evaluations.segmentation.mmseg_modules import StopWhereDiverged

    found, check = Seen(), StopWhereDiverged.after_train_iter
    train = fine_tuning.train_and_score

    def listen(self, runner, batch_idx, data_batch=None, outputs=None):
        found.losses.append(outputs["loss"].item())
        check(self, runner, batch_idx, data_batch, outputs)

    def remember(config, images, folder, title):
        predicted = train(config, images, folder, title)
        found.weights.append(load_from_local(folder / "state.pth")["state_dict"])
        return predicted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StopWhereDiverged, "after_train_iter", listen)
        patch.setattr(fine_tuning, "train_and_score", remember)
        yield found


@pytest.fixture(scope="module")
def whole(tmp_path_factory, with_classes, masked_folder):
    """One whole run of ours: its records, their folder, its losses and its weights."""
    torch.set_num_threads(1)  # as for every test; the order of sums depends on it
    folder = tmp_path_factory.mktemp("whole")
    with seen() as found:
        records = measured(with_classes(), masked_folder, folder)
    return SimpleNamespace(
        records=records, folder=folder, losses=found.losses, weights=found.weights[0]
    )


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def values(records):
    return [record.value for record in records]


def test_a_record_has_miou_with_the_matrix_of_every_image(whole, masked_folder):
    miou, accuracy, _ = whole.records
    confusions = read_confusions(whole.folder / "records" / f"{miou.id}.json")
    source = open_split(masked_folder, "test")
    scored = [int((masks_of(source)(index) != 255).sum()) for index in range(5)]
    assert (miou.metric, miou.images, miou.protocol) == ("miou", 5, f"{NAME}/1")
    assert miou.value == pytest.approx(100 * float(mean_iou(confusions.sum(axis=0))))
    # At full size, whatever the crop: every pixel that is not ignored, once.
    assert confusions.sum(axis=(1, 2)).tolist() == scored
    assert accuracy.value == pytest.approx(
        100 * np.trace(confusions.sum(axis=0)) / sum(scored), abs=1e-9
    )
    assert "learning rate 0.1 (fixed), trained on all 12" in miou.notes
    assert any("mmsegmentation 1." in note and "mmengine 0." in note for note in miou.notes)


def test_the_predictions_that_people_look_at_are_those_that_were_counted(whole, masked_folder):
    path = whole.folder / "records" / f"{whole.records[0].id}.json"
    shown, confusions = read_shown(path), read_confusions(path)
    source = open_split(masked_folder, "test")
    assert sorted(shown) == [0, 1, 2, 3, 4]
    for image, mask in shown.items():
        assert np.array_equal(confusion(masks_of(source)(image), mask, 3), confusions[image])


def test_a_finished_run_leaves_nothing_unfinished(whole):
    assert list((whole.folder / "cache" / "unfinished").iterdir()) == []


def test_training_learns_and_leaves_the_original_untouched(network, masked_folder, tmp_path):
    before = state_hash(network)
    miou, *_ = measured(network, masked_folder, tmp_path, iterations=100, dropout=0.0)
    masks = [masks_of(open_split(masked_folder, "test"))(i).ravel() for i in range(5)]
    ground = np.concatenate(masks)
    # Answering "ground" everywhere: its IoU is its share of the pixels, the two others' is 0.
    majority = 100 * (ground == 0).sum() / (ground != 255).sum() / 3
    assert miou.value > majority + 5
    assert state_hash(network) == before


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    network, masked_folder, tmp_path, whole
):
    with seen() as found:
        again = measured(network, masked_folder, tmp_path)
        measured(network, masked_folder, tmp_path, seed=1)
    assert values(again) == values(whole.records)
    assert equal(found.weights[0], whole.weights)
    assert not equal(found.weights[1], whole.weights)


@pytest.mark.parametrize("killed_after", [1, 3, 4])
def test_a_run_that_goes_on_ends_with_the_same_bits(
    network, masked_folder, tmp_path, whole, monkeypatch, killed_after
):
    monkeypatch.setattr(training, "SAVE_SECONDS", 0.0)
    stepped = training._State.stepped

    def interrupt(self, runner):
        stepped(self, runner)
        if runner.iter + 1 == killed_after:
            raise KeyboardInterrupt

    with seen() as found:
        monkeypatch.setattr(training._State, "stepped", interrupt)
        with pytest.raises(KeyboardInterrupt):
            measured(network, masked_folder, tmp_path)
        monkeypatch.setattr(training._State, "stepped", stepped)
        again = measured(network, masked_folder, tmp_path)

    assert values(again) == values(whole.records)
    assert equal(found.weights[0], whole.weights)
    assert found.losses == whole.losses  # each iteration once, none twice


def test_a_state_that_is_not_whole_is_none(network, masked_folder, tmp_path, whole, monkeypatch):
    folder, train = [], fine_tuning.train_and_score

    def damaged(config, images, where, title):
        folder.append(where)
        (where / "state.pth").write_bytes(b"PK half a file")
        return train(config, images, where, title)

    monkeypatch.setattr(fine_tuning, "train_and_score", damaged)
    again = measured(network, masked_folder, tmp_path)
    assert folder
    assert values(again) == values(whole.records)


def test_a_run_that_another_process_trains_is_not_trained_beside_it(
    network, masked_folder, tmp_path, monkeypatch
):
    def beside(config, images, folder, title):
        measured(network, masked_folder, tmp_path)

    monkeypatch.setattr(fine_tuning, "train_and_score", beside)
    with pytest.raises(UsageError, match="another process trains this very run"):
        measured(network, masked_folder, tmp_path)


def test_a_grid_chooses_on_held_out_images_and_keeps_its_finished_points(
    network, masked_folder, tmp_path, monkeypatch
):
    rates = (1e-5, 0.05, 0.01)
    runs, train = [], fine_tuning.train_and_score

    def interrupted(config, images, folder, title):
        runs.append((config["optim_wrapper"]["optimizer"]["lr"], config))
        if len(runs) == 3:
            raise KeyboardInterrupt
        return train(config, images, folder, title)

    monkeypatch.setattr(fine_tuning, "train_and_score", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measured(network, masked_folder, tmp_path, learning_rates=rates)
    miou, *_ = measured(network, masked_folder, tmp_path, learning_rates=rates)
    again, *_ = measured(network, masked_folder, tmp_path, learning_rates=rates, seed=1)

    tried = [rate for rate, _ in runs]
    # Two finished and one cut short; then that one and the final run; then seed 1's final run.
    assert tried[:4] == [1e-5, 0.05, 0.01, 0.01]
    assert len(tried) == 6
    assert tried[4] == tried[5]
    datasets = [config["train_dataloader"]["dataset"]["fold"] for _, config in runs]
    assert datasets == ["kept"] * 4 + ["all"] * 2
    assert any("best of 3: mIoU" in note and "on 2 held-out images" in note for note in miou.notes)
    assert again.seed == 1


def test_a_fifth_is_held_out_and_neither_nothing_nor_everything():
    from relicheck.evaluations.segmentation.order import held_out

    held = held_out(12, 0.2, seed=0)
    assert len(held) == 2
    assert held.tolist() == held_out(12, 0.2, seed=0).tolist()
    assert len(held_out(3, 0.01, seed=0)) == 1
    assert len(held_out(2, 0.99, seed=0)) == 1


@pytest.fixture(scope="module")
def dumped(tmp_path_factory, with_classes, masked_folder):
    """Train the configuration that is written for the small protocol with mmengine's Runner."""
    folder = tmp_path_factory.mktemp("dumped")
    network, checkpoint = with_classes(), folder / "tiny.safetensors"
    write_checkpoint(checkpoint, network.canonical_tensors(), network.manifest)
    (folder / "fcn.py").write_text(
        configuration(checkpoint, masked_folder, NAME, overrides=OVERRIDES)
    )
    config = load_config(folder)
    with seen() as found:
        runner = train_with_mmengine(config)
    return SimpleNamespace(folder=folder, losses=found.losses, runner=runner)


def load_config(folder):
    """Read the written file as mmsegmentation's tools do, and name a work folder as they do."""
    open_bridge()
    from mmengine.config import Config

    with quiet():
        config = Config.fromfile(folder / "fcn.py")
    config.work_dir = str(folder / "mmengine")
    config.log_level = "ERROR"
    config.experiment_name = f"dumped {time.monotonic_ns()}"
    return config


def train_with_mmengine(config):
    from mmengine.runner import Runner

    with quiet():
        runner = Runner.from_cfg(config)
        runner.train()
    return runner


def test_a_written_configuration_trains_with_mmengine_s_runner_to_the_same_losses(dumped, whole):
    assert len(whole.losses) == SMALL["iterations"]
    assert dumped.losses == whole.losses  # bit for bit


def test_mmsegmentation_s_own_metric_agrees_with_ours(dumped, whole):
    theirs = dumped.runner.message_hub.get_scalar("val/mIoU").current()
    assert theirs == pytest.approx(whole.records[0].value, abs=0.006)  # two places there


def test_mmengine_resumes_its_own_checkpoint_of_a_written_configuration(dumped):
    config = load_config(dumped.folder)
    config.load_from, config.resume = str(dumped.folder / "mmengine" / "iter_3.pth"), True
    with seen() as found:
        train_with_mmengine(config)
    assert found.losses == dumped.losses[3:]


def test_a_written_configuration_refuses_a_checkpoint_of_another_width_before_training(
    dumped, with_classes, tmp_path
):
    network, other = with_classes(), tmp_path / "other.safetensors"
    manifest = replace(network.manifest, spec=replace(network.spec, width_multiplier=0.25))
    write_checkpoint(other, type(network)(manifest.spec).canonical_tensors(), manifest)
    config = load_config(dumped.folder)
    config.model.backbone.checkpoint = str(other)
    with seen() as found, pytest.raises(ManifestMismatch, match=r"other\.safetensors: it is a"):
        train_with_mmengine(config)
    assert found.losses == []


def test_training_that_diverges_says_at_which_learning_rate(network, masked_folder, tmp_path):
    with pytest.raises(Diverged, match=r"the loss is \w+ in iteration \d+, at learning rate 1e\+3"):
        measured(network, masked_folder, tmp_path, learning_rates=(1e30,))


def test_a_grid_of_which_every_point_diverges_is_no_number(network, masked_folder, tmp_path):
    with pytest.raises(BadCheckpoint, match="all 2 settings"):
        measured(network, masked_folder, tmp_path, learning_rates=(1e30, 2e30))


def test_raw_pixels_have_nothing_to_tune(masked_folder, tmp_path):
    with pytest.raises(UsageError, match="nothing to tune"):
        measured("raw_pixels", masked_folder, tmp_path)


def test_images_without_masks_are_refused(network, image_folder, tmp_path):
    with pytest.raises((UsageError, BadData), match="no masks"):
        measured(network, image_folder, tmp_path)


def test_batch_statistics_are_trained_or_kept_as_the_protocol_says(
    network, masked_folder, tmp_path, whole
):
    with seen() as found:
        measured(network, masked_folder, tmp_path, norm_eval=True, iterations=2)
    name, own = "backbone.bn1.running_mean", network.bn1.running_mean
    assert torch.equal(found.weights[0][name], own)
    assert not torch.equal(whole.weights[name], own)


def test_a_mask_that_cannot_be_is_named_before_training(network, masked_folder, tmp_path):
    from PIL import Image

    folder = shutil.copytree(masked_folder, tmp_path / "wrong")
    mask = np.asarray(Image.open(folder / "train" / "masks" / "003.png")).copy()
    mask[10, 10] = 7
    Image.fromarray(mask).save(folder / "train" / "masks" / "003.png")
    with seen() as found, pytest.raises(BadData, match=r"003\.png.*7"):
        measured(network, folder, tmp_path)
    assert found.losses == []


def test_dump_config_writes_a_file_and_measures_nothing(
    checkpoint, masked_folder, tmp_path, capsys, monkeypatch
):
    from relicheck.reports.cli import run

    monkeypatch.chdir(tmp_path)
    code = run(
        ["evaluate", str(checkpoint), "--data", str(masked_folder), "--evaluators",
         "segmentation", "--dump-config", "fcn.py", "--json"]
    )  # fmt: skip
    assert code == 0
    assert json.loads(capsys.readouterr().out) == {"config": "fcn.py"}
    text = Path("fcn.py").read_text()
    compile(text, "fcn.py", "exec")
    assert text.startswith("# segmentation_detcon/1 (")
    assert "also tries 0.001, 0.00316, 0.0316, 0.1 and chooses" in text
    assert "'lr': 0.01" in text
    assert not Path("runs").exists()


def test_dump_config_of_an_evaluator_that_trains_nothing_names_those_that_do(
    checkpoint, masked_folder
):
    with pytest.raises(UsageError, match="segmentation or segmentation_camvid_cpu"):
        configuration(checkpoint, masked_folder, "linear")


_RUN = """
import sys, time
import torch
torch.set_num_threads(1)
from relicheck.evaluations.segmentation import training
training.SAVE_SECONDS = 0.0
from relicheck.evaluations.evaluate import evaluate
evaluate({checkpoint!r}, {folder!r}, [{name!r}], records={records}, cache={cache},
         overrides={overrides!r})
"""


@pytest.mark.slow
def test_a_killed_process_s_run_ends_with_the_same_number(
    checkpoint, masked_folder, tmp_path, network
):
    overrides = {**OVERRIDES, f"{NAME}.iterations": 40}
    code = _RUN.format(
        checkpoint=str(checkpoint), folder=str(masked_folder), name=NAME, overrides=overrides,
        records=f"__import__('pathlib').Path({str(tmp_path / 'killed')!r})",
        cache=f"__import__('pathlib').Path({str(tmp_path / 'cache')!r})",
    )  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", code])
    unfinished = tmp_path / "cache" / "unfinished"
    while process.poll() is None and not list(unfinished.glob("*/state.pth")):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert list(unfinished.glob("*/state.pth"))

    subprocess.run([sys.executable, "-c", code], check=True)
    whole = evaluate(
        checkpoint, masked_folder, [NAME], records=tmp_path / "whole", overrides=overrides
    )
    (killed,) = (tmp_path / "killed").glob("*.run")
    ids = killed.read_text().split()
    values = [json.loads((tmp_path / "killed" / f"{i}.json").read_text())["value"] for i in ids]
    assert values == [r.value for r in whole]


@pytest.mark.slow
def test_camvid_is_fine_tuned_from_a_published_network(real_data, tmp_path):
    miou, *_ = evaluate(
        "akamaster_resnet20", "camvid", [NAME], records=tmp_path, limit=4,
        overrides={f"{NAME}.iterations": 2},
    )  # fmt: skip
    assert (miou.dataset, miou.images, miou.data_images) == ("camvid", 4, 233)
    pixels = read_confusions(tmp_path / f"{miou.id}.json").sum(axis=(1, 2))
    assert (pixels > 0.9 * 480 * 360).all()
    assert 0 < miou.value < 50
