"""How a run is carried out: nothing here changes the weights that come out of it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a user may choose anew at every start of the same run."""

    progress: bool = True  # a bar on standard error
    steps_per_dispatch: int | None = None  # in one compiled call; None: as the device likes it
    save_seconds: float = 60.0  # between two saved states
    keep: int = 2  # saved states; the older ones are removed
    log_steps: int = 50  # between two rows of the log
    knn_epochs: float = 0.0  # between two online k-NN scores; 0: none
    tensorboard: bool = False  # event files beside the CSV log
    workers: int = 0  # processes that decode images; 0: in this one
    shard_optimizer: bool = False  # divide the optimiser's state among the devices
