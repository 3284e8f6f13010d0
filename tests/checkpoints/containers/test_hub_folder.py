"""Hub folders: the weights' tree with config.json beside it."""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from relicheck.checkpoints.container import open_checkpoint
from relicheck.checkpoints.errors import BadCheckpoint


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "resnet"}')
    return tmp_path


@pytest.mark.parametrize("kind", ["model.safetensors", "pytorch_model.bin"])
def test_the_weights_and_the_texts_are_one_tree(folder, kind):
    if kind == "pytorch_model.bin":
        torch.save({"a": torch.ones(3)}, folder / kind)
    else:
        save_file({"a": np.ones(3, np.float32)}, folder / kind)
    (folder / "preprocessor_config.json").write_text('{"size": 224}')

    opened = open_checkpoint(folder)

    assert opened.container == "hub_folder"
    assert opened.tree["a"].read().tolist() == [1, 1, 1]
    assert opened.at("config", "model_type") == "resnet"
    assert opened.at("preprocessor_config", "size") == 224


def test_safetensors_are_preferred_to_a_pickle(folder):
    save_file({"a": np.ones(3, np.float32)}, folder / "model.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"not looked at")

    assert open_checkpoint(folder).tree["a"].shape == (3,)


def test_weights_in_several_files_are_refused(folder):
    (folder / "model.safetensors.index.json").write_text("{}")

    with pytest.raises(BadCheckpoint, match="in several files"):
        open_checkpoint(folder)


def test_a_folder_without_weights_is_no_checkpoint(folder):
    with pytest.raises(BadCheckpoint, match="not a checkpoint of a known kind"):
        open_checkpoint(folder)


@pytest.mark.parametrize(
    "text", ["{", "[]", "[" * 100_000, "\xff", json.dumps("x"), '{"a": ' * 100_000]
)
def test_a_config_that_is_no_json_object_is_refused(folder, text):
    save_file({"a": np.ones(3, np.float32)}, folder / "model.safetensors")
    (folder / "config.json").write_bytes(text.encode("latin-1"))

    with pytest.raises(BadCheckpoint, match=r"config\.json.*JSON object"):
        open_checkpoint(folder)
