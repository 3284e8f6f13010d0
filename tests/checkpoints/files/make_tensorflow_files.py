"""Write small TensorFlow checkpoints with the published networks' own code.

    PYTHON make_tensorflow_files.py FOLDER CHECKOUTS [NAME ...]

PYTHON has tensorflow-cpu 2.21 and tf_keras 2.21; CHECKOUTS holds clones of
google-research/simclr (383d414) and google-research/compressive-visual-representations
(7ab773f) under their names. Their resnet.py builds the graphs, at 1/32 of the width; weights
and statistics are random. Beside each checkpoint an .npz holds the maps after the stem and
every group, and the logits, for the images in images.npz.
"""

import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # tf.layers and tf.keras as those authors knew them
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
CLASSES = 5
SIDES = (64, 65)


class Share:
    """A width multiplier below one: `64 * Share(32)` is 2, a whole number as they expect."""

    def __init__(self, parts):
        self.parts = parts

    def __rmul__(self, channels):
        return channels // self.parts


def set_flags(**changed):
    from absl import flags

    flags.FLAGS = types.SimpleNamespace(
        **{
            "global_bn": False,
            "batch_norm_decay": 0.9,
            "sk_ratio": 0.0,
            "se_ratio": 0.0,
            "train_mode": "pretrain",
            "mode": "train",
            "fine_tune_after_block": -1,
            "proj_head_mode": "nonlinear",
            "proj_out_dim": 4,
            "num_proj_layers": 3,
            "ft_proj_selector": 0,
            "lineareval_while_pretraining": True,
            "image_size": 224,
            "resnet_depth": 18,
            "width_multiplier": Share(32),
            "optimizer": "lars",
            "momentum": 0.9,
            "weight_decay": 1e-6,
            "use_tpu": False,
            "use_blur": False,
            **changed,
        }
    )


def random_values(name, shape, rng):
    leaf = name.split("/")[-1].partition(":")[0]
    if leaf == "kernel":
        return rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[:-1]))
    # Positive for scales and variances, of both signs for the others.
    return rng.random(shape) + (0.5 if leaf in ("gamma", "moving_variance") else -0.5)


def images(folder):
    with np.load(folder / "images.npz") as stored:
        return {side: stored[str(side)].astype(np.float32)[None] / 255 for side in SIDES}


def graph(folder, name, depth, *, heads=(), ema=False, trained=False, **changed):
    """Write a checkpoint of simclr/: its variables by name, as TensorFlow 1 saved them."""
    import tensorflow as tf

    v1 = tf.compat.v1
    v1.disable_eager_execution()
    set_flags(**changed)
    import model_util
    import resnet

    rng = np.random.default_rng(0)
    pixels = v1.placeholder(tf.float32, (None, None, None, 3))
    build = resnet.resnet_v1(depth, Share(32))
    with v1.variable_scope("base_model"):
        logits = build(pixels, is_training=False)
    if "contrastive" in heads:
        projected = model_util.projection_head(logits, is_training=False)
        # As model.py has it; in pretraining the classifier is trained on the features.
        logits = projected if changed.get("train_mode") == "finetune" else logits
    if "supervised" in heads:
        logits = model_util.supervised_head(logits, CLASSES, is_training=False)
    if ema:
        with v1.variable_scope("ema_model/base_model"):
            build(pixels, is_training=False)
    step = v1.train.get_or_create_global_step()
    if trained:
        variables = [v for v in v1.trainable_variables() if not v.name.startswith("ema_model")]
        optimizer = model_util.get_optimizer(0.1)
        optimizer.apply_gradients([(tf.zeros_like(v), v) for v in variables])
    known = v1.get_default_graph()
    stages = ["initial_max_pool", *(f"block_group{group}" for group in range(1, 5))]
    maps = [known.get_tensor_by_name(f"base_model/{stage}:0") for stage in stages]
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        for variable in v1.global_variables():
            if variable is not step:
                value = random_values(variable.name, variable.shape.as_list(), rng)
                variable.load(value.astype("f4"), session)
        step.load(225206, session)
        path = str(folder / name)
        v1.train.Saver().save(session, path, write_meta_graph=False, write_state=False)
        if heads:
            save_maps(folder, name, lambda batch: session.run([*maps, logits], {pixels: batch}))


def save_maps(folder, name, run):
    arrays = {}
    for side, batch in images(folder).items():
        *maps, logits = run(batch)
        arrays[f"logits_{side}"] = logits
        arrays |= {f"maps_{side}_{stage}": value for stage, value in enumerate(maps)}
    np.savez_compressed(folder / f"{name}.npz", **arrays)


