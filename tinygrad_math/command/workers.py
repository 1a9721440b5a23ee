"""The workers that a command asks for: processes on this machine, or those of a scheduler somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ..core.errors import ClusterError
from ..distributed.sending import library

_SECONDS = 10  # to wait for a scheduler's answer


@contextmanager
def workers(count: int | None, address: str | None) -> Iterator[Any]:
    """A Dask client for `--workers` or `--scheduler`, closed afterwards; None where neither is given.

    Raises MissingExtra without Dask, ClusterError where no scheduler answers.
    """
    if count is None and address is None:
        yield None
        return
    dask = library("distributed", "--workers" if address is None else "--scheduler")
    with ExitStack() as stack:
        if address is None:
            cluster = dask.LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=":0")
            stack.enter_context(cluster)
            client = dask.Client(cluster)
        else:
            try:
                client = dask.Client(address, timeout=_SECONDS)
            except (OSError, ValueError, TypeError) as error:
                raise ClusterError(f"--scheduler: no scheduler answers at {address}: {error}") from error
        yield stack.enter_context(client)
