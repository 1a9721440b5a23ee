"""What a graph needs is what it was when it was recorded, and nothing that was handed over is overwritten later."""

import gc

import numpy as np
import pytest

import tinygrad_math as tm


def leaf(values, name=None):
    return tm.tensor(values, requires_grad=True, name=name)


def unchanged_or_refused(derivative, want):
    """The derivative of what was recorded, or ChangedAfterUse; never another number."""
    try:
        got = derivative()
    except tm.ChangedAfterUse:
        return
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-12)


# -- arrays of the user's -------------------------------------------------------------------------------
class Tagged(np.ndarray):
    pass


def memmap(values, tmp_path):
    array = np.memmap(tmp_path / "values", dtype=values.dtype, mode="w+", shape=values.shape)
    array[...] = values
    return array


HOLDERS = {
    "array": lambda v, path: v.copy(),
    "memmap": memmap,
    "subclass": lambda v, path: v.copy().view(Tagged),
    "strided": lambda v, path: np.repeat(v, 2, axis=0)[::2],
    "transposed": lambda v, path: np.asfortranarray(v),
    "shared buffer": lambda v, path: np.frombuffer(bytearray(v.tobytes()), v.dtype).reshape(v.shape),
}
USES = {
    "operator": lambda w, a: w * a,
    "reflected": lambda w, a: a * w,
    "function": lambda w, a: tm.multiply(w, a),
    "ufunc": lambda w, a: np.multiply(w, a),
    "where": lambda w, a: tm.where(np.ones(a.shape, bool), w * a, 0.0),
    "einsum": lambda w, a: tm.einsum("ij,ij->ij", w, a),
    "stack": lambda w, a: tm.stack([w, a])[0] * tm.stack([w, a])[1],
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("holder", HOLDERS)
def test_an_array_may_be_overwritten_after_its_use(holder, use, tmp_path):
    values = np.arange(1.0, 13.0).reshape(4, 3)
    a, w = HOLDERS[holder](values, tmp_path), leaf(np.ones((4, 3)))
    y = USES[use](w, a)
    a[2, 1] = 77.0
    unchanged_or_refused(lambda: tm.grad_of(y.sum(), w), values)


@pytest.mark.parametrize("place", [0, 1, 4_999, 149_999])
def test_one_element_of_a_large_array_counts(place):
    a, w = np.full(150_000, 2.0), leaf(np.ones(150_000))
    z = (w * a).sum()
    a[place] = 55.0
    unchanged_or_refused(lambda: tm.grad_of(z, w), 2.0)


def test_an_exchange_of_elements_and_of_signs_counts():
    a, w = np.tile([1.0, -1.0], 20_000), leaf(np.ones(40_000))
    z = (w * a).sum()
    a *= -1.0
    unchanged_or_refused(lambda: tm.grad_of(z, w), np.tile([1.0, -1.0], 20_000))


def test_a_buffer_may_be_filled_again_for_each_batch():
    w, buffer, total = leaf(np.ones(3)), np.empty((4, 3)), 0.0
    for k in range(3):
        buffer[...] = k + 1.0
        total = total + (buffer @ w).sum()
    total.backward()
    assert w.grad.tolist() == [24.0, 24.0, 24.0]


VIEWS = {
    "reshape": lambda a: tm.reshape(a, (4,)),
    "ravel": tm.ravel,
    "transpose": lambda a: tm.ravel(tm.transpose(tm.transpose(a))),
    "swapaxes": lambda a: tm.swapaxes(tm.swapaxes(a, 0, 1), 0, 1).reshape(4),
    "asarray": lambda a: tm.asarray(a).reshape(4),
    "asarray without a copy": lambda a: tm.asarray(a, copy=False).reshape(4),
    "from_dlpack": lambda a: tm.from_dlpack(a).reshape(4),
    "from_dlpack without a copy": lambda a: tm.from_dlpack(a, copy=False).reshape(4),
    "stop_gradient": lambda a: tm.stop_gradient(a).reshape(4),
    "real": lambda a: tm.real(a).reshape(4),
    "broadcast_to": lambda a: tm.broadcast_to(a, (2, 2, 2))[0].reshape(4),
    "flip": lambda a: tm.flip(tm.flip(a)).reshape(4),
    "split": lambda a: tm.concatenate(tm.split(a, 2)).reshape(4),
    "unstack": lambda a: tm.concatenate(tm.unstack(a)),
    "atleast_3d": lambda a: tm.atleast_3d(a).reshape(4),
    "squeeze": lambda a: tm.squeeze(tm.expand_dims(a, 0)).reshape(4),
    "list": lambda a: tm.stack(list(a)).reshape(4),
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_taken_through_a_function_does_not_live_on_the_users_memory(view):
    a, w = np.array([[1.0, 2.0], [3.0, 4.0]]), leaf(np.ones(4))
    z = (VIEWS[view](a) * w).sum()
    a[...] = 77.0
    unchanged_or_refused(lambda: tm.grad_of(z, w), [1.0, 2.0, 3.0, 4.0])


def test_what_was_broadcast_takes_the_memory_of_what_it_repeats():
    y = tm.broadcast_to(np.ones(1), (10**12,))
    assert y.shape == (10**12,)


def test_memory_that_is_shared_on_demand_is_seen_and_watched():
    a = np.array([1.0, 2.0])
    x, w = tm.asarray(a, copy=False), leaf(np.ones(2))
    a[0] = 5.0
    assert x.tolist() == [5.0, 2.0]
    earlier = x[:1]
    z = (w * x).sum()
    a[1] = 7.0
    assert earlier.tolist() == [5.0]
    with pytest.raises(tm.ChangedAfterUse, match="multiply"):
        z.backward()
    (w * x).sum().backward()
    assert w.grad.tolist() == [5.0, 7.0]


# -- arrays that were handed out ------------------------------------------------------------------------
@pytest.mark.parametrize(
    "window", [lambda x: x[:1], lambda x: x.reshape(2, 1)[0], lambda x: x.detach()[:1], lambda x: tm.atleast_1d(x)[:1]]
)
@pytest.mark.parametrize("early", [False, True])
def test_earlier_views_keep_what_they_held(window, early):
    x, w = tm.tensor([1.0, 2.0]), leaf([3.0])
    array = x.data if early else None
    y = window(x)
    z = (y * w).sum()
    array = x.data if array is None else array
    array[0] = 100.0
    assert y.tolist() == [1.0]
    z.backward()
    assert w.grad.tolist() == [1.0]
    assert x.tolist() == [100.0, 2.0]


def test_an_array_that_numpy_takes_without_a_copy_is_watched():
    x, w = tm.tensor([1.0, 2.0]), leaf([3.0, 4.0])
    array = np.asarray(x, copy=False)
    z = (x * w).sum()
    array[0] = 100.0
    with pytest.raises(tm.ChangedAfterUse):
        z.backward()


@pytest.mark.parametrize("f", [tm.square, tm.abs, tm.cos, lambda x: tm.clip(x, -9.0, 9.0)])
def test_a_change_that_the_value_does_not_show_is_noticed(f):
    x = leaf([1.0, 2.0])
    array = x.data
    y = f(x).sum()
    array *= -1.0
    with pytest.raises(tm.ChangedAfterUse):
        y.backward()


@pytest.mark.parametrize("f", [tm.exp, tm.tanh, tm.sqrt, tm.softmax, tm.cumprod, tm.linalg.norm])
def test_a_result_that_its_own_rule_uses_is_watched(f):
    x = leaf([4.0, 9.0])
    y = f(x)
    y.data[...] = 100.0
    with pytest.raises(tm.ChangedAfterUse, match="result"):
        y.sum().backward()
    with pytest.raises(tm.ChangedAfterUse, match="result"):
        tm.grad_of(y.sum() * 3.0, x, create_graph=True)
    assert tm.grad_of(y.sum() * 3.0, y).numpy().tolist() == np.full(y.shape, 3.0).tolist()


def test_an_array_given_as_data_stays_the_callers():
    a, x = np.array([1.0, 2.0]), leaf([0.0, 0.0])
    x.data = a
    y = (x * x).sum()
    a[0] = 100.0
    y.backward()
    assert x.tolist() == [1.0, 2.0]
    assert x.grad.tolist() == [2.0, 4.0]


def test_the_array_of_a_tensor_is_one_until_the_tensor_takes_on_other_values():
    x = leaf([1.0, 2.0])
    array = x.data
    x.data -= 1.0
    assert x.data is array
    assert x.tolist() == [0.0, 1.0]
    x.grad = np.ones(2)
    tm.optim.SGD([x], lr=1.0).step()
    assert array.tolist() == [0.0, 1.0]
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 5.0  # it would be lost
    assert x.data.tolist() == [-1.0, 0.0]


# -- tapes that outlive the call ------------------------------------------------------------------------
def test_a_pullback_is_that_of_the_values_given():
    def f(x, p):
        return x * x * p["w"]

    x, p = np.array([1.0, 2.0]), {"w": np.array([3.0, 3.0])}
    _, pull = tm.vjp(f, x, p)
    _, push = tm.linearize(f, x, p)
    x[0], p["w"][...] = 100.0, 0.0
    gx, gp = pull(np.ones(2))
    assert gx.tolist() == [6.0, 12.0]
    assert gp["w"].tolist() == [1.0, 4.0]
    assert push(np.ones(2), {"w": np.zeros(2)}).tolist() == [6.0, 12.0]
    t = tm.tensor([1.0, 2.0])
    _, pull = tm.vjp(lambda x: tm.exp(x), t)
    t.data[0] = 100.0
    assert pull(np.ones(2))[0].tolist() == [np.exp(1.0), np.exp(2.0)]


# -- cotangents -----------------------------------------------------------------------------------------
def test_cotangents_are_never_shared_with_the_caller():
    g = np.ones(2)
    x = leaf([1.0, 2.0])
    x.grad = g
    (pulled,) = tm.vjp(lambda x: x + 0.0, np.ones(2))[1](g)
    of = tm.grad_of(x.reshape(2, 1).reshape(2), x, grad_outputs=g)
    _, along = tm.jvp(lambda x: x[:], (np.ones(2),), (g,))
    y = leaf([1.0, 2.0])
    (y + 0.0).backward(g)
    g[0] = 100.0
    for result in (x.grad, pulled, of, along, y.grad):
        assert result.tolist() == [1.0, 1.0]


def test_a_tensor_given_as_gradient_stays_the_callers():
    g, x, y = tm.tensor([1.0, 1.0]), leaf([1.0, 2.0]), leaf([1.0, 2.0])
    x.grad = y.grad = g
    x.grad.data[0] = 5.0
    y.grad *= 3.0
    assert (g.tolist(), x.grad.tolist(), y.grad.tolist()) == ([1.0, 1.0], [5.0, 1.0], [3.0, 3.0])


@pytest.mark.parametrize("spoil", [lambda g: g.data.fill(0.0), lambda g: g.__imul__(0.0)])
def test_a_hook_that_writes_changes_its_own_gradient_only(spoil):
    a, b = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    a.register_hook(lambda g: (spoil(g), None)[1])
    ((a + b) * 1.0).sum().backward()
    assert a.grad.tolist() == [0.0, 0.0]
    assert b.grad.tolist() == [1.0, 1.0]


def test_hooks_leave_recorded_siblings_alone():
    a, b = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    a.register_hook(lambda g: g.data.fill(0.0))
    _, gb = tm.grad_of(((a + b) ** 2).sum(), [a, b], create_graph=True)
    assert gb.tolist() == [4.0, 8.0]


# -- functions and rules of the user's ------------------------------------------------------------------
def doubling(vjp=None, jvp=None):
    @tm.primitive
    def double(x):
        return 2 * x

    double.defvjp(vjp or (lambda g, y, x: 2 * g))
    return double.defjvp(jvp or (lambda t, y, x: 2 * t))


def _spoil(g, y, x):
    g *= 2.0
    return g


def _spoil_input(g, y, x):
    np.negative(x, out=x)
    return 2 * g


@pytest.mark.parametrize("rule", [_spoil, _spoil_input])
def test_a_rule_that_writes_into_what_it_is_given_is_refused(rule):
    a, b = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    with pytest.raises(tm.ArgumentError, match=r"vjp rule of double for x writes.*work on a copy"):
        (doubling(vjp=rule)(a) + b).sum().backward()
    with pytest.raises(tm.ArgumentError, match="jvp rule of double for x writes"):
        tm.jvp(doubling(jvp=rule), (np.ones(2),), (np.ones(2),))


def test_a_rule_that_is_recorded_changes_no_siblings_gradient():
    a, b = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    y = (doubling(vjp=_spoil)(a) + b) ** 2
    ga, gb = tm.grad_of(y.sum(), [a, b], create_graph=True)
    assert ga.tolist() == [12.0, 24.0]
    assert gb.tolist() == [6.0, 12.0]


@pytest.mark.parametrize("call", [lambda f, x: f(x), lambda f, x: tm.compile(lambda x: f(x) + 0.0)(x)])
def test_a_primitive_cannot_write_into_its_arguments(call):
    @tm.primitive
    def halve(x):
        x /= 2.0
        return x

    x = np.ones(3)
    with pytest.raises(tm.ArgumentError, match="primitive halve writes"):
        call(halve, x)
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_a_primitive_and_its_rules_may_keep_their_buffers():
    out, back = np.empty(2), np.empty(2)

    @tm.primitive
    def double(x):
        return np.multiply(x, 2.0, out=out)

    double.defvjp(lambda g, y, x: np.multiply(g, 2.0, out=back))
    x, z = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    first, second = double(x), double(z)
    assert first.tolist() == [2.0, 4.0]
    assert second.tolist() == [6.0, 8.0]
    (first * 3.0).sum().backward()
    (second * 5.0).sum().backward()
    assert (x.grad.tolist(), z.grad.tolist()) == ([6.0, 6.0], [10.0, 10.0])


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (np.ones((3, 2)), tm.ShapeError),
        (np.ones(()), tm.ShapeError),
        (np.ones((1, 2)), tm.ShapeError),
        (np.array([1j, 1.0]), tm.DTypeError),
        (None, tm.DTypeError),
        ((np.ones(2),), tm.DTypeError),
        (np.array(["a", "b"]), tm.DTypeError),
    ],
)
def test_a_rule_of_the_wrong_shape_or_kind_is_named(result, error):
    x = np.array([1.0, 2.0])
    with pytest.raises(error, match="vjp rule of double for x"):
        tm.grad(lambda x: doubling(vjp=lambda g, y, x: result)(x).sum())(x)
    with pytest.raises(error, match="jvp rule of double for x"):
        tm.jvp(doubling(jvp=lambda t, y, x: result), (x,), (x,))


