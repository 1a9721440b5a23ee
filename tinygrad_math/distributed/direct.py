"""Short steps, which workers are asked for by one message each.

A task of Dask's is worth some ten messages: little beside a second of computing, most of a step of milliseconds. A
call by `client.run` is two. It is a short cut and no more: where a worker is gone or paused, lacks something, or where
anything raises, the answer is None, and the step is done as tasks, with all that Dask does for these.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Sequence
from typing import Any

from .keeping import kept
from .picking import Pick
from .waiting import asked
from .work import Nodes, Sent, computed, merged

NAMED = "keep"  # begins the names of what a worker can find by its name
_SHORT = 0.1  # seconds of computing for each group of shards
_SMALL = 1 << 20  # bytes that go to each worker, and come back from it
_MOST = 64  # groups
_LIMIT = 3.0  # seconds to wait for an answer
_TRIES = 3  # in vain, one after the other


class Direct:
    """Which functions have short steps, and where the groups of shards are."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.seconds: dict[str, float] = {}  # for each group, by the name of the function
        self.stayed: dict[str, list[str]] = {}  # the names of parameters that workers have
        self.vain: dict[str, int] = {}
        self.places: dict[str, list[tuple[int, str]]] | None = None

    def took(self, work: str, given: Sequence[Any], seconds: float) -> None:
        """Learn for how long a step has computed."""
        self.seconds[work], self.stayed[work] = seconds, _names(given)
        self.places = None  # what is done again where a worker was lost is elsewhere

    def forget(self, work: str) -> None:
        """Of a function that is not needed any more nothing is known."""
        for known in (self.seconds, self.stayed, self.vain):
            known.pop(work, None)

    def step(self, work: str, groups: Sequence[tuple[int, Any]], total: int, given: Sequence[Any], pick: Pick) -> Any:
        """The sums over all shards, or None. Each group is the number of its first shard, and its future."""
        sent, names = [g if isinstance(g, Sent) else g.key for g in given], _names(given)
        size = sum(a.nbytes for g in sent if isinstance(g, Sent) for a in g.arrays)
        if self.seconds.get(work, _SHORT) >= _SHORT or len(groups) > _MOST or size > _SMALL:
            return None
        if self.vain.get(work, 0) >= _TRIES or names != self.stayed[work]:
            return None
        if not all(name.startswith(NAMED) for name in (work, *names)):
            return None
        if self.places is None:
            self.places = self._found(groups)
        places, found = self.places, []
        if places:
            answers = asked(
                self.client, _LIMIT, answer_of_shards, work, places, total, sent, pick, workers=list(places)
            )
            found = [nodes for nodes in answers.values() if isinstance(nodes, dict)]
        if not places or len(found) < len(places):
            self.vain[work] = self.vain.get(work, 0) + 1
            self.places = None
            return None
        self.vain.pop(work, None)
        return merged(total, *found)

    def _found(self, groups: Sequence[tuple[int, Any]]) -> dict[str, list[tuple[int, str]]]:
        """Which worker is to answer for which groups; nobody where one lies nowhere."""
        held = self.client.who_has([future for _, future in groups])
        found: dict[str, list[tuple[int, str]]] = {}
        for first, future in groups:
            there = sorted(held.get(future.key, ()))
            if not there:
                return {}
            place = min(there, key=lambda address: len(found.get(address, ())))
            found.setdefault(place, []).append((first, future.key))
        return found


def _names(given: Sequence[Any]) -> list[str]:
    return [g.key for g in given if not isinstance(g, Sent)]


# -- on a worker -----------------------------------------------------------------------------------------------
async def answer_of_shards(
    work: str,
    places: dict[str, list[tuple[int, str]]],
    total: int,
    given: Sequence[Any],
    pick: Pick,
    dask_worker: Any,
) -> Nodes | None:
    """The sums over this worker's groups of shards."""
    _quiet()
    mine, data = places[dask_worker.address], dask_worker.data
    things = [kept(thing) if isinstance(thing, str) else thing for thing in (work, *given)]
    if dask_worker.status.name != "running" or any(t is None for t in things) or any(k not in data for _, k in mine):
        return None
    function, *vectors = things
    loop, pool = asyncio.get_running_loop(), dask_worker.executors["default"]
    calls = [functools.partial(computed, function, first, vectors, pick, *data[key]) for first, key in mine]
    try:
        return merged(total, *await asyncio.gather(*[loop.run_in_executor(pool, call) for call in calls]))
    except Exception:  # as a task it will raise again, and be told of
        return None


class _Hidden(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.args != (answer_of_shards.__name__,)


@functools.cache
def _quiet() -> None:
    """A worker logs each call, and there are hundreds in a second."""
    logging.getLogger("distributed.worker").addFilter(_Hidden())
