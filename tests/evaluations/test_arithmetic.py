import pytest
import torch

from relicheck.checkpoints.errors import UsageError
from relicheck.checkpoints.spec import Preprocessing
from relicheck.evaluations.arithmetic import arithmetic
from relicheck.evaluations.features import extract
from relicheck.evaluations.preprocess import batch_images
from relicheck.evaluations.shelf import SHARD_ROWS
from relicheck.evaluations.view import View


def test_float32_forbids_the_short_mantissa_that_torch_allows_convolutions_by_default():
    before = torch.backends.cudnn.allow_tf32
    with arithmetic("float32"):
        assert not torch.backends.cudnn.allow_tf32
        assert torch.backends.cudnn.deterministic
        assert not torch.is_grad_enabled()
    with arithmetic("tf32"):
        assert torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == before


def test_a_lower_precision_gives_float32_features_that_are_near_and_not_equal(network, noise):
    view = View(preprocessing=network.manifest.preprocessing)
    full, lower = (extract(network, noise, [view], precision=p)[0] for p in ("float32", "bfloat16"))
    assert lower.dtype == full.dtype == "float32"
    # bfloat16 keeps 8 bits of mantissa: about 0.4 % a rounding, a few roundings in a row.
    error = abs(lower - full).max() / abs(full).max()
    assert 0 < error < 0.05


def test_a_precision_that_does_not_exist_is_refused():
    with pytest.raises(UsageError, match="precision: 'int8'"), arithmetic("int8"):
        pass


@pytest.mark.parametrize("side", [8, 16, 28, 32, 48, 64, 96, 224, 448])
def test_whole_batches_make_up_a_shard(side):
    assert SHARD_ROWS % batch_images(Preprocessing(image_size=side)) == 0
