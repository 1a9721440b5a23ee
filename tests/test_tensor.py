"""A Tensor as a Python object: copies, pickles, conversions, hooks, methods, and what no_grad does to all of it."""

import asyncio
import copy
import fractions
import inspect
import math
import operator
import pickle

import numpy as np
import pytest

import tinygrad_math as tm

COPIES = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": lambda v: pickle.loads(pickle.dumps(v))}


def leaf(values, name=None):
    return tm.tensor(values, requires_grad=True, name=name)


# -- copies -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("way", COPIES)
def test_a_copied_leaf_is_a_leaf_of_its_own(way):
    x = leaf([1.0, 2.0], "x")
    (x * x).sum().backward()
    y = COPIES[way](x)
    assert type(y) is tm.Tensor
    assert y.is_leaf
    assert y.requires_grad
    assert y.name == "x"
    assert y.grad.tolist() == [2.0, 4.0]
    y.grad = None
    (3.0 * y).sum().backward()
    assert y.grad.tolist() == [3.0, 3.0]
    assert x.grad.tolist() == [2.0, 4.0]
    with tm.no_grad():
        y[0] = 9.0
    assert x.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("value", [2.0, 3, True, 1j, [], [[1, 2]], np.float32([1.5])])
def test_a_pickle_keeps_dtype_and_shape(value):
    x = tm.tensor(value)
    y = pickle.loads(pickle.dumps(x))
    assert (y.dtype, y.shape, y.tolist()) == (x.dtype, x.shape, x.tolist())


def test_a_deep_copy_of_a_result_is_refused_as_its_history_would_be_lost():
    with pytest.raises(tm.NotALeaf, match=r"x\.copy"):
        copy.deepcopy(leaf([1.0]) * 2)


@pytest.mark.parametrize("way", ["deepcopy", "pickle"])
def test_a_copied_network_computes_the_same_with_parameters_of_its_own(way):
    net = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.nn.Tanh(), tm.nn.Linear(3, 1, rng=1))
    twin = COPIES[way](net)
    assert [n for n, _ in twin.named_parameters()] == [n for n, _ in net.named_parameters()]
    assert all(type(p) is tm.nn.Parameter for p in twin.parameters())
    assert twin(np.ones((4, 2))).tolist() == net(np.ones((4, 2))).tolist()
    twin(np.ones((4, 2))).sum().backward()
    assert all(p.grad is not None for p in twin.parameters())
    assert all(p.grad is None for p in net.parameters())


def test_tied_parameters_stay_tied_in_a_deep_copy():
    net = tm.nn.Linear(2, 2, rng=0)
    net.tied = net.weight
    twin = copy.deepcopy(net)
    assert twin.tied is twin.weight


# -- conversions --------------------------------------------------------------------------------------
def test_numbers_come_out_of_single_elements_only():
    x = leaf(3.0)
    assert (float(x), int(x), bool(x), complex(x), math.floor(x), math.ceil(x), math.trunc(x)) == (3, 3, 1, 3, 3, 3, 3)
    assert [10, 20, 30, 40][tm.tensor(3)] == 40
    for convert, error in ((float, TypeError), (int, TypeError), (bool, ValueError), (complex, TypeError)):
        with pytest.raises(error) as caught:
            convert(tm.tensor([1.0, 2.0]))
        assert isinstance(caught.value, tm.MathError)
    with pytest.raises(tm.DTypeError, match="index"):
        [1, 2][tm.tensor(1.0)]
    with pytest.raises(tm.DTypeError, match="imaginary"):
        float(tm.tensor(1j))
    for use in (len, list):
        with pytest.raises(tm.DTypeError, match="0-d"):
            use(tm.tensor(1.0))


