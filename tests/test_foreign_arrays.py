"""Arrays of other kinds: matrices, masked and labelled arrays, quantities with units."""

import array
import operator
from collections import UserList, deque
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse
from test_compiler_every_op import called

import tinygrad_math as tm
from tinygrad_math.core.op import registry
from tinygrad_math.core.tree import flatten

A = np.array([[1.0, 2.0], [3.0, 4.0]])
B = np.array([[0.5, -1.0], [2.0, 0.25]])


class Tagged(np.ndarray):
    """A subclass with nothing but another name."""


class Labelled:
    """A labelled array, as xarray's and pandas': its values come out of `__array__`, its operators are its own."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


class Quantity(Labelled):
    """Numbers with a unit, as pint's: operators and ufuncs that know it."""

    def __init__(self, values, unit="m"):
        super().__init__(values)
        self.units = unit

    def __mul__(self, other):
        return Quantity.__new__(Quantity)._with(other * self.values if isinstance(other, tm.Tensor) else NotImplemented)

    __rmul__ = __mul__

    def _with(self, values):
        self.values, self.units = values, "m"
        return self

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        values = [v.values if isinstance(v, Quantity) else v for v in inputs]
        return Quantity.__new__(Quantity)._with(getattr(ufunc, method)(*values, **kwargs))


class Measured(np.ndarray):
    """Numbers with a unit in a subclass of ndarray, as astropy's and unyt's."""

    unit = "kg"


PLAIN = {
    "matrix": lambda a: a.copy().view(np.matrix),
    "subclass": lambda a: a.view(Tagged),
    "masked without a mask": np.ma.array,
    "masked nowhere": lambda a: np.ma.array(a, mask=np.zeros(a.shape, bool)),
    "labelled": Labelled,
    "big-endian": lambda a: a.astype(">f8"),
    "list of rows of a matrix": lambda a: [np.asarray(a[0]).view(Tagged), a[1]],
}
OPERATORS = [operator.mul, operator.add, operator.sub, operator.truediv, operator.matmul, operator.gt, operator.eq]


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("live", [True, False])
def test_an_array_of_another_kind_is_the_plain_array_of_its_values(kind, live):
    other, x = PLAIN[kind](B), tm.tensor(A, requires_grad=live)
    for op in OPERATORS:
        np.testing.assert_array_equal(op(x, other).detach().numpy(), op(A, B))
        if kind in ("matrix", "subclass") or (kind == "labelled" and op is not operator.eq):
            np.testing.assert_array_equal(op(other, x).detach().numpy(), op(B, A))
    for f, want in [
        (lambda: tm.multiply(other, x), B * A),
        (lambda: np.multiply(x, other), A * B),
        (lambda: np.multiply(x, np.asarray(other)), A * B),
        (lambda: x**other, A**B),
        (lambda: tm.sum(other, axis=0), B.sum(axis=0)),
        (lambda: tm.tensor(other), B),
        (lambda: tm.asarray(other) * tm.asarray(other), B * B),
        (lambda: tm.concatenate([x, other]), np.concatenate([A, B])),
        (lambda: tm.where(x > 2, other, x), np.where(A > 2, B, A)),
    ]:
        got = f()
        assert isinstance(got, tm.Tensor)
        assert type(got.detach().numpy()) is type(got.node.data) is np.ndarray
        np.testing.assert_array_equal(got.detach().numpy(), want)


@pytest.mark.parametrize("kind", PLAIN)
def test_its_derivative_is_that_of_the_plain_array(kind):
    other = PLAIN[kind](B)
    np.testing.assert_array_equal(tm.grad(lambda x: (x * other).sum())(A).numpy(), B)
    np.testing.assert_array_equal(
        tm.grad(lambda x: (x @ tm.asarray(other)).sum())(A).numpy(), np.tile(B.sum(1), (2, 1))
    )
    np.testing.assert_array_equal(tm.grad(lambda y: (tm.tensor(A) * y).sum())(tm.asarray(other)).numpy(), A)
    np.testing.assert_array_equal(tm.jvp(lambda x: x * other, (A,), (A,))[1].numpy(), A * B)


