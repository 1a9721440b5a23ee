"""A function that keeps its results hands out the same arrays each time: what is written to one is seen."""

import functools

import numpy as np
import pytest

import tinygrad_math as tm


class Holder:
    @functools.cache  # noqa: B019
    def table(self):
        return np.zeros(3)

    @functools.lru_cache(maxsize=4)  # noqa: B019
    def of(self, n):
        return np.zeros(n)

    @staticmethod
    @functools.cache
    def fixed():
        return np.zeros(3)


@functools.cache
def nested():
    return {"rows": ([0.0, 1.0], np.zeros(2))}


@functools.cache
def as_tensor():
    return tm.zeros(3)


@functools.lru_cache(maxsize=2)
def several(n):
    return tm.zeros(n), n


@functools.lru_cache
def rows():
    return [0.0, 1.0]


HOLDER = Holder()
RESULTS = {
    "method": HOLDER.table,
    "method with arguments": lambda: HOLDER.of(3),
    "static method": HOLDER.fixed,
    "in a container": lambda: nested()["rows"][1],
    "list in a container": lambda: nested()["rows"][0],
    "list": rows,
    "Tensor": as_tensor,
    "Tensor in a tuple": lambda: several(3)[0],
}


@pytest.fixture(autouse=True)
def _forget():
    for f in (Holder.table, Holder.of, Holder.fixed, nested, as_tensor, several, rows):
        f.cache_clear()


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("name", RESULTS)
def test_a_result_that_is_kept_and_written_to_is_seen(name, early):
    result, x = RESULTS[name], np.ones(2)

    def f(x):
        return x * (result()[0] + 1.0)

    if early:
        result()
    compiled = tm.compile(f)
    for k in range(4):
        assert compiled(x).tolist() == [1.0 + k, 1.0 + k]
        result()[0] += 1.0


def test_further_results_and_results_that_nobody_writes_to_cost_no_program():
    compiled = tm.compile(lambda x: x + HOLDER.of(3) + rows()[1])
    for k in range(12):
        assert compiled(np.ones(3)).tolist() == [2.0, 2.0, 2.0]
        HOLDER.of(4 + k)
    assert len(compiled._programs) == 1


def test_a_write_that_the_function_itself_depends_on_is_refused_by_name_and_line():
    def f(x):
        HOLDER.table()[0] += 1.0
        return x * HOLDER.table()[0]

    with pytest.raises(tm.TraceError, match=r"(?s)changes a result of Holder\.table.*HOLDER\.table\(\)\[0\] \+= 1"):
        tm.compile(f)(1.0)
    assert HOLDER.table().tolist() == [0.0, 0.0, 0.0]


def test_what_is_kept_of_a_traced_value_is_not_taken_for_a_result():
    @functools.cache
    def double(x):
        return x * 2.0

    x, y = tm.tensor([1.0]), tm.tensor([5.0])
    compiled = tm.compile(lambda x: double(x) + 1.0)
    assert [compiled(t).item() for t in (x, y, x)] == [3.0, 11.0, 3.0]
    assert double(x).item() == 2.0