def test_equality_is_elementwise_and_a_hash_is_by_identity():
    x = tm.tensor([1.0, 2.0])
    assert (x == [1.0, 3.0]).tolist() == [True, False]
    assert (np.array([1.0, 3.0]) == x).tolist() == [True, False]
    assert (x == None) is False  # noqa: E711
    assert (x != "x") is True
    assert x[0] == pytest.approx(1.0)
    assert pytest.approx([1.0, 2.0]) == x
    assert len({x, x, tm.tensor([1.0, 2.0])}) == 2
    assert 2.0 in x
    assert 5.0 not in x


def test_what_is_no_array_of_numbers_is_refused_by_name():
    for thing, error in ((None, TypeError), ("abc", TypeError), ({}, TypeError), ([[1.0, 2.0], [3.0]], ValueError)):
        with pytest.raises(error) as caught:
            tm.tensor(thing)
        assert isinstance(caught.value, tm.MathError)
    assert tm.tensor(range(3)).tolist() == [0, 1, 2]


def test_pytorchs_names_do_what_they_do_there():
    x = leaf(np.arange(6.0).reshape(2, 3))
    assert (x.dim(), x.numel()) == (2, 6)
    assert x.t().shape == x.view(3, 2).shape == (3, 2)
    assert x.mm(x.t()).tolist() == (x @ x.T).tolist()
    assert [u.tolist() for u in x.unbind(1)] == x.detach().numpy().T.tolist()
    (2.0 * x.clone()).sum().backward()
    assert x.grad.tolist() == [[2.0] * 3] * 2
    assert x.grad.zero_().tolist() == [[0.0] * 3] * 2
    with tm.no_grad():
        x.sub_(np.ones((2, 3)), alpha=0.5).mul_(2.0).add_(1.0).div_(2.0)
    assert x.is_leaf
    assert x.tolist() == np.arange(6.0).reshape(2, 3).tolist()


# -- hooks, leaves, grad_of ---------------------------------------------------------------------------
def test_a_hook_is_removed_by_its_handle():
    x, seen = leaf(2.0), []
    handle = x.register_hook(lambda g: seen.append(g.item()))
    (x * x).backward(retain_graph=True)
    handle.remove()
    handle.remove()
    (x * x).backward()
    assert seen == [4.0]


def test_questions_about_a_gradient_that_is_not_wanted_are_runtime_errors():
    plain, result = tm.tensor(2.0), leaf(2.0) * 2
    for ask in (plain.retain_grad, lambda: plain.register_hook(print), plain.backward):
        with pytest.raises(RuntimeError):
            ask()
    with pytest.raises(tm.NotALeaf, match=r"detach\(\)"):
        result.requires_grad = False


def test_grad_of_takes_a_tree_of_inputs_and_cotangents_as_lists_or_arrays():
    p = {"w": leaf(2.0), "b": leaf(1.0)}
    g = tm.grad_of(p["w"] * 3 + p["b"], p)
    assert {k: v.item() for k, v in g.items()} == {"w": 3.0, "b": 1.0}
    v = leaf([1.0, 2.0])
    for cotangent in ([1.0, 10.0], np.array([1.0, 10.0]), [np.array([1.0, 10.0])]):
        assert tm.grad_of(v * v, [v], grad_outputs=cotangent)[0].tolist() == [2.0, 40.0]
    with pytest.raises(tm.DTypeError, match="Tensors"):
        tm.grad_of(v.sum(), [2.0])
    with pytest.raises(tm.ArgumentError, match="2 results"):
        tm.grad_of([v * v, v], [v], grad_outputs=[v])


# -- no_grad ------------------------------------------------------------------------------------------
def test_no_grad_nests_and_ends_with_an_exception():
    x, context = leaf(2.0), tm.no_grad()
    with pytest.raises(KeyError), context:  # noqa: PT012
        with context:
            pass
        assert not (x * x).requires_grad
        raise KeyError
    assert (x * x).requires_grad