def test_a_matrix_that_is_overwritten_later_does_not_spoil_the_derivative():
    for other in (B.copy().view(np.matrix), B.copy().view(Tagged)):
        w = tm.tensor(A, requires_grad=True)
        loss = (w * other).sum()
        other[...] = 77.0
        loss.backward()
        np.testing.assert_array_equal(w.grad.numpy(), B)


MASKED = np.ma.array(B, mask=[[False, True], [False, False]])


def ruled(v):
    """A primitive whose rules give v."""
    return tm.primitive(lambda x: x * x).defvjp(lambda g, y, x: v).defjvp(lambda t, y, x: v)


def hooked(v):
    x = tm.tensor(A, requires_grad=True)
    x.register_hook(lambda g: v)
    (x * x).sum().backward()


ENTRANCES = {
    "tensor": tm.tensor,
    "asarray": tm.asarray,
    "operator": lambda v: tm.tensor(A) * v,
    "comparison": lambda v: tm.tensor(A) < v,
    "function": lambda v: tm.mean(v),
    "power": lambda v: tm.tensor(A, requires_grad=True) ** v,
    "in place": lambda v: operator.iadd(tm.tensor(A), v),
    "NumPy's function": lambda v: np.concatenate([tm.tensor(A), v]),
    "list": lambda v: tm.tensor([v, v]),
    "nested list": lambda v: tm.stack([tm.tensor(A), [[1.0, 2.0], v[0]]]),
    "argument of grad": lambda v: tm.grad(tm.sum)(v),
    "inside grad": lambda v: tm.grad(lambda x: (x * v).sum())(A),
    "assignment": lambda v: tm.tensor(A).__setitem__(0, v[0]),
    "tangent": lambda v: tm.jvp(tm.sin, (A,), (v,)),
    "gradient": lambda v: setattr(tm.tensor(A, requires_grad=True), "grad", v),
    "parameter": tm.nn.Parameter,
    "value of a primitive": lambda v: tm.primitive(lambda x: v)(A),
    "value of a compiled primitive": lambda v: tm.compile(tm.primitive(lambda x: v))(A),
    "vjp rule": lambda v: tm.grad(lambda x: ruled(v)(x).sum())(A),
    "vjp rule, recorded": lambda v: tm.hvp(lambda x: ruled(v)(x).sum(), A, A),
    "jvp rule": lambda v: tm.jvp(ruled(v), (A,), (A,)),
    "hook": hooked,
    "step of a loop": lambda v: tm.fori_loop(2, lambda k, c: v, A),
    "solver": lambda v: tm.implicit.root(lambda x, a: x - a, lambda a: v)(A),
}


def test_what_a_primitive_and_its_rules_return_is_taken_as_the_array_of_its_values():
    for kind in (lambda a: a.copy().view(np.matrix), np.ma.array, Labelled):
        given = kind(B)
        np.testing.assert_array_equal(tm.primitive(lambda x, v=given: v)(A).numpy(), B)
        np.testing.assert_array_equal(tm.grad(lambda x, v=given: ruled(v)(x).sum())(A).numpy(), B)


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_masked_elements_are_refused_by_name(entrance):
    value = np.ma.array(B, mask=True) if entrance in ("nested list", "assignment") else MASKED
    with pytest.raises(tm.DTypeError, match=r"masked.*filled"):
        ENTRANCES[entrance](value)


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_units_of_a_subclass_of_ndarray_are_refused_by_name(entrance):
    with pytest.raises(tm.DTypeError, match=r"Measured has units \(kg\)"):
        ENTRANCES[entrance](B.view(Measured))


def test_units_are_refused_where_no_operator_of_their_own_decides():
    q = Quantity(B)
    for f in (tm.tensor, tm.sum, lambda q: tm.add(A, q), lambda q: tm.tensor([q, q]), lambda q: tm.tensor(A) + q):
        with pytest.raises(tm.DTypeError, match=r"Quantity has units \(m\)"):
            f(q)


