"""Means over shards and their derivatives: as on one machine, whatever computes them."""

import numpy as np
import pytest
from shard_rows import SHARDS, V, W, X, Y, by_hand, flat, left, logistic, loss, mean_of, right, rows, scores, total

import tinygrad_math as tm

distributed = pytest.importorskip("distributed")
D = tm.distributed


# -- values ----------------------------------------------------------------------------------------------------
def test_shards_give_what_all_rows_give(place):
    value, gradient, hessian = by_hand()
    shards = D.Shards(SHARDS, place)
    got, slope = D.value_and_grad(loss, shards, None)(W)
    assert abs(got.item() - value) < 1e-13
    np.testing.assert_allclose(flat(slope), gradient, atol=1e-13)
    v = np.append(V["w"], V["b"])
    np.testing.assert_allclose(flat(D.hvp(loss, shards, None)(W, V)), hessian @ v, atol=1e-13)
    np.testing.assert_allclose(flat(D.ggnvp(scores, logistic, shards, None)(W, V)), hessian @ v, atol=1e-13)
    got, slope = D.value_and_grad(total, shards, None, reduction="sum")(W)
    np.testing.assert_allclose(got.item(), value * len(X), rtol=1e-13)
    np.testing.assert_allclose(flat(slope), gradient * len(X), atol=1e-11)
    assert abs(D.evaluate(right, shards, None)(W)["right"].item() - np.mean((X @ W["w"] > 0) == Y)) < 1e-15


def test_what_computes_makes_no_difference_to_the_last_bit(client):
    found = []
    for place in (client, "threads", "synchronous"):
        for compile in (True, False):
            value, slope = D.value_and_grad(loss, SHARDS, place, compile=compile)(W)
            found.append((compile, value.numpy().tobytes(), flat(slope).tobytes()))
    assert len(set(found)) == 2  # a program may add in another order than the loss as it stands; a place may not


def test_the_number_of_workers_makes_no_difference_to_the_last_bit():
    found = []
    for workers in (1, 2, 3, 5):
        with (
            distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=False, dashboard_address=":0"
            ) as cluster,
            distributed.Client(cluster) as here,
        ):
            found.append(flat(D.value_and_grad(loss, SHARDS, here)(W)[1]).tobytes())
    assert len(set(found)) == 1


# -- where rows come from --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The rows in pairs of .npy, in .npz and in Parquet files."""
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    folder, found = tmp_path_factory.mktemp("rows"), {"npy": [], "npz": [], "parquet": []}
    for k in (0, 1, 3):
        x, y = rows(k)
        pair = folder / f"x{k}.npy", folder / f"y{k}.npy"
        np.save(pair[0], x)
        np.save(pair[1], y)
        found["npy"].append(pair)
        np.savez(folder / f"r{k}.npz", x=x, y=y)
        found["npz"].append(folder / f"r{k}.npz")
        lists = arrow.FixedSizeListArray.from_arrays(x.ravel(), x.shape[1])
        parquet.write_table(arrow.table({"x": lists, "y": y}), folder / f"r{k}.parquet")
        found["parquet"].append(str(folder / f"r{k}.parquet"))
    return found


@pytest.mark.parametrize("kind", ["npy", "npz", "parquet"])
def test_workers_read_files(client, files, kind):
    x, y = (np.concatenate([rows(k)[i] for k in (0, 1, 3)]) for i in (0, 1))
    value, slope = D.value_and_grad(mean_of, files[kind], client)(W)
    np.testing.assert_allclose(value.item(), W["w"] @ x.mean(0) + W["b"] * y.mean(), rtol=1e-13)
    np.testing.assert_allclose(flat(slope), [*x.mean(0), y.mean()], rtol=1e-13)


def test_a_parquet_files_lists_are_rows_and_its_gaps_are_refused(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for name, column, words in [
        ("ragged", [[1.0, 2.0], [3.0]], "differ in length"),
        ("gaps", [1.0, None], "1 missing values"),
        ("inner", [[1.0, 2.0], [3.0, None]], "lists in column 'x' have missing values"),
        ("words", ["a", "b"], "holds string, no numbers"),
    ]:
        path = tmp_path / f"{name}.parquet"
        parquet.write_table(arrow.table({"x": column}), path)
        with pytest.raises(tm.ShardError, match=words) as caught:
            D.evaluate(lambda p, b: 0.0, [path], "synchronous")(1.0)
        assert caught.value.file == str(path)
        assert isinstance(caught.value.__cause__, tm.FileError)
        parquet.write_table(arrow.table({"x": column, "z": [1.0, 2.0]}), path)  # which is of no matter beside others
        assert D.evaluate(lambda p, b: b[0].mean(), D.Shards([path], "synchronous", columns=["z"]), None)(1.0) == 1.5
        with pytest.raises(tm.ShardError, match="there is no column w, only x, z"):
            D.evaluate(lambda p, b: 0.0, D.Shards([path], "synchronous", columns=["w"]), None)(1.0)
    parquet.write_table(arrow.table({"x": [[1, 2], [3, 4]]}), tmp_path / "lists.parquet")
    got = D.evaluate(lambda p, b: b["x"].mean(0), [tmp_path / "lists.parquet"], "synchronous")(1.0)
    assert got.tolist() == [2.0, 3.0]


def test_blocks_of_dask_arrays_are_shards(place):
    array = pytest.importorskip("dask.array")
    x, y = array.from_array(X, chunks=(30, -1)), array.from_array(Y, chunks=30)
    assert len(D.Shards((x, y), "synchronous")) == 4
    for given in ((x, y), [(x, y)], [(x.blocks[k], y.blocks[k]) for k in range(4)]):
        value, slope = D.value_and_grad(loss, given, place)(W)
        assert abs(value.item() - by_hand()[0]) < 1e-13
        np.testing.assert_allclose(flat(slope), by_hand()[1], atol=1e-13)
    some = x[:, 0] > -9.0  # blocks of as yet unknown length, of the same tasks as before
    value, slope = D.value_and_grad(loss, (x[some], y[some]), place)(W)
    np.testing.assert_allclose(flat(slope), by_hand()[1], atol=1e-13)
    if not isinstance(place, str):
        assert left(place) == []
    with pytest.raises(tm.ArgumentError, match="cut other axes"):
        D.Shards(array.from_array(X, chunks=(30, 2)), place)
    with pytest.raises(tm.ArgumentError, match="same chunks"):
        D.Shards((x, array.from_array(Y, chunks=20)), place)


def test_a_module_is_a_tree_of_parameters(client):
    net = tm.nn.Sequential(tm.nn.Linear(3, 4, rng=0), tm.nn.Tanh(), tm.nn.Linear(4, 1, rng=1))

    def loss(net, batch):
        return tm.nn.functional.mse_loss(net(batch[0])[:, 0], batch[1])

    value, slope = D.value_and_grad(loss, SHARDS, client)(net)
    want, wanted = tm.value_and_grad(loss)(net, (X, Y))
    assert abs(value.item() - want.item()) < 1e-13
    for (name, a), b in zip(slope.named_parameters(), wanted.parameters(), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), atol=1e-13, err_msg=name)


def test_float32_stays_float32(client):
    value, slope = D.value_and_grad(lambda w, x: (x.astype("float32") @ w).mean(), [lambda: X], client)(
        np.ones(3, "float32")
    )
    assert value.dtype == slope.dtype == np.float32