def test_no_grad_decorates_functions_and_generators_with_or_without_parentheses():
    x = leaf(2.0)

    @tm.no_grad()
    def square(a, times=1):
        """A square."""
        return a * a * times

    @tm.no_grad
    def bare(a):
        return a * a

    @tm.no_grad()
    def steps():
        yield x * x
        yield x * x * x

    assert not square(x, times=2).requires_grad
    assert (square.__name__, square.__doc__) == ("square", "A square.")
    assert list(inspect.signature(square).parameters) == ["a", "times"]
    assert not bare(x).requires_grad
    for y in steps():
        assert not y.requires_grad
        assert (x * x).requires_grad


def test_no_grad_belongs_to_its_asyncio_task():
    x, seen = leaf(2.0), {}

    async def without():
        with tm.no_grad():
            await asyncio.sleep(0.01)
            seen["without"] = (x * x).requires_grad

    async def beside():
        await asyncio.sleep(0.005)
        seen["beside"] = (x * x).requires_grad

    async def both():
        await asyncio.gather(without(), beside())

    asyncio.run(both())
    assert seen == {"without": False, "beside": True}


def test_a_transform_under_no_grad_has_its_value_and_no_outer_derivative():
    w = leaf(3.0)
    with tm.no_grad():
        assert tm.grad(lambda x: x * x)(3.0).item() == 6.0
        assert tm.jvp(lambda x: x * x, (3.0,), (1.0,))[1].item() == 6.0
        assert tm.hvp(lambda x: x**3, 3.0, 1.0).item() == 18.0
        assert tm.hessian(lambda x: x**3)(3.0).item() == 18.0
        g = tm.grad(lambda x: x * x * w)(w)
        value, _ = tm.vjp(lambda x: x * w, 2.0)
    assert g.item() == 18.0
    assert not g.requires_grad
    assert not value.requires_grad


def test_no_grad_inside_a_function_makes_its_part_constant():
    def f(x):
        with tm.no_grad():
            y = x * x
        return y * x

    assert tm.grad(f)(3.0).item() == 9.0
    assert tm.grad(lambda x: x * _silent_gradient(x))(3.0).item() == 6.0


def _silent_gradient(x):
    with tm.no_grad():
        return tm.grad(lambda v: v * v)(x)


def test_what_has_aux_returns_is_cut_off_from_the_derivative():
    (_, aux), _ = tm.value_and_grad(lambda x: (x * x, {"y": x * 3, "text": "as it is"}), has_aux=True)(2.0)
    assert not aux["y"].requires_grad
    assert aux["text"] == "as it is"
    outer = tm.grad(lambda x: tm.grad(lambda v: (v * v * x, v * x), has_aux=True)(x)[1])
    assert outer(3.0).item() == 6.0


# -- changes through an array that was handed out -------------------------------------------------------
def test_an_array_handed_out_before_the_use_is_watched_after_it():
    x = leaf([1.0, 2.0], "x")
    array = x.data
    y = (x * x).sum()
    array[0] = 7.0
    with pytest.raises(tm.ChangedAfterUse, match=r"'x'.*multiply"):
        y.backward()
    z = (x * x * x).sum()
    z.backward()
    assert x.grad.tolist() == [3 * 49.0, 12.0]


def test_an_array_handed_out_and_written_before_the_use_is_fine():
    x = leaf([1.0, 2.0])
    array = x.data
    array[0] = 7.0
    (x * x).sum().backward()
    assert x.grad.tolist() == [14.0, 4.0]


@pytest.mark.parametrize("window", [lambda x: x.detach(), lambda x: x[:1], lambda x: x.reshape(2, 1)])
def test_writing_through_another_handle_leaves_the_tensor_as_it_was(window):
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    window(x).data[0] = 9.0
    y.backward()
    assert x.tolist() == [1.0, 2.0]
    assert x.grad.tolist() == [2.0, 4.0]