@pytest.mark.parametrize("live", [True, False])
def test_operators_of_what_has_units_decide_themselves(live):
    x, q = tm.tensor(A, requires_grad=live), Quantity(B)
    for product in (x * q, q * x, np.multiply(x, q), np.multiply(q, x)):
        assert isinstance(product, Quantity)
        np.testing.assert_array_equal(product.values.detach().numpy(), A * B)
    gradient = tm.grad(lambda x: (x * q).values.sum())(A)
    np.testing.assert_array_equal(gradient.numpy(), B)


def test_a_compiled_function_takes_what_it_takes_eagerly():
    f = tm.compile(lambda x: x * x)
    for _ in range(2):
        np.testing.assert_array_equal(f(B).numpy(), B * B)
        np.testing.assert_array_equal(f(B.copy().view(np.matrix)).numpy(), B * B)
        np.testing.assert_array_equal(f(np.ma.array(B)).numpy(), B * B)
        with pytest.raises(tm.DTypeError, match="masked"):
            f(MASKED)
        with pytest.raises(tm.DTypeError, match="units"):
            f(B.view(Measured))


class Answering:
    """Something with operators of its own, which can become an array, and says whether it wants to."""

    def __array__(self, dtype=None, copy=None):
        return np.ones(2)

    def _answer(self, *_):
        return "mine"

    __add__ = __radd__ = __mul__ = __rmul__ = __matmul__ = __rmatmul__ = __rpow__ = __gt__ = __lt__ = _answer


class WithoutUfuncs(Answering):
    __array_ufunc__ = None


class OfHighPriority(Answering):
    __array_priority__ = 5000


class OfLowPriority(Answering):
    __array_priority__ = 10


class Symbolic:
    """What no array can be made of: a symbol, a variable, a unit."""

    __rmul__ = __radd__ = __rmatmul__ = __gt__ = Answering._answer


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("kind", [WithoutUfuncs, OfHighPriority, Symbolic])
def test_what_has_operators_of_its_own_keeps_them(kind, live):
    x, other = tm.tensor([1.0, 2.0], requires_grad=live), kind()
    assert (x * other, x + other, x @ other, x < other) == ("mine",) * 4
    if kind is not Symbolic:
        assert (other * x, x**other) == ("mine", "mine")


def test_an_array_of_low_priority_is_its_values():
    x = tm.tensor([1.0, 2.0])
    assert isinstance(x * OfLowPriority(), tm.Tensor)
    assert (x ** OfLowPriority()).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("other", [object(), "text", None, {}, b"bytes"], ids=lambda v: type(v).__name__)
def test_what_is_nobodys_number_is_refused_by_name(other):
    x = tm.tensor([1.0, 2.0])
    for op in (operator.add, operator.sub, operator.matmul, operator.lt, operator.pow):
        with pytest.raises(tm.DTypeError, match="expected numbers"):
            op(x, other)
    with pytest.raises(tm.DTypeError, match="expected numbers"):
        x += other


@pytest.mark.parametrize("x", [tm.tensor(2), tm.tensor([1.0, 2.0])], ids=["a count", "an array"])
@pytest.mark.parametrize(
    "other", [array.array("d", [1.0, 2.0]), deque([1.0, 2.0]), UserList([1.0, 2.0])], ids=lambda v: type(v).__name__
)
def test_pythons_sequences_of_numbers_are_neither_repeated_nor_appended_to(x, other):
    for op in (operator.mul, operator.add, operator.eq, operator.lt, operator.matmul):
        with pytest.raises(tm.DTypeError, match="expected numbers"):
            op(x, other)
    if type(other) is not UserList:  # whose own operators are asked first
        for op in (operator.mul, operator.add):
            with pytest.raises(tm.DTypeError, match="expected numbers"):
                op(other, x)


