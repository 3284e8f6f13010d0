"""The random baseline: the network that training starts from, normalised to the images."""

from pathlib import Path

import numpy as np

from . import methods
from .cache import use_compilation_cache
from .config import PretrainConfig
from .finished import is_finished, training_facts, write
from .heads import Network
from .initial import initial_state
from .inputs import Images, check_inputs, fingerprint
from .optimizers import make_optimizer
from .statistics import estimate_batch_stats

RANDOM = "random"  # the method's name in manifests and tables


def random_backbone(config: PretrainConfig, images: Images, output: Path, source: str = "") -> Path:
    """Return `output` after writing the untrained backbone there: same seed, same start.

    Its BatchNorm statistics are those of `images`; without them it would be compared
    with a handicap that no training explains.

    Args:
        config: of any method; its initial backbone is taken. images: [images, height,
            width, 3] uint8. source: for the manifest.

    Raises:
        UsageError: `output` holds something else.
    """
    output = Path(output)
    labels = np.zeros(len(images), dtype=np.int64)
    check_inputs(images, labels, config)
    facts = {
        **training_facts(config, fingerprint(images, labels), len(images)),
        "epochs": 0,
        "steps": 0,
    }
    # The trained run of the same config must not be mistaken for its own start.
    facts["run_sha256"] = f"random-{facts['run_sha256']}"
    if is_finished(output, facts):
        return output
    use_compilation_cache()
    network = Network(config, methods.load(config.method), 2)
    state = initial_state(network, make_optimizer(config, 1, 1.0))
    variables = {
        "params": state.params["backbone"],
        "batch_stats": state.batch_stats["backbone"],
    }
    variables["batch_stats"] = estimate_batch_stats(config, variables, images)
    write(output, config, variables, facts, RANDOM, source)
    return output