# -- dtypes -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [object, str, "datetime64[s]", "nonsense", 3.0])
def test_a_tensor_holds_numbers_and_nothing_else(dtype):
    x = tm.tensor([1.0, 2.0])
    for make in (
        lambda: tm.tensor([1.0], dtype=dtype),
        lambda: tm.asarray([1.0], dtype=dtype),
        lambda: tm.zeros(2, dtype=dtype),
        lambda: x.astype(dtype),
    ):
        with pytest.raises(tm.DTypeError):
            make()


def test_an_imaginary_part_is_never_lost_silently():
    for make in (lambda: tm.tensor([1j], dtype=float), lambda: tm.asarray([1j]).astype(np.float32)):
        with pytest.raises(tm.DTypeError, match="imaginary"):
            make()


@pytest.mark.parametrize("make", [lambda: tm.zeros(-1), lambda: tm.ones("a"), lambda: tm.eye(2.5), lambda: tm.tri("n")])
def test_a_shape_that_is_none_is_refused_by_name(make):
    with pytest.raises((tm.ShapeError, tm.DTypeError, tm.ArgumentError), match=r"zeros|ones|eye|tri"):
        make()


def test_a_tensor_of_a_tensor_is_a_value_of_its_own_and_part_of_the_graph():
    x = leaf([1.0, 2.0])
    y = tm.tensor(x)
    assert not y.is_leaf
    y[0] = 9.0
    with tm.no_grad():
        z = copy.copy(tm.tensor([1.0, 2.0]))
        z[0] = 9.0
    assert x.tolist() == [1.0, 2.0]
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 1.0]


def test_a_hook_is_a_function():
    with pytest.raises(TypeError, match="takes a function"):
        leaf(1.0).register_hook(3)


def test_check_grads_refuses_what_it_could_not_check():
    for wrong in ({"modes": ("foo",)}, {"modes": ()}, {"order": 0}):
        with pytest.raises(tm.ArgumentError, match="modes"):
            tm.testing.check_grads(tm.sin, (1.0,), **wrong)


# -- errors -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: tm.linspace(np.ones(2), np.ones(3)), ValueError),
        (lambda: tm.moveaxis(np.ones(2), None, 0), TypeError),
        (lambda: tm.pad(np.ones(2), None), TypeError),
        (lambda: tm.vstack(None), TypeError),
        (lambda: tm.concat(None), TypeError),
        (lambda: tm.tile(np.ones(2), [[1], [2, 3]]), ValueError),
        (lambda: tm.full(-1, 2.0), ValueError),
        (lambda: tm.full(2), TypeError),
        (lambda: tm.swapaxes(np.ones(2), 0), TypeError),
    ],
)
def test_what_numpy_raises_inside_a_function_made_of_ops_is_a_named_error_too(call, error):
    with pytest.raises(error) as caught:
        call()
    assert isinstance(caught.value, tm.MathError)


def test_an_error_in_a_function_that_was_handed_over_stays_what_it_is():
    def broken(row):
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$") as caught:
        tm.apply_along_axis(broken, 0, np.ones((2, 2)))
    assert not isinstance(caught.value, tm.MathError)


def test_check_grads_hands_tensors_to_the_function():
    rows = np.arange(6.0).reshape(3, 2)

    def f(x, v):
        y = x.at[0].add(v)
        x[1] = v * v
        return (x * y).sum(axis=1)

    tm.testing.check_grads(f, (rows, np.array([0.5, -1.0])))
    assert rows.tolist() == np.arange(6.0).reshape(3, 2).tolist()


def test_a_name_is_text():
    with pytest.raises(tm.ArgumentError, match="text"):
        tm.tensor(1.0, name=3)


@pytest.mark.parametrize("index", ["a", {}, 1.5, 1j, [0.5], [[0], [0, 1]], (0, 0), (..., ...), [True, False, True]])
def test_what_is_no_index_is_an_index_error(index):
    x = tm.tensor([1.0, 2.0])
    for use in (lambda: x[index], lambda: x.__setitem__(index, 0.0), lambda: x.at[index].set(0.0)):
        with pytest.raises(IndexError) as caught:
            use()
        assert isinstance(caught.value, tm.MathError)


