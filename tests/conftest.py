"""What all tests share."""

import compileall
import contextlib
import gc
import os
import shutil
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
_QUIET_DASK = {  # clusters that wait take a tenth of a processor to look at themselves
    "WORKER__PROFILE__ENABLED": "False",
    "ADMIN__TICK__INTERVAL": "1s",
    "ADMIN__SYSTEM_MONITOR__INTERVAL": "10s",
}


def pytest_configure(config: pytest.Config) -> None:
    """Ctrl-C strikes here too where the tests were started in the background, by a shell that lets it be ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for part, value in _QUIET_DASK.items():
        os.environ.setdefault(f"DASK_DISTRIBUTED__{part}", value)
    if sys.dont_write_bytecode and "PYTHONPYCACHEPREFIX" not in os.environ:
        # the programs that tests start compile the package once, not each of them; what they keep goes with the tests
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        before = _compiled()
        config.add_cleanup(lambda: [shutil.rmtree(folder, ignore_errors=True) for folder in _compiled() - before])


def _compiled() -> set[Path]:
    """The folders of compiled files beside the package, its tests and examples."""
    return {folder for part in ("tinygrad_math", "tests", "examples") for folder in (ROOT / part).rglob("__pycache__")}


def _compile_a_share(config: pytest.Config) -> None:
    """Of processes that share the tests each compiles a part of the files, and finds the others compiled."""
    given = getattr(config, "workerinput", None)
    if given is None or sys.dont_write_bytecode:
        return
    mine, count = int(given["workerid"].removeprefix("gw")), given["workercount"]
    for file in sorted((ROOT / "tinygrad_math").rglob("*.py"))[mine::count]:
        compileall.compile_file(file, quiet=2)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """No garbage is sought meanwhile: hardly anything dies."""
    gc.disable()
    try:
        _compile_a_share(session.config)
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Docstrings with examples are the package's: tests are not searched for them, and what is no test stays shut."""
    return [file for file in (yield) if type(file) is pytest.Module]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of collected tests stay to the end: collecting garbage need not go through them each time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Nor through what the tests of a file have left behind: modules that they opened, programs that are kept."""
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path != item.path:
            gc.collect()
            gc.freeze()


@pytest.fixture
def full_disk() -> Callable[[int], contextlib.AbstractContextManager[None]]:
    """`with full_disk(n):` files can hold n bytes, as on a disk that is full after so many."""
    resource = pytest.importorskip("resource")

    @contextlib.contextmanager
    def limited(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, handler)

    return limited


_cluster, _clients = contextlib.ExitStack(), list[Any]()


@pytest.fixture
def client() -> Any:
    """A client of two worker processes, which the tests of clusters share, one after another."""
    dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")
    if not _clients:
        _cluster.enter_context(dask.config.set({"distributed.deploy.lost-worker-timeout": "600s"}))
        two = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
        cluster = distributed.LocalCluster(**two, host="127.0.0.1", dashboard_address=":0")
        _clients.append(_cluster.enter_context(distributed.Client(_cluster.enter_context(cluster))))
    return _clients[0]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """The workers end where the tests of clusters do: others count what this process holds, and does."""
    if _clients and (nextitem is None or not nextitem.path.name.startswith("test_distributed")):
        _clients.clear()
        _cluster.close()


@pytest.fixture(params=["client", "threads", "synchronous"])
def place(request: pytest.FixtureRequest) -> Any:
    """Where shards are: on workers, or in this process."""
    return request.getfixturevalue("client") if request.param == "client" else request.param


@pytest.fixture
def numpys_loops(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """NumPy's loops alone, with which results of native programs are NumPy's bit for bit."""
    from tinygrad_math.compiler.native import loops

    loops.loop.cache_clear()
    monkeypatch.setattr(loops, "kernel", lambda name, dtype: None)
    yield
    loops.loop.cache_clear()