def test_a_fraction_is_a_number_as_beside_a_float():
    x = tm.tensor([1.0, 2.0], requires_grad=True)
    y = x * Fraction(1, 4) + Fraction(1, 2)
    assert y.tolist() == [0.75, 1.0]
    assert (Fraction(1, 2) - x).tolist() == [-0.5, -1.5]
    y.sum().backward()
    assert x.grad.tolist() == [0.25, 0.25]
    with pytest.raises(TypeError, match="Decimal"):
        x * Decimal(1)


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csr_matrix, sparse.coo_array])
def test_sparse_matrices_keep_their_operators(make):
    m = make(A)
    v = np.array([1.0, -2.0])
    np.testing.assert_array_equal(tm.tensor(v) @ m, v @ A)
    np.testing.assert_array_equal(m @ tm.tensor(v), A @ v)
    for product in (lambda x: x @ m, lambda x: m @ x, lambda x: x * m):
        with pytest.raises(tm.NeedsDetach, match="detach"):
            product(tm.tensor(v, requires_grad=True))
    np.testing.assert_array_equal(np.asarray(m + tm.tensor(B)), A + B)
    np.testing.assert_array_equal(np.asarray(tm.tensor(B) - m), B - A)
    with pytest.raises(tm.DTypeError, match=r"toarray\(\)"):
        m + tm.tensor(B, requires_grad=True)