def test_conversions_go_by_their_names_in_pytorch_and_pass_gradients_on():
    x = tm.tensor([1.5, -2.5], requires_grad=True)
    for y, dtype in ((x.float(), "f4"), (x.double(), "f8"), (x.long(), "i8"), (x.to(np.float16), "f2")):
        assert y.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(y.detach().numpy(), np.array([1.5, -2.5]).astype(dtype))
    assert x.cpu() is x
    assert x.to("cpu") is x
    (3.0 * x.float()).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [3.0, 3.0])
    assert (x.detach() > 0).float().mean().item() == 0.5
    with pytest.raises(tm.MathError):
        x.to("cuda")


def test_every_operator_takes_two_tensors_that_nobody_differentiates():
    a, b = tm.tensor([7.0, 5.0]), tm.tensor([2.0, 3.0])
    x, y = np.array([7.0, 5.0]), np.array([2.0, 3.0])
    for f in (
        pow,
        divmod,
        *(getattr(operator, n) for n in ("add", "sub", "mul", "truediv", "floordiv", "mod", "matmul")),
    ):
        for got, want in zip(np.atleast_1d(f(a, b)), np.atleast_1d(f(x, y))):
            np.testing.assert_array_equal(np.asarray(got), want)


# -- operands ------------------------------------------------------------------------------------------
OPERATORS = [
    getattr(operator, n) for n in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "lt", "eq", "and_")
]
KINDS = "?bBhHiIlLefdFD"


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_numpys_scalars_have_the_dtype_beside_a_tensor_that_they_have_beside_an_array(kind, compiled):
    """The oracle is NumPy itself, with an array in the tensor's place."""
    number, known = np.dtype(kind).type(1), 0
    for other in KINDS if not compiled else "bBid":
        x = np.array([1, 2], other)
        for op in OPERATORS:
            for f in (lambda v, op=op: op(v, number), lambda v, op=op: op(number, v)):
                try:
                    want = f(x)
                except TypeError:
                    with pytest.raises(TypeError):
                        f(tm.tensor(x))
                    continue
                got = (tm.compile(f) if compiled else f)(tm.tensor(x))
                assert got.dtype == want.dtype, (op, other)
                np.testing.assert_array_equal(got.numpy(), want)
                known += 1
    assert known > 30


def test_numpys_small_integers_wrap_around_as_in_numpy():
    x = tm.tensor(np.array([254, 1], np.uint8))
    assert (x + np.uint8(3)).tolist() == (np.uint8(3) + x).tolist() == [1, 4]
    x += np.uint8(3)
    assert (x.tolist(), x.dtype) == ([1, 4], np.uint8)
    assert (x + fractions.Fraction(1, 2)).tolist() == [1.5, 4.5]  # which has no dtype


@pytest.mark.parametrize(("held", "given"), [("i8", "f8"), ("f8", "c16"), ("?", "f8"), ("f4", "c8"), ("?", "i8")])
def test_data_is_not_replaced_by_what_its_dtype_does_not_hold(held, given):
    t = tm.tensor(np.array([1, 0], held))
    with pytest.raises(tm.DTypeError, match="cannot be replaced by"):
        t.data = np.array([1.5, 2.0], given)
    assert t.tolist() == np.array([1, 0], held).tolist()


@pytest.mark.parametrize(("held", "given"), [("f8", "f4"), ("f4", "f8"), ("c16", "f8"), ("f8", "i8"), ("f2", "f8")])
def test_data_keeps_its_dtype_where_it_is_replaced(held, given):
    t = tm.tensor(np.array([1, 0], held))
    t.data = np.array([2, 3], given)
    assert (t.dtype, t.tolist()) == (np.dtype(held), np.array([2, 3], held).tolist())
