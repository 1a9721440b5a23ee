"""The workers that a command asks for: processes on this machine, or those of a scheduler somewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ..core.errors import ClusterError
from ..distributed.sending import library

_SECONDS = 10.0  # to wait for a scheduler's answer


@contextmanager
def workers(count: int | None, address: str | None) -> Iterator[Any]:
    """A Dask client for `--workers` or `--scheduler`, closed afterwards; None where neither is given.

    Raises MissingExtra without Dask, ClusterError where no scheduler answers.
    """
    if count is None and address is None:
        yield None
        return
    if address is not None:
        print(f"waiting for the scheduler at {address}, {_SECONDS:g} s at most", file=sys.stderr, flush=True)
    dask = library("distributed", "--workers" if address is None else "--scheduler")
    with ExitStack() as stack:
        if address is None:
            # a worker that dies is started anew, and is not given up if that takes long
            config = library("dask", "--workers").config
            stack.enter_context(config.set({"distributed.deploy.lost-worker-timeout": "600s"}))
            cluster = dask.LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=":0")
            stack.enter_context(cluster)
            client = dask.Client(cluster)
        else:
            try:
                client = dask.Client(address, timeout=_SECONDS)
            except Exception as error:  # whatever Dask makes of another server's answer, as of the dashboard's
                why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                raise ClusterError(f"--scheduler: no scheduler answers at {address}: {why}") from error
        yield stack.enter_context(client)
