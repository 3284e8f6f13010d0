"""Roughly what measuring a claim would cost, against counts that others print."""

import pytest

from relicheck.checkpoints.spec import ResNetSpec
from relicheck.reports.claim_registry import load_claims
from relicheck.reports.cost import ASSUMPTION, cost, cost_lines
from relicheck.reports.flops import multiply_adds, parameters
from relicheck.reports.selection import find_claim

# torchvision's weights, meta["_ops"] (1e9 multiply-additions at 224) and meta["num_params"]:
# both with the classifier, the parameters without BatchNorm's two statistics.
PUBLISHED = {
    18: (1.814, 11_689_512, 512),
    34: (3.664, 21_797_672, 512),
    50: (4.089, 25_557_032, 2048),
    101: (7.801, 44_549_160, 2048),
    152: (11.514, 60_192_808, 2048),
}


@pytest.mark.parametrize("depth", PUBLISHED)
def test_multiply_additions_are_those_torchvision_prints(depth):
    giga, _, features = PUBLISHED[depth]
    counted = multiply_adds(ResNetSpec(depth=depth)) + 1000 * features
    assert counted / 1e9 == pytest.approx(giga, abs=5e-4)


@pytest.mark.parametrize("depth", [18, 50])
def test_parameters_are_those_of_the_network_that_is_built(depth):
    from relicheck.checkpoints.resnet import ResNet

    spec = ResNetSpec(depth=depth)
    built = sum(t.numel() for n, t in ResNet(spec).state_dict().items() if "num_batches" not in n)
    assert parameters(spec) == built


def test_twice_the_width_is_nearly_four_times_the_work():
    wide, narrow = (ResNetSpec(depth=50, width_multiplier=w) for w in (2, 1))
    assert multiply_adds(wide) / multiply_adds(narrow) == pytest.approx(4, rel=0.03)


def claim(identifier):
    return find_claim(load_claims(), identifier)


def test_a_probe_costs_its_epochs_of_imagenet():
    found = {way.evaluator: way for way in cost(claim("relicv2/imagenet/linear-top1/rn50")).ways}
    # 100 * 1,281,167 + 50,000 images of 2 * 4.087e9 operations at 1e13 a second.
    hours = (100 * 1_281_167 + 50_000) * 2 * 4.0871e9 / 1e13 / 3600
    assert found["linear_sgd"].gpu_hours == pytest.approx(hours, rel=1e-3)
    assert round(hours) == 29
    assert found["classifier"].gpu_hours == pytest.approx(hours * 50_000 / 128_166_700, rel=1e-3)


def test_a_claim_on_shifted_images_needs_imagenet_on_disk_too():
    found = cost(claim("relicv2/objectnet/top1/rn50"))
    assert found.data == ("objectnet", "imagenet")
    assert found.data_bytes == 193_000_000_000 + 155_000_000_000


def test_one_corruption_is_five_cells_and_all_are_seventy_five():
    one = cost(claim("relic-paper/relic-t/imagenet-c-frost/ce/rn50")).ways[0]
    assert "250,000 test images" in one.how


def test_pretraining_is_counted_where_the_claim_is_about_a_recipe():
    way = cost(claim("byol-ablation/byol-batch-64/top1/rn50")).ways[0]
    # 300 epochs, two views, forwards and backwards (3) and the target network (1).
    assert way.passes == 8 * 300 * 1_281_167 + 50_000
    assert "pretraining, 300 epochs of 1,281,167 images" in way.how


def test_counting_predictions_needs_no_gpu():
    lines = cost_lines(claim("testbed/resnet50/imagenetv2-mf-as-released/top1"))
    assert "no GPU" in lines[0]


def test_the_assumption_is_printed_with_the_cost():
    assert cost_lines(claim("relicv2/objectnet/top1/rn50"))[-1] == f"assumed: {ASSUMPTION}"


def test_every_claim_has_a_cost_or_says_what_is_not_known():
    for each in load_claims():
        found = cost(each)
        assert len(found.ways) == len(each.evaluators)
        assert found.data
        assert all(way.gpu_hours is not None for way in found.ways), each.id
