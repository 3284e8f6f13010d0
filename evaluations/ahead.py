"""Work done ahead of whoever waits for it, by other threads and in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def ahead(
    work: Callable[[Task], Result], tasks: Iterable[Task], workers: int, waiting: int
) -> Generator[Result, None, None]:
    """Yield `work(task)` of every task, in their order, done by `workers` threads.

    At most `waiting` results are begun and not yet taken, so memory does not grow with the
    tasks, which are asked for only when they are about to be begun. What `work` raises is
    raised where its result would have been.
    """
    left = iter(tasks)
    begun: deque[Future[Result]] = deque()
    threads = ThreadPoolExecutor(workers, thread_name_prefix="ahead")
    try:
        while True:
            begun.extend(threads.submit(work, task) for task in islice(left, waiting - len(begun)))
            if not begun:
                return
            yield begun.popleft().result()
    finally:
        # Whoever stops early does not wait for what nobody will look at.
        threads.shutdown(wait=True, cancel_futures=True)
