"""What goes wrong with a shard, a loss or parameters is told with the shard and the line, and leaves nothing behind."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from shard_rows import SHARDS, V, W, X, Y, by_hand, left, loss, mean_of

import tinygrad_math as tm

distributed = pytest.importorskip("distributed")
D = tm.distributed


def no_rows():
    raise OSError("the disk is gone")


def picky(params, batch):
    if len(batch[0]) == 23:
        raise ValueError("23 rows are too many")  # the line
    return loss(params, batch)


def test_a_shard_that_cannot_be_loaded_is_named(place, tmp_path):
    f = D.value_and_grad(loss, [*SHARDS[:2], no_rows, SHARDS[3]], place)
    with pytest.raises(
        tm.ShardError, match=r"shard 2 \(no_rows of test_distributed_errors.py:\d+\) could not be loaded: OSE"
    ) as c:
        f(W)
    assert c.value.shard == 2
    assert c.value.place.text == 'raise OSError("the disk is gone")'
    assert "the disk is gone" in str(c.value.__cause__)
    missing = tmp_path / "rows_7.npz"
    f = D.value_and_grad(mean_of, [missing], place)
    for _ in range(2):
        with pytest.raises(tm.ShardError, match=r"shard 0 \('.*rows_7.npz'\) could not be loaded: FileError") as c:
            f(W)
        assert c.value.file == str(missing)
    np.savez(missing, x=X, y=Y)
    assert f(W)[0].item() == pytest.approx(W["w"] @ X.mean(0) + W["b"] * Y.mean(), rel=1e-13)
    if place not in ("threads", "synchronous"):
        del f, c
        assert left(place) == []


@pytest.mark.parametrize("compile", [True, False])
def test_a_loss_that_raises_is_named_with_its_shard_and_line(place, compile):
    f = D.value_and_grad(picky, SHARDS, place, compile=compile)
    with pytest.raises(tm.ShardError, match=r"shard 3 \(rows\(3\) .*23 rows are too many\n  at raise Val") as caught:
        f(W)
    assert caught.value.place.text.endswith("# the line")
    assert isinstance(caught.value.__cause__, ValueError)
    if place not in ("threads", "synchronous"):
        assert left(place) == []  # though the function is still there


class Speechless(Exception):
    def __str__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize("error, words", [(Speechless(), "RuntimeError"), (ValueError("x" * 10**6), r"999,\d+ char")])
@pytest.mark.parametrize("place", ["synchronous", "threads"])
def test_an_error_without_a_text_or_with_a_long_one_is_named_all_the_same(place, error, words):
    def raising(*_):
        raise error

    for f in (D.value_and_grad(raising, SHARDS, place), D.value_and_grad(loss, [raising], place)):
        with pytest.raises(tm.ShardError, match=rf"shard \d .*{type(error).__name__}.*{words}") as c:
            f(W)
        assert len(str(c.value)) < 1300


def test_parameters_of_another_structure_are_named_with_the_line(place):
    f = D.value_and_grad(loss, SHARDS, place)
    f(W)
    with pytest.raises(tm.ShardError, match=r"shard \d .*KeyError: 'b'\n  at return x @ params") as caught:
        f({"w": W["w"]})
    assert isinstance(caught.value.__cause__, KeyError)
    with pytest.raises(tm.ShardError, match=r"shard \d .*matmul\(float64\(\d+, 3\), float64\(2,\)\)"):
        f({"w": W["w"][:2], "b": 0.1})
    if place not in ("threads", "synchronous"):
        assert left(place) == []
    assert abs(f(W)[0].item() - by_hand()[0]) < 1e-13
    product = D.hvp(loss, SHARDS, place)
    with pytest.raises(tm.ArgumentError, match=r"the vector of tm.distributed.hvp expects a tree like"):
        product(W, {"w": V["w"]})
    with pytest.raises(tm.ShapeError, match="expects float64"):
        product(W, {"w": V["w"][:2], "b": 0.1})
    with pytest.raises(tm.ArgumentError, match=r"called with \(params, v\)"):
        product(W)


def test_what_is_no_shard_is_refused_before_anything_is_sent():
    for given, words in [
        ([X], "not sent to workers"),
        ([], "no shard"),
        (["rows.csv"], "ends in .npy, .npz, .parquet"),
        (3, "a list of functions"),
        ([()], "empty tuple"),
        ([None], "got None"),
    ]:
        with pytest.raises(tm.ArgumentError, match=words):
            D.value_and_grad(loss, given, "synchronous")
    for client in (None, "processes", 3):
        with pytest.raises(tm.ArgumentError, match=r"a dask.distributed.Client"):
            D.value_and_grad(loss, SHARDS, client)
    with pytest.raises(tm.ArgumentError, match="reduction is 'mean' or 'sum'"):
        D.value_and_grad(loss, SHARDS, "synchronous", reduction="max")
    with pytest.raises(tm.ArgumentError, match="no example in any shard"):
        D.value_and_grad(loss, [SHARDS[2]], "synchronous")(W)


def test_what_cannot_be_pickled_is_named(client):
    lock = __import__("threading").Lock()
    with pytest.raises(tm.ArgumentError, match=r"cannot be sent to workers: TypeError: cannot pickle"):
        D.value_and_grad(lambda w, b: lock and loss(w, b), SHARDS, client)(W)
    assert left(client) == []


def test_a_loss_cannot_write_into_the_rows_that_later_steps_use(client):
    def careless(params, batch):
        batch[0][0] = 0.0
        return loss(params, batch)

    with pytest.raises(tm.ShardError, match=r"read-only\n  at batch\[0\]\[0\] = 0.0"):
        D.value_and_grad(careless, SHARDS, client, compile=False)(W)


def test_a_gradient_through_a_cluster_is_refused():
    f = D.value_and_grad(loss, SHARDS, "synchronous")
    with pytest.raises(tm.NeedsDetach, match="no part of a transform around it"):
        tm.grad(lambda b: f({"w": W["w"], "b": b})[0])(0.1)


@pytest.mark.parametrize("transform", [tm.grad, lambda f: lambda v: tm.jvp(f, (v,), (v,))], ids=["grad", "jvp"])
def test_a_gradient_through_a_products_vector_is_refused(transform):
    model, squared = (lambda w, x: x @ w), (lambda y, t: ((y - t) ** 2).mean())
    rows, w = [lambda: (np.eye(2), np.ones(2))], np.ones(2)
    for product in (
        D.hvp(lambda w, b: squared(model(w, b[0]), b[1]), rows, "synchronous"),
        D.ggnvp(model, squared, rows, "synchronous"),
    ):
        with pytest.raises(tm.NeedsDetach, match="no part of a transform around it"):
            transform(lambda v, product=product: product(w, v).sum())(w)
        with pytest.raises(tm.DTypeError, match=r"the vector of tm\.distributed\.\w+ expects float64\(2,\), got {"):
            product(w, {"v": w})


@pytest.mark.parametrize("close_over", ["function", "client"])
def test_a_program_looks_into_no_cluster(client, close_over):
    f = D.value_and_grad(loss, SHARDS, client)
    value = f(W)[0].item()
    if close_over == "function":
        with pytest.raises(tm.TraceError, match="is no part of a program; call it outside"):
            tm.compile(lambda x: x * f(W)[0])(1.0)
    else:  # whose loops and sockets change all the time
        assert tm.compile(lambda x: x * len(client.id))(2.0) == 2.0 * len(client.id)
    assert f(W)[0].item() == value


def test_threads_that_share_a_product_each_get_their_own(client):
    product = D.hvp(lambda w, x: ((x @ w) ** 4).mean(), [lambda: np.eye(3), lambda: np.ones((2, 3))], client)
    rows = np.concatenate([np.eye(3), np.ones((2, 3))])
    with ThreadPoolExecutor(4) as pool:
        for k in range(10):
            w = np.array([1.0, -0.5, k])
            found = list(pool.map(lambda v, w=w: product(w, v).numpy(), np.eye(3)))
            want = (rows.T * 12 * (rows @ w) ** 2) @ rows / len(rows)
            np.testing.assert_allclose(found, want, rtol=1e-12)


def test_without_dask_the_extra_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(tm.MissingExtra, match=r"needs the package dask: pip install .*\[distributed\]"):
        D.value_and_grad(loss, SHARDS, "synchronous")


def test_results_that_cannot_be_added_name_their_shards(place):
    scored = lambda w, batch: batch[0] @ w["w"]  # noqa: E731
    with pytest.raises(tm.ShardError, match=r"shard 1 is float64\(7,\), that of shard 0 is float64\(40,\)") as caught:
        D.evaluate(scored, SHARDS[:2], place)(W)
    assert caught.value.shard == 1
    given = [SHARDS[k] for k in (0, 0, 1, 1)]
    with pytest.raises(tm.ShardError, match=r"shards 2 to 3 is float64\(7,\), that of shards 0 to 1 is float64\(40,\)"):
        D.evaluate(scored, given, place)(W)
