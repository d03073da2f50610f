"""A bound on time that also holds where other processes want the same processors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def processor_time_below(seconds: float) -> Iterator[None]:
    """Fail where what this thread does inside takes a processor for longer; waiting for one does not count.

    It tells what ends from what does not, or its order of growth; so the bound is some times what it takes.
    """
    started = time.thread_time()
    yield
    assert time.thread_time() - started < seconds
