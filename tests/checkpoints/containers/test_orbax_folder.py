"""Orbax's own folders are read without jax; incomplete or wandering ones are refused."""

import json
import shutil
import sys

import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from flax.serialization import msgpack_serialize
from flax.training import checkpoints

from relicheck.checkpoints import containers
from relicheck.checkpoints.container import open_checkpoint, tensors_of
from relicheck.checkpoints.errors import BadCheckpoint, MissingDependency

_KERNEL = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def tree(step=3):
    return {
        "params": {"conv1": {"kernel": jnp.asarray(_KERNEL)}, "bn1": {"scale": np.ones(4)}},
        "opt": [{"mu": jnp.ones(3, jnp.bfloat16)}, ()],
        "none": None,
        "step": step,
    }


def save_standard(path, content):
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(path, content)


WRITERS = {
    "ocdbt": lambda path: ocp.PyTreeCheckpointer().save(path, tree()),
    "zarr": lambda path: ocp.PyTreeCheckpointer(use_ocdbt=False).save(path, tree()),
    "zarr3": lambda path: ocp.PyTreeCheckpointer(use_zarr3=True).save(path, tree()),
    "standard": lambda path: save_standard(path, tree()),
}


@pytest.fixture
def folder(tmp_path):
    """Call with a writer's name: the folder it wrote."""

    def write(name="ocdbt"):
        WRITERS[name](tmp_path / name)
        return tmp_path / name

    return write


@pytest.mark.parametrize("writer", WRITERS)
def test_every_layout_of_orbax_gives_the_same_tree(folder, writer):
    opened = open_checkpoint(folder(writer))

    assert opened.container == "orbax_folder"
    assert {name: tensor.dtype for name, tensor in tensors_of(opened.tree).items()} == {
        "params.conv1.kernel": "float32",
        "params.bn1.scale": "float64",
        "opt.0.mu": "bfloat16",
        "step": "int64",
    }
    assert np.array_equal(opened.at("params", "conv1", "kernel").read(), _KERNEL)
    assert opened.at("opt", "0", "mu").read().tolist() == [1, 1, 1]


@pytest.mark.parametrize("writer", ["ocdbt", "zarr"])
def test_a_folder_may_have_any_name(folder, tmp_path, writer):
    odd = folder(writer).rename(tmp_path / "50 % off #1?&")

    assert np.array_equal(open_checkpoint(odd).at("params", "conv1", "kernel").read(), _KERNEL)


def test_of_several_steps_the_newest_is_read_and_named(tmp_path):
    with ocp.CheckpointManager(tmp_path / "run") as manager:
        for step in (1, 9, 10):
            manager.save(step, args=ocp.args.StandardSave(tree(step)))

    opened = open_checkpoint(tmp_path / "run")

    # 10, although "9" comes later among names.
    assert opened.facts() == {"orbax_step": 10, "orbax_steps": "1, 9, 10"}
    assert opened.tree["step"].read() == 10


def test_an_unfinished_step_is_not_read(tmp_path):
    with ocp.CheckpointManager(tmp_path / "run") as manager:
        for step in (1, 2):
            manager.save(step, args=ocp.args.StandardSave(tree(step)))
    # As Orbax calls a step that is being written.
    (tmp_path / "run" / "2").rename(tmp_path / "run" / "2.orbax-checkpoint-tmp-1700000000")

    assert open_checkpoint(tmp_path / "run").facts()["orbax_step"] == 1


def test_items_beside_each_other_keep_their_names(tmp_path):
    with ocp.CheckpointManager(tmp_path / "run") as manager:
        items = {name: ocp.args.StandardSave({"a": np.ones(2)}) for name in ("params", "ema")}
        manager.save(4, args=ocp.args.Composite(**items, notes=ocp.args.JsonSave({"b": 1})))

    assert set(tensors_of(open_checkpoint(tmp_path / "run").tree)) == {"params.a", "ema.a"}


def test_flax_trainings_folder_is_one_of_steps(tmp_path):
    checkpoints.save_checkpoint(str(tmp_path), tree(), 70)

    opened = open_checkpoint(tmp_path)

    assert opened.facts()["orbax_step"] == 70
    assert np.array_equal(opened.at("params", "conv1", "kernel").read(), _KERNEL)


def test_a_text_leaf_comes_as_text(tmp_path):
    ocp.PyTreeCheckpointer().save(tmp_path / "a", {"name": "BYOL", "params": np.ones(2)})

    assert open_checkpoint(tmp_path / "a").at("name") == "BYOL"


@pytest.mark.parametrize("writer", ["zarr", "ocdbt"])
def test_a_lost_piece_of_an_array_is_not_read_as_zeros(folder, writer):
    path = folder(writer)
    if writer == "zarr":
        (path / "params.conv1.kernel" / "0.0.0").unlink()
        with pytest.raises(BadCheckpoint, match=r"params\.conv1\.kernel cannot be read"):
            open_checkpoint(path).at("params", "conv1", "kernel").read()
        return
    shutil.rmtree(path / "d")
    with pytest.raises(BadCheckpoint, match="cannot be opened"):
        open_checkpoint(path)