def objects(folder, name, model, encoder, head, *, attribute="global_step", optimizer=None):
    """Write a checkpoint of TensorFlow 2: its variables by the attributes that hold them."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    for variable in model.variables:
        variable.assign(random_values(variable.name, variable.shape.as_list(), rng))
    more = {attribute: tf.Variable(7, dtype=tf.int64)}
    if optimizer is not None:
        trainable = model.trainable_variables
        optimizer.apply_gradients([(tf.zeros_like(v), v) for v in trainable])
        more["optimizer"] = optimizer
        for variable in model.variables:  # the step has moved them
            variable.assign(random_values(variable.name, variable.shape.as_list(), rng))
    tf.train.Checkpoint(model=model, **more).write(str(folder / name))

    def run(batch):
        maps = [batch]
        for layer in encoder.initial_conv_relu_max_pool:
            maps[0] = layer(maps[0], training=False)
        for group in encoder.block_groups:
            maps.append(group(maps[-1], training=False))
        logits = head(tf.reduce_mean(maps[-1], [1, 2]))
        return [value.numpy() for value in (*maps, logits)]

    save_maps(folder, name, run)


def write_saved_model(folder, name, model):
    """Write the variables of a SavedModel as simclr's tf2/run.py exports it."""
    import tensorflow as tf

    class SimCLRModel(tf.Module):
        def __init__(self, model):
            self.model = model
            self.trainable_variables_list = model.trainable_variables

        @tf.function
        def __call__(self, inputs, trainable):
            self.model(inputs, training=trainable)
            return inputs

    module = SimCLRModel(model)
    spec = tf.TensorSpec(shape=[None, None, None, 3], dtype=tf.float32)
    module.__call__.get_concrete_function(spec, trainable=False)
    tf.saved_model.save(module, str(folder / name))
    for file in (folder / name).glob("*.pb"):
        file.unlink()  # the graph, which is not read
    (folder / name / "assets").rmdir()


def tf2(folder):
    import tensorflow as tf

    set_flags()
    import model as library

    model = library.Model(CLASSES)
    model(tf.zeros((1, 64, 64, 3)), training=False)
    head = lambda features: model.supervised_head(features, training=False)  # noqa: E731
    optimizer = library.build_optimizer(0.1)
    objects(folder, "tf2", model, model.resnet_model, head, optimizer=optimizer)
    write_saved_model(folder, "tf2_saved_model", model)


def cbyol(folder):
    # Its heads sample from a distribution while they train; they are not trained here.
    library = types.ModuleType("tensorflow_probability")
    library.distributions = None
    sys.modules["tensorflow_probability"] = library
    set_flags(
        train_mode="finetune",
        resnet_depth=50,
        num_proj_layers=2,
        proj_head_hidden_dim=8,
        stochastic_projector=True,
        projector_mid_bn=True,
        proj_head_output_bn=False,
        mlp_init="byol",
        zero_init_logits_layer=False,
        rename_supervised_head=False,
        use_momentum_encoder=True,
        use_momentum_proj_head=True,
        use_projector=True,
        use_target_projector=True,
    )
    from compressive_visual_representations import model as library

    model = library.build_model(CLASSES)
    model.initialise_networks((1, 64, 64, 3))
    head = lambda features: model.supervised_head(features, training=False)  # noqa: E731
    objects(folder, "cbyol", model, model._resnet, head, attribute="finetune_global_step")


KINDS = "float32 float64 float16 bfloat16 int32 int64 int16 int8 uint8 uint16 uint32 uint64 bool"


def kinds(folder):
    """Write a checkpoint in two data files, of variables of every kind, one cut into parts."""
    import tensorflow as tf

    v1 = tf.compat.v1
    v1.disable_eager_execution()
    values = np.arange(6).reshape(2, 3)
    with tf.device("/cpu:0"):
        for kind in KINDS.split():
            v1.get_variable(kind, initializer=tf.cast(tf.constant(values), kind))
        v1.get_variable("empty", initializer=tf.zeros((0, 4)))
        v1.get_variable("text", initializer=tf.constant(["one", "two"]))
    with tf.device("/cpu:1"):
        v1.get_variable("other/device", initializer=tf.constant([1.5, -2.5]))
        halves = v1.fixed_size_partitioner(2)
        v1.get_variable("parts", shape=(4, 2), initializer=tf.ones, partitioner=halves)
    with v1.Session(config=v1.ConfigProto(device_count={"CPU": 2})) as session:
        session.run(v1.global_variables_initializer())
        path = str(folder / "kinds")
        saver = v1.train.Saver(sharded=True)
        saver.save(session, path, write_meta_graph=False, write_state=False)


FILES = {
    "kinds": ("simclr", kinds),
    # Version 1 as released: no projection head, no optimiser.
    "resnet50": ("simclr", lambda folder: graph(folder, "resnet50", 50, heads=("supervised",))),
    # Version 2 as released: both heads, momentum, and the moving average of the encoder.
    "resnet18": (
        "simclr",
        lambda folder: graph(
            folder, "resnet18", 18, heads=("contrastive", "supervised"), ema=True, trained=True
        ),
    ),
    # Fine-tuned from the first layer of the projection head, as for 1 % and 10 % of the labels.
    "finetuned": (
        "simclr",
        lambda folder: graph(
            folder, "finetuned", 18, heads=("contrastive", "supervised"),
            train_mode="finetune", ft_proj_selector=1,
        ),
    ),
    "selective": ("simclr", lambda folder: graph(folder, "selective", 50, sk_ratio=0.0625)),
    "squeezed": ("simclr", lambda folder: graph(folder, "squeezed", 18, se_ratio=0.25)),
    "tf2": ("simclr/tf2", tf2),
    "cbyol": ("compressive-visual-representations", cbyol),
}  # fmt: skip


def main(folder, checkouts, *names):
    folder, checkouts = Path(folder).resolve(), Path(checkouts).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if len(names) == 1:
        code, write = FILES[names[0]]
        sys.path.insert(0, str(checkouts / code))
        write(folder)
        return
    rng = np.random.default_rng(0)
    pixels = {str(side): rng.integers(0, 256, (side, side, 3), np.uint8) for side in SIDES}
    np.savez_compressed(folder / "images.npz", **pixels)
    for name in names or FILES:  # each repository calls its modules `resnet` and `model`
        subprocess.run([sys.executable, __file__, folder, checkouts, name], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
