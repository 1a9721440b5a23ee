"""What an error says to somebody who brings habits along."""

import re

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.declare import general

X = tm.tensor([1.0, 2.0, 3.0])
LOSS = tm.tensor(2.0, requires_grad=True) ** 2


@tm.primitive
def squared(x):
    return x * x


@tm.primitive
def half_squared(x):
    return x * x / 2


half_squared.defvjp(lambda g, y, x: g * x)

CASES = {
    "gradient of a result": (lambda: tm.grad(LOSS, X), tm.ArgumentError, r"grad_of\(y, \[x\]\)"),
    "shape as arguments": (lambda: tm.zeros(3, 4), tm.DTypeError, r"zeros\(\(3, 4\)\)"),
    "tensor of a shape": (lambda: tm.Tensor(3, 4), tm.ArgumentError, r"zeros\(\(3, 4\)\)"),
    "forgotten requires_grad": (
        lambda: X.sum().backward(),
        tm.UnusedInput,
        "requires_grad=True where the leaf is made",
    ),
    "lengths that do not meet": (lambda: X @ tm.ones((2, 2)), tm.ShapeError, "of the first has 3 .* last but one .* 2"),
    "a product to be turned": (lambda: tm.ones((2, 3)) @ tm.ones((4, 3)), tm.ShapeError, r"a @ b\.T.*\(2, 4\)"),
    "vectors": (lambda: X @ tm.ones(2), tm.ShapeError, "of the first has 3 elements, the only axis of the second 2"),
    "stacks": (lambda: tm.ones((2, 1, 3)) @ tm.ones((3, 3, 1)), tm.ShapeError, "before the last two"),
    "another number of elements": (lambda: X.reshape(2, 2), tm.ShapeError, "has to stay the same"),
    "singular": (lambda: tm.linalg.solve(np.ones((2, 2)), [1.0, 2.0]), tm.SingularMatrix, "solve_system"),
    "no rule": (lambda: tm.grad(lambda x: squared(x).sum())(X), tm.NoDerivative, r"squared\.defvjp\(\.\.\.\)"),
    "no forward rule": (lambda: tm.jvp(half_squared, (X,), (X,)), tm.NoDerivative, r"half_squared\.defjvp\(\.\.\.\)"),
    "class for a layer": (
        lambda: tm.nn.Sequential(tm.nn.Linear(2, 2), tm.nn.Tanh),
        tm.ArgumentError,
        r"class Tanh; .*Tanh\(\)",
    ),
    "input of a layer": (
        lambda: tm.nn.Linear(3, 4)(np.ones((5, 2))),
        tm.ShapeError,
        r"an input of shape \(\.\.\., 3\), got \(5, 2\)",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_message_says_what_to_do(name):
    call, error, words = CASES[name]
    with pytest.raises(error, match=words):
        call()


def test_a_list_where_a_vector_is_meant_is_explained_in_a_note():
    for f in (lambda x: (x**2).sum(), lambda x: (x * 2).sum(), lambda x: (x * 2.0).sum()):
        with pytest.raises((TypeError, AttributeError)) as caught:
            tm.grad(f)([1.0, 2.0])
        assert "np.array" in caught.value.__notes__[0]


def _declared(name, forward=lambda x, /: x * x, **kwargs):
    from tinygrad_math.core.op import raw, rec, registry

    op = general(name=name, **kwargs)(forward)
    registry.pop(name)
    for space in (raw, rec):
        space.__dict__.pop(name, None)
    return op


def test_a_rule_that_forgets_its_tuple_is_named():
    op = _declared("forgetful")
    op.defvjp(lambda xp, need, g, y, x: 2 * g * x)
    with pytest.raises(tm.ShapeError, match=r"vjp rule of forgetful.*float64\(3,\).*a tuple"):
        tm.grad(lambda x: op(x).sum())(X)


@pytest.mark.parametrize("arity", [1, 2, 3])
@pytest.mark.parametrize("more", [-1, 1])
@pytest.mark.parametrize("kind", [tuple, list])
def test_a_rule_that_returns_another_number_of_cotangents_is_named(arity, more, kind):
    given = arity + more
    op = _declared("miscounting", (lambda x, /: x, lambda x, y, /: x, lambda x, y, z, /: x)[arity - 1], arity=arity)
    op.defvjp(lambda xp, need, g, y, *args: kind([g] * given))
    x = tm.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with pytest.raises(tm.NoDerivative, match=f"miscounting gave {given} cotangents for {arity} arguments"):
        op(*[x] * arity).sum().backward()


@pytest.mark.parametrize("arity", [1, 2, 3])
def test_the_cotangents_that_a_rule_gives_one_by_one_are_taken(arity):
    op = _declared("lazy", (lambda x, /: x, lambda x, y, /: x, lambda x, y, z, /: x)[arity - 1], arity=arity)
    op.defvjp(lambda xp, need, g, y, *args: (g * k for k in range(1, arity + 1)))
    xs = [tm.tensor([1.0, 2.0, 3.0], requires_grad=True) for _ in range(arity)]
    op(*xs).sum().backward()
    assert [x.grad.tolist() for x in xs] == [[float(k)] * 3 for k in range(1, arity + 1)]


def test_an_op_without_samples_or_without_a_rule_does_not_pass():
    from tinygrad_math.core.samples import real, sample

    with pytest.raises(AssertionError, match="no samples"):
        tm.testing.check_op(_declared("unsampled"))
    op = _declared("half_ruled", samples=lambda: [sample(real(2))])
    op.defvjp(lambda xp, need, g, y, x: (2 * g * x,))
    with pytest.raises(AssertionError, match="no jvp rule"):
        tm.testing.check_op(op)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: x.amax(1, keepdim=True), "Say keepdims= for keepdim="),
        (lambda x: x.logsumexp(dim=1), "Say axis= for dim="),
        (lambda x: x.repeat_interleave(2, dim=1), "Say axis= for dim="),
        (lambda x: (x * 1).sort(dim=0), "Say axis= for dim="),
        (lambda x: x.unbind(dim=1), r"Usage: Tensor.unbind\(axis=0\)"),
        (lambda x: x.sub(x, alpha=2), "x - alpha [*] y"),
        (lambda x: x.add(x, alpha=2), "x - alpha [*] y"),
        (lambda x: tm.sub(x, x, alpha=2), "x - alpha [*] y"),
        (lambda x: x.div(x, rounding_mode="floor"), "tm.floor_divide"),
        (lambda x: (x * 1).div_(x, rounding_mode="floor"), "tm.floor_divide"),
        (lambda x: x.var(unbiased=False), "correction=0 where it is False"),
        (lambda x: x.sum().backward(inputs=[x]), "tm.grad_of"),
        (lambda x: x.numpy(force=True), r"x.detach\(\).numpy\(\)"),
    ],
)
def test_pytorchs_keywords_say_what_to_write(call, words):
    with pytest.raises(tm.ArgumentError, match=words) as caught:
        call(tm.tensor([[1.0, 2.0]], requires_grad=True))
    assert "TorchNames" not in str(caught.value)