@pytest.mark.parametrize("writer", ["zarr", "ocdbt"])
def test_files_cut_in_half_are_refused(folder, writer):
    path = folder(writer)
    for file in path.rglob("*"):
        if file.is_file() and file.name != "_METADATA":
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])

    with pytest.raises(BadCheckpoint):
        open_checkpoint(path).at("params", "conv1", "kernel").read()


def test_a_flipped_bit_gives_a_tree_or_a_message_never_another_error(folder):
    path, random = folder("zarr"), np.random.default_rng(0)
    files = [path / "_METADATA", path / "params.conv1.kernel" / ".zarray"]
    files.append(path / "params.conv1.kernel" / "0.0.0")

    for index in range(150):
        file = files[index % 3]
        whole = file.read_bytes()
        damaged = bytearray(whole)
        damaged[random.integers(len(whole))] ^= 1 << random.integers(8)
        file.write_bytes(damaged)
        try:
            for tensor in tensors_of(open_checkpoint(path).tree).values():
                if tensor.nbytes < 1000:
                    tensor.read()
        except BadCheckpoint:
            pass
        file.write_bytes(whole)


def renamed(path, *keys):
    """Give the kernel's leaf in _METADATA other keys."""
    content = json.loads((path / "_METADATA").read_text())
    leaf = content["tree_metadata"]["('params', 'conv1', 'kernel')"]
    leaf["key_metadata"] = [{"key": key, "key_type": 2} for key in keys]
    (path / "_METADATA").write_text(json.dumps(content))


@pytest.mark.parametrize("keys", [("../secret",), ("..", "secret"), ("/etc",), ("a/../../secret",)])
def test_a_name_that_leads_out_of_the_folder_opens_nothing(folder, tmp_path, keys):
    path = folder("zarr")
    shutil.copytree(path / "params.conv1.kernel", tmp_path / "secret")
    renamed(path, *keys)

    with pytest.raises(BadCheckpoint, match="cannot be opened"):
        open_checkpoint(path)


def test_a_link_that_leads_out_of_the_folder_is_refused(folder, tmp_path):
    path = folder("zarr")
    shutil.move(path / "params.conv1.kernel", tmp_path / "secret")
    (path / "params.conv1.kernel").symlink_to(tmp_path / "secret")

    with pytest.raises(BadCheckpoint, match="leads out of the folder"):
        open_checkpoint(path)


def test_a_chunk_far_larger_than_its_array_is_refused(folder):
    path = folder("zarr")
    file = path / "params.conv1.kernel" / ".zarray"
    file.write_text(file.read_text().replace('"chunks":[2,3,4]', '"chunks":[99999,99999,99]'))

    with pytest.raises(BadCheckpoint, match="a chunk of far more values"):
        open_checkpoint(path)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"tree_metadata": 3}',
        '{"tree_metadata": {"a": {}}}',
        '{"tree_metadata": {"a": {"key_metadata": [3], "value_metadata": {}}}}',
        '{"a":' * 100_000,
        "[" * 100_000,
    ],
)
def test_metadata_that_is_no_tree_is_refused(folder, text):
    path = folder()
    (path / "_METADATA").write_text(text)

    with pytest.raises(BadCheckpoint):
        open_checkpoint(path)


def test_a_leaf_above_another_is_refused(folder):
    path = folder()
    content = json.loads((path / "_METADATA").read_text())
    leaf = content["tree_metadata"]["('step',)"]
    content["tree_metadata"] = {
        "a": {**leaf, "key_metadata": [{"key": "step"}]},
        "b": {**leaf, "key_metadata": [{"key": "step"}, {"key": "below"}]},
    }
    (path / "_METADATA").write_text(json.dumps(content))

    with pytest.raises(BadCheckpoint):
        open_checkpoint(path)


def test_a_folder_from_before_the_metadata_file_is_named_as_such(folder):
    path = folder()
    (path / "_METADATA").unlink()

    with pytest.raises(BadCheckpoint, match=r"Orbax before 0\.4\.2.*save it again"):
        open_checkpoint(path)


def test_tensorflows_folders_are_not_orbaxs(tmp_path):
    # Both keep a file of this name; TensorFlow's is a text.
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-250228"')

    assert not containers.load("orbax_folder").matches(tmp_path, b"")


def test_a_tree_from_before_the_metadata_file_in_messagepack_is_named_as_such(tmp_path):
    (tmp_path / "checkpoint").write_bytes(msgpack_serialize({"params": np.ones(3)}))

    with pytest.raises(BadCheckpoint, match=r"Orbax before 0\.4\.2"):
        open_checkpoint(tmp_path)


def test_without_tensorstore_the_message_names_the_extra(folder, monkeypatch):
    path = folder()
    monkeypatch.setitem(sys.modules, "tensorstore", None)

    with pytest.raises(MissingDependency, match=r"relicheck\[pretrain\]"):
        open_checkpoint(path)


def test_another_folder_is_no_checkpoint(tmp_path):
    (tmp_path / "100").mkdir()
    (tmp_path / "100" / "image.jpeg").write_bytes(b"x")

    with pytest.raises(BadCheckpoint, match="not a checkpoint of a known kind"):
        open_checkpoint(tmp_path)
