"""Heads of a run that is not finished, kept so that a killed one goes on where it was."""

import hashlib
import json
import time
from pathlib import Path

from ..checkpoints.files import atomic_path
from .heads import Trained
from .sgd_protocol import SgdProtocol
from .subject import Subject

# Between two savings of the heads: what a killed run repeats, at most, beside an epoch.
SAVE_SECONDS = 30.0
_HEADER_KEY = "relicheck_heads"


class UnfinishedHeads:
    """The heads of an unfinished run, in the folder of cached features."""

    def __init__(self, subject: Subject, protocol: SgdProtocol, seed: int) -> None:
        fingerprints = [subject.images("train").fingerprint]
        if protocol.select_on_test:
            fingerprints.append(subject.images("test").fingerprint)
        inputs = [protocol.digest, subject.weights_sha256, subject.model.name, fingerprints, seed]
        self._key = hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16]
        folder = subject.cache
        self._path: Path | None = (
            None if folder is None else folder / "unfinished" / f"{protocol.name}-{self._key}.heads"
        )
        self._last = time.monotonic()

    def load(self, trained: Trained) -> int:
        """Fill in what was saved; return the epoch to go on with, 0 where nothing was."""
        if self._path is None or not self._path.is_file():
            return 0
        from safetensors import SafetensorError, safe_open

        heads = trained.heads
        try:
            with safe_open(self._path, framework="pt") as file:
                facts = json.loads((file.metadata() or {})[_HEADER_KEY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if facts["key"] != self._key or tensors["weight"].shape != heads.weight.shape:
                return 0
            heads.weight.copy_(tensors["weight"])
            heads.velocity.copy_(tensors["velocity"])
        except (SafetensorError, OSError, KeyError, ValueError):
            # Half a file or another version's: the run begins anew, as without it.
            heads.weight.zero_()
            heads.velocity.zero_()
            return 0
        heads.rest(facts["diverged"])
        trained.diverged = {int(head): epoch for head, epoch in facts["diverged"].items()}
        if "best_on_test" in tensors:
            trained.best_on_test = tensors["best_on_test"].numpy()
            trained.best_on_test_said = facts["said"]
        return int(facts["epoch"])

    def keep(self, trained: Trained, epoch: int) -> None:
        """Save the state after `epoch` epochs, if the last saving is a while ago."""
        if self._path is None or time.monotonic() - self._last < SAVE_SECONDS:
            return
        import torch
        from safetensors.torch import save_file

        heads = trained.heads
        tensors = {"weight": heads.weight, "velocity": heads.velocity}
        if trained.best_on_test is not None:
            tensors["best_on_test"] = torch.from_numpy(trained.best_on_test)
        facts = {"key": self._key, "epoch": epoch, "diverged": trained.diverged,
                 "said": trained.best_on_test_said}  # fmt: skip
        with atomic_path(self._path) as temporary:
            save_file(tensors, temporary, metadata={_HEADER_KEY: json.dumps(facts)})
        self._last = time.monotonic()

    def remove(self) -> None:
        """Remove what was saved: the run is finished, its records speak for it."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
