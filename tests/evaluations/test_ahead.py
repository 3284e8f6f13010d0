"""Work ahead: in order, bounded, and its errors where their results would have been."""

import threading
import time

import pytest

from relicheck.evaluations.ahead import ahead


def slowest_first(number):
    time.sleep(0.02 * (4 - number % 5))
    return number


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_tasks(workers):
    assert list(ahead(slowest_first, range(10), workers, 4)) == list(range(10))


def test_no_more_is_begun_than_may_wait():
    begun = []
    results = ahead(begun.append, iter(range(100)), 2, 5)

    next(results)
    results.close()

    assert len(begun) <= 5


def test_tasks_are_done_at_the_same_time():
    both = threading.Barrier(2)

    assert len(list(ahead(lambda _: both.wait(timeout=20), range(2), 2, 2))) == 2


def test_an_error_comes_after_the_results_before_it_and_ends_the_work():
    results = ahead(lambda divisor: 6 // divisor, [3, 2, 0, 1], 2, 4)

    assert [next(results), next(results)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(results) == []


def test_whoever_stops_early_leaves_no_thread_behind():
    results = ahead(slowest_first, iter(range(100)), 3, 5)
    next(results)
    results.close()

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
