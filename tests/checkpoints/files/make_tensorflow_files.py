"""Write SimCLR's ResNets with TensorFlow itself, for test_simclr.py.

    PYTHON_WITH_TENSORFLOW make_tensorflow_files.py FOLDER

The graph follows google-research/simclr resnet.py: layers of tf.compat.v1 without names of
their own, in its order of creation, `fixed_padding` before strided convolutions, a SAME
max-pool. Beside each checkpoint, an .npz holds images and the maps after stem and groups.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}


class Builder:
    """Variables named as tf.layers names them: conv2d, conv2d_1, batch_normalization ..."""

    def __init__(self, rng, slots):
        self.rng, self.slots, self.counts = rng, slots, {}

    def name(self, kind):
        number = self.counts.setdefault(kind, 0)
        self.counts[kind] += 1
        return f"base_model/{kind}_{number}" if number else f"base_model/{kind}"

    def conv(self, x, filters, kernel, stride):
        if stride > 1:
            before = (kernel - 1) // 2
            after = kernel - 1 - before
            x = tf.pad(x, [[0, 0], [before, after], [before, after], [0, 0]])
        shape = (kernel, kernel, int(x.shape[-1]), filters)
        values = self.rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[:3]))
        weights = v1.get_variable(f"{self.name('conv2d')}/kernel", initializer=values.astype("f4"))
        if self.slots:
            slot = f"{weights.op.name}/ExponentialMovingAverage"
            v1.get_variable(slot, initializer=(2 * values).astype("f4"))
            v1.get_variable(f"{weights.op.name}/Momentum", initializer=values.astype("f4"))
        return tf.nn.conv2d(x, weights, stride, "SAME" if stride == 1 else "VALID")

    def norm(self, x, relu=True):
        name, channels = self.name("batch_normalization"), int(x.shape[-1])
        of = {
            leaf: v1.get_variable(
                f"{name}/{leaf}", initializer=(low + self.rng.random(channels)).astype("f4")
            )
            for leaf, low in (
                ("gamma", 0.5),
                ("beta", -0.5),
                ("moving_mean", -0.5),
                ("moving_variance", 0.5),
            )
        }
        for leaf in ("gamma", "beta") if self.slots else ():
            slot = f"{name}/{leaf}/ExponentialMovingAverage"
            v1.get_variable(slot, initializer=np.ones(channels, "f4"))
        x = tf.nn.batch_normalization(
            x, of["moving_mean"], of["moving_variance"], of["beta"], of["gamma"], 1e-5
        )
        return tf.nn.relu(x) if relu else x


def network(images, depth, base, rng, selective=False, slots=False):
    build = Builder(rng, slots)
    if selective:  # ResNet-D's stem, which resnet.py takes with selective kernels
        x = build.norm(build.conv(images, base // 2, 3, 2))
        x = build.norm(build.conv(x, base // 2, 3, 1))
        x = build.norm(build.conv(x, base, 3, 1))
    else:
        x = build.norm(build.conv(images, base, 7, 2))
    maps = [tf.nn.max_pool2d(x, 3, 2, "SAME")]
    for group, blocks in enumerate(BLOCKS[depth]):
        x, filters = maps[-1], base * 2**group
        for block in range(blocks):
            stride = 2 if block == 0 and group > 0 else 1
            outer = 4 * filters if depth == 50 else filters
            shortcut = x
            if block == 0:
                shortcut = build.norm(build.conv(x, outer, 1, stride), relu=False)
            if depth == 50:
                x = build.norm(build.conv(x, filters, 1, 1))
                x = build.norm(build.conv(x, filters, 3, stride))
                x = build.norm(build.conv(x, outer, 1, 1), relu=False)
            else:
                x = build.norm(build.conv(x, filters, 3, stride))
                x = build.norm(build.conv(x, outer, 3, 1), relu=False)
            x = tf.nn.relu(x + shortcut)
        maps.append(x)
    return maps


def write(folder, name, depth, base, classes=None, sides=(64, 65), selective=False, slots=False):
    rng = np.random.default_rng(0)
    with tf.Graph().as_default(), v1.Session() as session:
        images = v1.placeholder(tf.float32, (None, None, None, 3))
        maps = network(images, depth, base, rng, selective, slots)
        if classes:
            scope = "head_supervised/linear_layer/dense"
            dim = int(maps[-1].shape[-1])
            kernel = rng.normal(size=(dim, classes)).astype("f4")
            v1.get_variable(f"{scope}/kernel", initializer=kernel)
            v1.get_variable(f"{scope}/bias", initializer=np.arange(classes, dtype="f4"))
        v1.get_variable("head_contrastive/nl_0/dense/kernel", initializer=np.ones((4, 4), "f4"))
        v1.train.create_global_step()
        session.run(v1.global_variables_initializer())
        session.run(v1.assign(v1.train.get_global_step(), 225206))
        v1.train.Saver().save(
            session, str(folder / name), write_meta_graph=False, write_state=False
        )
        arrays = {}
        for side in sides:
            batch = rng.random((1, side, side, 3)).astype("f4")
            arrays[f"images_{side}"] = batch
            for stage, value in enumerate(session.run(maps, {images: batch})):
                arrays[f"maps_{side}_{stage}"] = value
        np.savez_compressed(folder / f"{name}.npz", **arrays)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    v1.disable_eager_execution()
    write(target, "resnet18", 18, 4, classes=5, slots=True)
    write(target, "resnet50", 50, 4)
    write(target, "selective", 18, 2, sides=(), selective=True)