def test_no_method_of_a_tensor_names_a_class_within():
    x = tm.tensor([[1.0, 2.0]])
    for name in dir(x):
        if not name.startswith("_") and callable(method := getattr(x, name)):
            with pytest.raises(TypeError) as caught:
                method(no_such_word=1)
            assert not re.search(r"Torch\w|Assignment|Leaving|Differentiable|Copying|Form\b", str(caught.value)), name


def test_the_hints_for_chunks_and_products_are_pytorchs_formulas():
    with pytest.raises(AttributeError) as caught:
        tm.chunk  # noqa: B018
    assert "tm.split(x, range(k, n, k), axis)" in str(caught.value)
    x, n, k = tm.zeros((2, 4)), 4, -(-4 // 3)
    assert [part.shape for part in tm.split(x, range(k, n, k), axis=1)] == [(2, 2), (2, 2)]  # of 3 that were asked for
    with pytest.raises(AttributeError, match=r"beta \* c \+ alpha"):
        x.addmm  # noqa: B018


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: np.resize(x, (2, 2)), "numpy.resize"),
        (lambda x: np.unravel_index(x, (2, 2)), "numpy.unravel_index"),
        (lambda x: np.union1d(x, x), "numpy.union1d"),
        (lambda x: np.place(x * 1, x > 0, 2.0), "the mask of numpy.place"),
        (lambda x: np.putmask(x * 1, x > 0, 2.0), "the mask of numpy.putmask"),
        (lambda x: np.put(x * 1, x, 2.0), "the index of numpy.put"),
        (lambda x: np.frompyfunc(abs, 1, 1)(x), "the ufunc abs (vectorized) of another library"),
    ],
)
def test_a_trace_names_the_function_of_numpys_that_asks(call, name):
    with pytest.raises(tm.TraceError) as caught:
        tm.compile(call)(np.array([1.0, 2.0]))
    assert str(caught.value).startswith(name)
