"""The arithmetic that networks are evaluated in."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal, get_args

from ..checkpoints.errors import UsageError
from .provenance import device

Precision = Literal["float32", "tf32", "bfloat16", "float16"]


@contextmanager
def arithmetic(precision: str) -> Iterator[None]:
    """Run networks for evaluation, without gradients, in the arithmetic called `precision`.

    `float32` is IEEE single precision throughout, which a claim is judged in. torch lets
    convolutions on a GPU use TF32 (10 bits of mantissa) unless told otherwise; that is
    `tf32` here. `bfloat16` and `float16` are torch's autocasting, for exploration.

    Raises:
        UsageError: no such precision.
    """
    import torch

    check_precision(precision)
    cudnn = torch.backends.cudnn
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode())
        stack.enter_context(
            cudnn.flags(
                enabled=True, benchmark=False, deterministic=True, allow_tf32=precision == "tf32"
            )
        )
        if precision in ("bfloat16", "float16"):
            stack.enter_context(torch.autocast(device(), dtype=getattr(torch, precision)))
        yield


def check_precision(precision: str) -> None:
    """Return if there is such a precision.

    Raises:
        UsageError: there is not.
    """
    if precision not in get_args(Precision):
        raise UsageError("precision", repr(precision), " or ".join(get_args(Precision)))
