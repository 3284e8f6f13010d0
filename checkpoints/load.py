"""Opening a checkpoint: a file of any known format, or a published one by name."""

from pathlib import Path

from .errors import UnknownName
from .resnet import ResNet
from .source import read_source
from .zoo import find_published, published_names, read_published


def load_checkpoint(checkpoint: str | Path, format_name: str | None = None) -> ResNet:
    """Return the network in `checkpoint` in evaluation mode.

    It maps normalised images [N, 3, H, W] to logits where a head came along, else to
    pooled features; `.features`, `.stages` and `.manifest` are there in either case.

    Args:
        checkpoint: a file, or the name of a published checkpoint (`relicheck list
            checkpoints`) whose file lies in the cache or under RELICHECK_DATA/weights.
        format_name: the upstream format, where detection should not decide.

    Raises:
        MissingData: the file is not there.
        BadCheckpoint: it is not a checkpoint; the message says what was found.
    """
    name = str(checkpoint)
    if name in published_names():
        entry = read_published(name)
        return read_source(find_published(entry), entry.format, published=entry).network()
    path = Path(checkpoint)
    if not path.exists() and path.suffix == "" and path.parent == Path():
        raise UnknownName("checkpoint file or published checkpoint", name, published_names())
    return read_source(path, format_name).network()
