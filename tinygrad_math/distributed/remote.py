"""The shards on the workers of a Dask client.

Everything here is Dask's: tasks, their dependencies, what is done again when a worker is lost. A step is one graph
of tasks, one task for each group of neighbouring shards; what it needs beside the shards (the function, parameters that
stay) is kept by the workers as results of tasks too, so that Dask can make it again anywhere.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence
from typing import Any

from .direct import NAMED, Direct
from .keeping import Kept, unpacked
from .sending import library, packed
from .shards import Shard, read
from .waiting import CHECK, Patience, check_versions, drop, gathered, gone, restarted
from .work import Nodes, Sent, computed, merged

_FAN = 8  # sums that one task, or the client, puts together
_LARGE = 1 << 20  # bytes of a message that Dask would warn of, or remember


def parted(count: int, most: int) -> list[tuple[int, int]]:
    """Neighbouring shards, in as many groups as can work at once."""
    n = max(1, min(count, most))
    ends = [count * k // n for k in range(n + 1)]
    return list(itertools.pairwise(ends))


class Remote:
    """The shards on the workers of a client: neighbours in a group, a group for each thread of a worker.

    Dask chooses the workers, by what lies where. Tasks are not tied to them: where all workers are lost at once, a tied
    task would wait for its own for ever, even if others are welcome.
    """

    def __init__(self, client: Any, shards: Sequence[Shard]) -> None:
        self.client, self.shards, self.name = client, shards, str(client)
        self.turn = threading.RLock()  # one step at a time: what workers keep is what that step needs
        self.config = library("dask", "tm.distributed").config
        self.groups: list[tuple[int, int]] = []
        self.futures: list[Any] = []  # of the groups
        self.threads: dict[str, int] = {}  # by the worker's address
        self.looked = 0.0
        self.direct = Direct(client)

    # -- what stays ------------------------------------------------------------------------------------------
    def keep(self, thing: Any) -> Any:
        """What stays for many steps, made by a task, so that it can be made again where a worker is lost."""
        text = self._packed(thing)
        key = _key(NAMED if len(text) <= _LARGE else "large")
        return self.client.submit(Kept, text, key if key.startswith(NAMED) else "", key=key, pure=False)

    def drop(self, kept: Sequence[Any]) -> None:
        """What stayed, and is not needed any more."""
        for future in kept:
            if future is not None:
                self.direct.forget(future.key)
        drop(kept)

    def forgot(self, error: BaseException) -> bool:
        """Whether an error is that of a cluster which was restarted."""
        return restarted(error, self.client)

    def seen(self, functions: Sequence[Any]) -> bytes:
        """What tells whether functions, or values that they refer to, have changed since they were sent."""
        return hashlib.blake2b(self._packed(tuple(functions))).digest()

    def _packed(self, thing: Any) -> bytes:
        return packed(thing, "tm.distributed")

    def look(self, asker: str) -> None:
        """See who is there, from time to time, and let newcomers take part. Before anything is sent."""
        if any(map(gone, self.futures)):
            self.release()
        if self.futures and time.monotonic() < self.looked + CHECK:
            return
        patience = Patience(self.client, asker)
        threads: dict[str, int] = {}
        while not threads:
            if patience.look():
                threads = self.client.nthreads()
            else:
                time.sleep(0.05)
        self.looked = time.monotonic()
        if threads != self.threads:
            check_versions(self.client, asker, [a for a in threads if a not in self.threads])
            self.threads = threads
            _forget(self.client)
        groups = parted(len(self.shards), sum(threads.values()))
        if len(groups) > len(self.groups) or not self.futures:
            drop(self.futures)
            self.groups = groups
            self.futures = [self._load(self.shards[a:b]) for a, b in groups]
            self.direct.places = None
        elif len(threads) > 1:
            self._even_out()

    def _load(self, shards: Sequence[Shard]) -> Any:
        blocks = [self.client.compute(b) for s in shards for b in s.blocks]
        text = self._packed([s.without_blocks() for s in shards])
        return self.client.submit(_load_there, text, *blocks, key=_key("load"), pure=False)

    def _even_out(self) -> None:
        """Copy groups from workers that have more than their share to those that have less."""
        held = self.client.who_has(self.futures)
        share = len(self.futures) / sum(self.threads.values())
        load = dict.fromkeys(self.threads, 0)
        for there in held.values():
            for address in there:
                if address in load:
                    load[address] += 1
        for future in self.futures:
            there = [a for a in held.get(future.key, ()) if a in load]
            least = min(load, key=lambda a: (load[a] / self.threads[a], a))
            if len(there) == 1 and load[there[0]] > share * self.threads[there[0]] and load[least] == 0:
                try:
                    self.client.replicate([future], n=1, workers=[least])
                except (KeyError, OSError):  # the worker died since it was counted: a later step evens out
                    return
                load[there[0]] -= 1
                load[least] += 1

    # -- a step ----------------------------------------------------------------------------------------------
    def run(self, work: Any, given: Sequence[Any], asker: str, pick: Any = None) -> Nodes:
        """The sums over all shards of what `work` computes. After an error nothing is left on the workers."""
        futures: list[Any] = []
        try:
            groups = [(a, group) for (a, _), group in zip(self.groups, self.futures, strict=True)]
            found: Nodes | None = self.direct.step(work.key, groups, len(self.shards), given, pick)
            if found is not None:
                return found
            graph, keys = self._graph(work, given, asker, pick)
            large = sum(a.nbytes for g in given if isinstance(g, Sent) for a in g.arrays) > _LARGE
            quiet = {"distributed.admin.large-graph-warning-threshold": "1 TiB"} if large else {}
            with self.config.set(quiet):
                futures = self.client.get(graph, keys, sync=False)
            found = merged(len(self.shards), *gathered(self.client, futures, f"tm.distributed.{asker}"))
            self.direct.took(work.key, given, sum(part.seconds for part in found.values()) / len(groups))
            return found
        except BaseException:
            self.release()
            raise
        finally:
            drop(futures)

    def _graph(self, work: Any, given: Sequence[Any], asker: str, pick: Any) -> tuple[dict[str, Any], list[str]]:
        token = uuid.uuid4().hex
        graph: dict[str, Any] = {}
        for (a, _), group in zip(self.groups, self.futures, strict=True):
            graph[f"{asker}-{token}-{a}"] = (_sums, work, a, group, pick, *given)
        keys, level = list(graph), 0
        while len(keys) > _FAN:  # a tree over the groups, so that no one has to take in too many
            level, above = level + 1, []
            for k in range(0, len(keys), _FAN):
                above.append(f"merge-{token}-{level}-{k}")
                graph[above[-1]] = (merged, len(self.shards), *keys[k : k + _FAN])
            keys = above
        return graph, keys

    def release(self) -> None:
        drop(self.futures)
        self.futures = []


def _load_there(text: bytes, *blocks: Any) -> list[Any]:
    """The batches of a group of shards."""
    shards, rest = unpacked(text), list(blocks)
    found = []
    for shard in shards:
        wanted = sum(p is None for p in shard.parts)
        found.append(read(shard, rest[:wanted]))
        del rest[:wanted]
    return found


def _sums(work: Any, first: int, batches: Sequence[Any], pick: Any, *given: Any) -> Nodes:
    return computed(work, first, given, pick, *batches)


def _key(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex}"


def _forget(client: Any) -> None:
    """Let Dask's logs for developers keep few messages: each holds a step's parameters, and there are 1,000."""

    def shorten(streams: Any) -> None:
        for stream in streams:
            log = getattr(stream, "recent_message_log", None)
            if isinstance(log, deque) and (log.maxlen is None or log.maxlen > _FAN):
                stream.recent_message_log = deque(log, maxlen=_FAN)

    def there(dask_scheduler: Any) -> None:
        shorten([*dask_scheduler.stream_comms.values(), *dask_scheduler.client_comms.values()])

    shorten([getattr(client, "scheduler_comm", None)])
    client.run_on_scheduler(there)