def test_a_rule_may_leave_broadcasting_to_the_walk():
    @tm.primitive
    def scale(a, b):
        return a * b

    scale.defvjp(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
    scale.defjvp(lambda t, y, a, b: t * b, lambda t, y, a, b: a * t)
    a, b = np.arange(3.0), np.ones((2, 1)) * 2.0
    tm.testing.check_grads(scale, (a, b))
    assert tm.grad(lambda b: scale(a, b).sum())(b).tolist() == [[3.0], [3.0]]


LISTS = {
    "transpose": (lambda x, p: tm.transpose(x, p), [1, 2, 0], [0, 1, 2]),
    "roll": (lambda x, p: tm.roll(x, p, axis=(0, 1)), [1, 1], [2, 0]),
    "roll axes": (lambda x, p: tm.roll(x, (1, 2), axis=p), [0, 1], [1, 2]),
    "flip": (lambda x, p: tm.flip(x, axis=p), [0, 1], [1, 2]),
    "pad": (lambda x, p: tm.pad(x, p), [[1, 0], [0, 1], [0, 0]], [[0, 1], [1, 0], [0, 0]]),
    "array of shifts": (lambda x, p: tm.roll(x, tuple(p), axis=(0, 1)), np.array([1, 1]), np.array([2, 0])),
    "index": (lambda x, p: x[p], [0, 2], [1, 1]),
    "array as index": (lambda x, p: x[:, p], np.array([0, 2]), np.array([1, 1])),
    "take": (lambda x, p: tm.take(x, p, axis=0), np.array([0, 2]), np.array([1, 1])),
    "set": (lambda x, p: x.at[p].set(0.0), np.array([0, 2]), np.array([1, 1])),
    "reshape": (lambda x, p: tm.reshape(x, p), [9, 3], [3, 9]),
    "split": (lambda x, p: tm.split(x, p)[1], np.array([1, 2]), np.array([0, 3])),
    "einsum": (lambda x, p: tm.einsum(x, p, [0, 1]), [0, 1, 2], [1, 0, 2]),
    "tensordot": (lambda x, p: tm.tensordot(x, np.ones((3, 3)), axes=p), [[0, 1], [0, 1]], [[1, 2], [0, 1]]),
}


@pytest.mark.parametrize("case", LISTS)
def test_a_list_given_as_a_parameter_may_be_changed_afterwards(case):
    f, given, other = LISTS[case]
    values = np.arange(27.0).reshape(3, 3, 3)
    w, x = leaf(values), leaf(values)
    want = tm.grad_of((f(x, given) ** 2).sum(), x)
    z = (f(w, given) ** 2).sum()
    given[:] = other
    z.backward()
    assert w.grad.tolist() == want.tolist()


def test_a_parameter_of_a_primitive_may_be_changed_afterwards():
    @tm.primitive
    def scaled(x, *, by):
        return x * by["factors"][0]

    scaled.defvjp(lambda g, y, x, by: g * by["factors"][0])
    by, x = {"factors": [3.0]}, leaf([1.0, 2.0])
    y = scaled(x, by=by).sum()
    by["factors"][0] = 100.0
    y.backward()
    assert x.grad.tolist() == [3.0, 3.0]


# -- writes that would be lost --------------------------------------------------------------------------
def _each_row(d):
    for row in d:
        row *= 10.0


def _assign_in_parts(d, split):
    split(d)[0][0] = 10.0


def _into_each_row(d):
    for row in d:
        row[0] = 10.0


LOST = {
    "item of a row": lambda d: _assign_item(d),
    "transposed": lambda d: _set(d, "T"),
    "ravel": lambda d: _set(d, "ravel"),
    "reshape": lambda d: _set(d, "reshape", -1),
    "view": lambda d: _set(d, "view", -1),
    "detach": lambda d: _set(d, "detach"),
    "diagonal": lambda d: _set(d, "diagonal"),
    "real": lambda d: _set(d, "real"),
    "twice transposed": lambda d: _twice_transposed(d),
    "rows of a loop": _each_row,
    "rows of a loop from behind": lambda d: _each_row(reversed(d)),
    "items of rows of a loop": _into_each_row,
    "split": lambda d: _assign_in_parts(d, lambda d: np.split(d, 3)),
    "vsplit": lambda d: _assign_in_parts(d, lambda d: np.vsplit(d, 3)),
    "unstack": lambda d: _assign_in_parts(d, tm.unstack),
    "a part of what was split": lambda d: _assign_in_parts(d, lambda d: tm.split(d, 3)[0].T),
    "out": lambda d: np.negative(d[0], out=d[0]),
    "out of arrays": lambda d: np.exp(np.ones(3), out=d[0]),
    "out by position": lambda d: np.exp(np.ones(3), d[0]),
    "out of a reduction": lambda d: np.sum(d, axis=0, out=d[0]),
    "two outs": lambda d: np.modf(np.ones(3), out=(d[0], d[1])),
    "at": lambda d: np.add.at(d[0], [0], 5.0),
    "fill_": lambda d: d[0].fill_(3.0),
    "zero_": lambda d: d[0].zero_(),
    "add_": lambda d: d[0].add_(1.0),
    "copy_": lambda d: d[0].copy_(np.ones(3)),
    "sort": lambda d: d[0].sort(),
    "nan_to_num": lambda d: np.nan_to_num(d[0], copy=False),
}


def _assign_item(d):
    d[0][1] = 5.0


def _set(d, name, *args):
    if args or callable(getattr(d, name)):
        getattr(d, name)(*args)[0] = 9.0
    else:
        getattr(d, name)[0] = 9.0


def _twice_transposed(d):
    d.T.T[0] = 9.0


@pytest.mark.parametrize("way", LOST)
@pytest.mark.parametrize("recorded", [False, True])
def test_a_write_into_a_part_without_a_name_is_refused(way, recorded):
    d = tm.tensor(np.arange(9.0).reshape(3, 3))
    if recorded:
        d = leaf(np.arange(9.0).reshape(3, 3)) * 1.0
    with pytest.raises(tm.LostWrite, match="Tensors are values"):
        LOST[way](d)
    assert d.tolist() == np.arange(9.0).reshape(3, 3).tolist()


def _held_in_places(d):
    class Holder:
        pass

    holder, table = Holder(), {"row": d[0]}
    holder.row, table["list"] = d[0], [d[0]]
    holder.row[1] = 5.0
    holder.row *= 2.0
    table["row"][1] = 5.0
    table["list"][0].fill_(3.0)
    np.negative(np.ones(3), out=holder.row)
    return holder.row, [-1.0, -1.0, -1.0]


def _named(d):
    row = d[0]
    row[1] = 5.0
    row += 1.0
    row.sort()
    np.negative(row, out=row)
    np.add.at(row, [0], 1.0)
    return row, [0.0, -3.0, -6.0]


def _fresh(d):
    y = (d * 2.0)[0].add_(1.0).mul_(2.0)
    (d + 1.0)[0][1] = 5.0  # of nothing that lives on
    return y, [2.0, 6.0, 10.0]


@pytest.mark.parametrize("way", [_held_in_places, _named, _fresh])
def test_a_part_with_a_name_is_a_value_of_its_own(way):
    d = tm.tensor(np.arange(9.0).reshape(3, 3))
    y, want = way(d)
    assert y.tolist() == want
    assert d.tolist() == np.arange(9.0).reshape(3, 3).tolist()


def test_an_augmented_assignment_to_a_part_reaches_the_whole():
    d, w = tm.tensor(np.arange(4.0).reshape(2, 2)), leaf([1.0, 2.0])
    d[0] += w
    d[:, 1] *= 2.0
    assert d.tolist() == [[1.0, 6.0], [2.0, 6.0]]
    d.sum().backward()
    assert w.grad.tolist() == [1.0, 2.0]


def test_sort_and_nan_to_num_work_in_place_as_numpys_do():
    x = leaf([3.0, 1.0, 2.0])
    y = x * 1.0
    assert y.sort() is None
    (y * np.array([1.0, 10.0, 100.0])).sum().backward()
    assert y.tolist() == [1.0, 2.0, 3.0]
    assert x.grad.tolist() == [100.0, 1.0, 10.0]
    z = tm.tensor([np.nan, 1.0])
    assert np.nan_to_num(z, copy=False) is z
    assert z.tolist() == [0.0, 1.0]


def test_a_zero_dimensional_result_is_a_number_that_its_names_do_not_share():
    def total(values):
        sums, s = [], 0.0
        for v in values:
            s += v * v
            sums.append(s)
        s -= 1.0
        s **= 2
        return sum(sums)

    values = np.array([1.0, 2.0, 3.0])
    assert total(tm.tensor(values)).item() == total(values)
    assert tm.grad(total)(values).tolist() == [6.0, 8.0, 6.0]
    assert tm.compile(total)(values).item() == total(values)


def test_a_zero_dimensional_parameter_changes_in_place():
    w = leaf(2.0)
    same = w
    (w * w).backward()
    same.grad *= 0.5
    g = w.grad
    g += 1.0
    assert w.grad.item() == 3.0
    with tm.no_grad():
        w -= 0.5 * g
    assert (w is same, same.item()) == (True, 0.5)
    t = tm.tensor(1.0)
    u = t
    u += 1.0
    u.add_(1.0)
    assert t.item() == 3.0
    s = tm.sum(tm.ones(2))
    v = s
    v.mul_(5.0)
    assert s.item() == 10.0


# -- loops ----------------------------------------------------------------------------------------------
X = np.linspace(-1.0, 1.0, 12).reshape(4, 3)


def _penalty(w):
    return (tm.grad(lambda x: tm.tanh(x @ w).sum())(X) ** 2).sum()


def _with_aux(w):
    g, aux = tm.grad(lambda x: (tm.tanh(x @ w).sum(), {"n": (x @ w).sum()}), has_aux=True)(X)
    return (g**2).sum() + aux["n"]


LOOPS = {
    "gradient penalty": lambda w: tm.grad(_penalty)(w),
    "value beside it": lambda w: tm.value_and_grad(lambda w: _penalty(w) + (w * w).sum())(w)[1],
    "pullback": lambda w: tm.vjp(_penalty, w)[1](1.0)[0],
    "auxiliary result": lambda w: tm.grad(_with_aux)(w),
    "mixed derivative": lambda w: tm.jacobian(tm.grad(lambda x, w: tm.tanh(x * w).sum(), 1), 0)(np.ones(3), w).sum(0),
    "hessian inside": lambda w: tm.grad(lambda w: tm.hessian(lambda x: tm.tanh(x * w).sum())(np.ones(3)).sum())(w),
    "pushforward inside": lambda w: tm.grad(
        lambda w: tm.linearize(lambda x: tm.tanh(x * w), np.ones(3))[1](np.ones(3)).sum()
    )(w),
    "hvp inside": lambda w: tm.grad(lambda w: tm.hvp(lambda x: tm.tanh(x * w).sum(), np.ones(3), np.ones(3)).sum())(w),
    "hvp": lambda w: tm.hvp(_penalty, w, w),
    "checkpoint": lambda w: tm.grad(lambda w: (tm.grad(tm.checkpoint(lambda x: tm.tanh(x @ w).sum()))(X) ** 2).sum())(
        w
    ),
}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_pure_loop_leaves_memory_flat(loop):
    w, counts = tm.tensor([0.1, 0.2, 0.3]), []
    for _ in range(3):
        for _ in range(4):
            g = LOOPS[loop](w)
            assert not g.requires_grad
            w = w - 0.01 * g
        gc.collect()
        counts.append(len(gc.get_objects()))
    assert counts[2] - counts[1] <= 3


def test_a_recorded_penalty_leaves_memory_flat():
    w, counts = leaf([0.1, 0.2, 0.3]), []
    for _ in range(3):
        for _ in range(4):
            (tm.tanh(X @ w) ** 2).sum().backward(create_graph=True)
            g = tm.grad_of((w.grad**2).sum(), w)
            with tm.no_grad():
                w -= 0.01 * g
            w.grad = None
        gc.collect()
        counts.append(len(gc.get_objects()))
    assert counts[2] - counts[1] <= 3


def test_an_inner_derivative_is_still_attached_to_what_is_open_outside():
    w = leaf(3.0)
    inner = tm.grad(lambda x: x * x * w)(2.0)
    assert inner.requires_grad
    inner.backward()
    assert w.grad.item() == 4.0
    assert tm.grad(lambda w: tm.grad(lambda x: x * x * w)(2.0))(3.0).item() == 4.0
    second = tm.grad(lambda x: tm.grad(lambda w: tm.grad(lambda v: v**3 * w**2)(x))(5.0))(2.0)  # 6x * 2w
    assert second.item() == 120.0
    _, pull = tm.vjp(lambda x: x**2 * w, 3.0)
    assert tm.grad_of(pull(2.0)[0], w).item() == 12.0
    assert tm.grad_of(pull(2.0)[0], w).item() == 12.0