class KnowsArrays:
    """An array of another library, whose operators and ufuncs take arrays and numbers of NumPy's, and no others."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def _with(self, op, other, turned=False):
        if not isinstance(other, (np.ndarray, np.generic)):
            return NotImplemented
        return KnowsArrays(op(other, self.values) if turned else op(self.values, other))

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


for _name in ("add", "sub", "mul", "truediv", "matmul", "lt", "gt"):
    _op = getattr(operator, _name)
    setattr(KnowsArrays, f"__{_name}__", lambda self, other, op=_op: self._with(op, other))
    if _name not in ("lt", "gt"):
        setattr(KnowsArrays, f"__r{_name}__", lambda self, other, op=_op: self._with(op, other, True))


class WithPriority(KnowsArrays):
    __array_priority__ = 5000


class WithUfuncs(KnowsArrays):
    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if not all(isinstance(v, (np.ndarray, np.generic, KnowsArrays)) for v in inputs):
            return NotImplemented
        return WithUfuncs(ufunc(*(v.values if isinstance(v, KnowsArrays) else v for v in inputs), **options))


@pytest.mark.parametrize("kind", [WithPriority, WithUfuncs])
@pytest.mark.parametrize("values", [A, A[0, 0]])
def test_what_knows_arrays_and_no_tensors_is_given_the_array_of_a_constant(kind, values):
    x, other = tm.tensor(values), kind(B)
    for op in (*OPERATORS[:4], operator.lt, operator.gt, *([operator.matmul] if values.shape else [])):
        for result, want in ((op(x, other), op(values, B)), (op(other, x), op(B, values))):
            assert isinstance(result, KnowsArrays)
            np.testing.assert_array_equal(result.values, want)
    if kind is WithUfuncs:
        for result in (np.multiply(x, other), np.multiply(other, x)):
            assert isinstance(result, WithUfuncs)
            np.testing.assert_array_equal(result.values, values * B)
        with pytest.raises(TypeError):
            np.multiply(tm.tensor(values, requires_grad=True), other)
    with pytest.raises(TypeError):
        tm.tensor(values, requires_grad=True) * other


def test_symbols_of_sympy_take_constants_and_refuse_gradients():
    sympy = pytest.importorskip("sympy")
    a = sympy.Symbol("a")
    assert tm.tensor(2.0) * a == a * tm.tensor(2.0) == 2.0 * a
    assert sympy.sympify(tm.tensor([1.0, 2.0]))[1] * a == 2.0 * a
    with pytest.raises(TypeError, match="'Tensor' and 'Symbol'"):
        tm.tensor([1.0, 2.0]) * a
    assert (tm.tensor([1.0, 2.0]) * sympy.Integer(2)).tolist() == [2.0, 4.0]
    for x in (tm.tensor(2.0, requires_grad=True), tm.tensor([1.0, 2.0], requires_grad=True)):
        with pytest.raises(tm.NeedsDetach):
            x * a
        with pytest.raises(tm.NeedsDetach):
            a * x


def test_a_question_about_a_value_that_needs_a_gradient_is_answered():
    loss = tm.tensor(2.0, requires_grad=True) * 7.0
    assert loss == pytest.approx(14.0)
    assert loss != pytest.approx(13.0)
    assert tm.tensor([1.0, 2.0], requires_grad=True) == pytest.approx(np.array([1.0, 2.0]))


# -- the other byte order -------------------------------------------------------------------------------------
def swapped(x):
    return x.astype(x.dtype.newbyteorder()) if isinstance(x, np.ndarray) and x.dtype.kind in "biufc" else x


def numbers(tree):
    return [np.asarray(t.numpy() if isinstance(t, tm.Tensor) else t) for t in flatten(tree)[0]]


SAMPLED = sorted(name for name, op in registry.items() if op.samples is not None)


@pytest.mark.parametrize("part", range(8))
def test_every_op_takes_arrays_of_the_other_byte_order_for_the_numbers_that_they_are(part):
    for name in SAMPLED[part::8]:
        for sample in registry[name].samples()[:3]:
            f, arrays = called(registry[name], sample)
            tm.random.seed(0)
            want = numbers(f(*arrays))
            tm.random.seed(0)
            for x, y in zip(numbers(f(*map(swapped, arrays))), want, strict=True):
                assert (x.shape, x.dtype, x.dtype.isnative) == (y.shape, y.dtype, True), name
                np.testing.assert_allclose(x, y, rtol=1e-6 if y.dtype.itemsize < 8 else 1e-12, atol=1e-12, err_msg=name)


BOTH_ORDERS = {
    "itself": lambda x: x,
    "rolled": lambda x: tm.roll(x, 1, axis=0),
    "turned": lambda x: tm.asarray(x).T,
    "every other": lambda x: tm.ravel(x)[::2],
    "sorted": tm.sort,
    "lu": tm.linalg.lu,
    "gradient": tm.grad(lambda x: tm.linalg.slogdet(x)[1]),
}


@pytest.mark.parametrize("backend", [None, "numpy", "auto"])
@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("f", BOTH_ORDERS.values(), ids=BOTH_ORDERS)
def test_compiled_or_not_the_other_byte_order_makes_no_difference(f, kind, backend):
    x = np.array([[2.0, 1.0, 0.5], [0.0, 3.0, 1.0], [1.0, -1.0, 4.0]], kind)
    g = f if backend is None else tm.compile(f, backend=backend)
    want = numbers(f(tm.tensor(x)))
    for given in (tm.tensor(swapped(x)), tm.asarray(swapped(x)), x, *([] if backend is None else [swapped(x)])):
        for _ in range(2):
            for a, b in zip(numbers(g(given)), want, strict=True):
                assert (a.dtype, a.dtype.isnative) == (b.dtype, True)
                np.testing.assert_allclose(a, b, rtol=1e-5 if kind == "f4" else 1e-12, atol=1e-7)
    if backend is not None:
        assert len(g._programs) == 1


def test_a_dtype_of_the_other_byte_order_is_the_machines():
    other = np.dtype("f4").newbyteorder()
    for x in (tm.tensor([1.0, 2.0], dtype=other), tm.zeros(2, dtype=other), tm.tensor([1.0]).astype(other)):
        assert x.dtype == np.float32
        assert x.dtype.isnative
    with pytest.raises(tm.errors.ShapeError, match="byte order needs a copy"):
        tm.asarray(np.ones(2, other), copy=False)


def test_a_compiled_function_that_donates_leaves_an_array_of_the_other_byte_order_as_it_is():
    x = swapped(np.ones(3))
    f = tm.compile(lambda p: p[0] * 2.0, donate_argnums=0)
    for _ in range(2):
        assert f([x]).tolist() == [2.0] * 3
        assert x.tolist() == [1.0] * 3
