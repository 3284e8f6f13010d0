import math

import numpy as np
import pytest
import torch

from relicheck.evaluations import heads as module
from relicheck.evaluations.heads import Heads, Point

GRID = [Point(learning_rate=rate, weight_decay=decay) for rate in (0.5, 0.1) for decay in (0, 1e-2)]


def batches(count=6, images=20, dim=5, classes=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        (
            torch.randn(images, dim, generator=generator),
            torch.randint(0, classes, (images,), generator=generator),
        )
        for _ in range(count)
    ]


def shares(count):
    return [0.5 * (1 + math.cos(math.pi * step / count)) for step in range(count)]


def trained(points, data, nesterov=True, parts=1):
    made = Heads(points, 5, 3, momentum=0.9)
    for (features, labels), share in zip(data, shares(len(data)), strict=True):
        pieces = zip(features.chunk(parts), labels.chunk(parts), strict=True)
        gradients = [made.gradient(some, truth, len(features)) for some, truth in pieces]
        made.step(sum(gradients[1:], gradients[0]), share, nesterov)
    return made


def by_torch(point, data, nesterov):
    """One head by torch's own layer, loss, optimiser and autograd."""
    layer = torch.nn.Linear(5, 3)
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    optimiser = torch.optim.SGD(
        layer.parameters(),
        lr=point.learning_rate,
        momentum=0.9,
        nesterov=nesterov,
        weight_decay=point.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, len(data))
    for features, labels in data:
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(layer(features), labels).backward()
        optimiser.step()
        schedule.step()
    return torch.cat([layer.weight.T, layer.bias[None]]).detach()


@pytest.mark.parametrize("nesterov", [True, False])
def test_every_head_of_the_grid_is_what_torch_trains_alone(nesterov):
    data = batches()
    together = trained(GRID, data, nesterov)
    for head, point in enumerate(GRID):
        torch.testing.assert_close(together.weight[:, head], by_torch(point, data, nesterov))


def test_a_head_does_not_depend_on_those_beside_it():
    data = batches()
    together, alone = trained(GRID, data), trained(GRID[2:3], data)
    torch.testing.assert_close(together.weight[:, 2], alone.weight[:, 0])


def test_a_global_batch_divided_over_processes_or_chunks_is_the_same_batch(monkeypatch):
    data = batches()
    whole = trained(GRID, data)
    torch.testing.assert_close(trained(GRID, data, parts=2).weight, whole.weight)
    monkeypatch.setattr(module, "_LOGIT_VALUES", 3 * 12)  # three images at a time
    torch.testing.assert_close(trained(GRID, data).weight, whole.weight)


def test_unequal_parts_count_by_their_images():
    # A mean of means would weigh the 3 images of the second part as the 17 of the first.
    [(features, labels)] = batches(1)
    made = Heads(GRID, 5, 3, momentum=0.9)
    parts = made.gradient(features[:17], labels[:17], 20) + made.gradient(
        features[17:], labels[17:], 20
    )
    torch.testing.assert_close(parts, made.gradient(features, labels, 20))


def test_a_head_that_diverges_is_put_to_rest_and_the_others_go_on():
    data = batches(30)
    wild = [Point(learning_rate=1e38, weight_decay=1.0), *GRID]
    made = Heads(wild, 5, 3, momentum=0.9)
    lost = []
    for features, labels in data:
        made.step(made.gradient(features, labels, 20), 1.0, True)
        lost += made.drop_diverged()
    assert lost == [0]
    assert made.alive.tolist() == [False, True, True, True, True]
    assert not made.weight[:, 0].any()
    beside = Heads(GRID, 5, 3, momentum=0.9)
    for features, labels in data:
        beside.step(beside.gradient(features, labels, 20), 1.0, True)
    torch.testing.assert_close(made.weight[:, 1:], beside.weight)


def test_right_answers_are_those_of_the_largest_logit_and_of_equals_the_lower_class(monkeypatch):
    made = trained(GRID, batches())
    features = np.random.default_rng(0).normal(size=(50, 5)).astype(np.float32)
    labels = np.arange(50) % 3
    weight = made.weight.numpy()
    monkeypatch.setattr(module, "_LOGIT_VALUES", 7 * 12)
    for head, right in enumerate(made.right(features, labels)):
        logits = features @ weight[:-1, head] + weight[-1, head]
        assert right.tolist() == (logits.argmax(axis=1) == labels).tolist()
    fresh = Heads(GRID, 5, 3, momentum=0.9)
    assert fresh.right(features, labels)[0].tolist() == (labels == 0).tolist()
