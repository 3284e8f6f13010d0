"""The loop of one run: steps, what is shown of them, and what is kept."""

import itertools

from .config import PretrainConfig
from .dispatch import make_dispatch
from .feed import Feed
from .heads import Network
from .health import check_health
from .initial import initial_state
from .inputs import total_steps
from .method import Method
from .optimizers import make_optimizer
from .options import RunOptions
from .step import make_step
from .store import Position, Store
from .watch import Watch


def run(
    config: PretrainConfig, method: Method, feed: Feed, options: RunOptions, store: Store
) -> Position:
    """Return the end of the run, beginning from what `store` has of it.

    Raises:
        TrainingFailed: the loss is not finite, or the features collapsed.
    """
    total = total_steps(feed.images, config)
    network = Network(config, method, feed.classes)
    optimizer = make_optimizer(config, total, feed.images / config.batch_size)
    now = store.restore(initial_state(network, optimizer))
    dispatch = make_dispatch(make_step(network, optimizer, feed, total), feed)
    batches = feed.batches(now.step, total)
    with Watch(config, options, total, now.step) as watch:
        try:
            while now.step < total:
                taken = list(itertools.islice(batches, options.steps_per_dispatch or 1))
                state, facts = dispatch(now.state, now.step, taken)
                for index in range(len(taken)):
                    where = f"{config.method}, step {now.step + index + 1} of {total}"
                    check_health(where, {name: float(f[index]) for name, f in facts.items()})
                first = now.step
                # One object, so that an interruption finds state and count of the same step.
                now = Position(state, first + len(taken), float(facts["loss"][-1]))
                watch.steps(first, facts)
                store.offer(now)
        except KeyboardInterrupt:
            store.save(now)
            raise
    return now
