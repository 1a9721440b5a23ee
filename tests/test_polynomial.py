"""NumPy's polynomial functions: its values, and derivatives against finite differences and closed forms."""

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.samples import complexes, real

p, q, x = real(4), real(3, key="q"), real(2, 3)

CASES = {
    "polyval": [(p, x), (p, 2.0), (complexes(3), x)],
    "polyadd": [(p, q), (q, p), (p, 1.0)],
    "polysub": [(p, q), (q, p)],
    "polymul": [(p, q), (p, 2.0)],
    "polyder": [(p,), (p, 2), (p, 0), (p, 4)],
    "polyint": [(p,), (p, 2), (p, 2, 1.5), (p, 2, [1.0, 2.0])],
    "poly": [(p,), (complexes(3),), (real(3, 3),)],
    "polyfit": [(real(7), real(7, key="y"), 2), (real(7), real(7, 2, key="y"), 1)],
}


@pytest.mark.parametrize(("name", "args"), [(n, a) for n, rows in CASES.items() for a in rows])
def test_values_are_numpys_and_derivatives_are_right(name, args):
    f = getattr(tm, name)
    np.testing.assert_allclose(f(*args).numpy(), getattr(np, name)(*args), rtol=1e-9, atol=1e-12)
    arrays = [k for k, a in enumerate(args) if isinstance(a, np.ndarray)]

    def of_arrays(*chosen):
        full = list(args)
        for k, a in zip(arrays, chosen):
            full[k] = a
        return f(*full)

    if f(*args).size:
        tm.testing.check_grads(of_arrays, [args[k] for k in arrays], tolerance=1e-5)


def test_weights_of_a_fit_have_a_derivative():
    t, y, w = real(6), real(6, key="y"), real(6, low=0.5, high=2.0)
    np.testing.assert_allclose(tm.polyfit(t, y, 1, w=w).numpy(), np.polyfit(t, y, 1, w=w), rtol=1e-10)
    tm.testing.check_grads(lambda w: tm.polyfit(t, y, 1, w=w), (w,))


def test_division_gives_quotient_and_remainder():
    a, b = real(5), np.array([2.0, -1.0, 0.5])
    quotient, rest = tm.polydiv(a, b)
    np.testing.assert_allclose(quotient.numpy(), np.polydiv(a, b)[0])
    np.testing.assert_allclose(tm.polyadd(tm.polymul(quotient, b), rest).numpy(), a)
    tm.testing.check_grads(tm.polydiv, (a, b))


def test_roots_move_as_the_implicit_function_theorem_says():
    c = np.array([1.0, -6.0, 11.0, -6.0])  # roots 3, 2, 1
    np.testing.assert_allclose(np.sort(tm.roots(c).numpy().real), [1, 2, 3], rtol=1e-10)
    J = tm.jacrev(lambda c: tm.sort(tm.real(tm.roots(c))))(c).numpy()
    for root, row in zip([1.0, 2.0, 3.0], J):
        slope = np.polyval(np.polyder(c), root)
        np.testing.assert_allclose(row, [-(root**k) / slope for k in (3, 2, 1, 0)], rtol=1e-8)
    np.testing.assert_allclose(np.sort_complex(tm.roots([0.0, 1.0, -2.0, 0.0]).numpy()), [0, 2])


def test_unwrap_adds_constants():
    angles = np.array([0.0, 3.0, -3.0, 0.5, 6.0])
    np.testing.assert_allclose(tm.unwrap(angles).numpy(), np.unwrap(angles))
    np.testing.assert_allclose(tm.grad(lambda a: tm.unwrap(a) @ np.arange(5.0))(angles).numpy(), np.arange(5.0))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: tm.polyval(np.ones((2, 2)), 1.0), tm.ShapeError, "vector"),
        (lambda: tm.polyder(p, -1), tm.ArgumentError, "polyint"),
        (lambda: tm.polyint(p, 2, [1.0, 2.0, 3.0]), tm.ShapeError, "as many constants"),
        (lambda: tm.polyfit(np.ones(3), np.ones(4), 1), tm.ShapeError, "polyfit"),
    ],
)
def test_wrong_calls_get_a_named_error(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("rcond", [True, 1.0, np.inf])
def test_a_fit_that_would_count_every_singular_value_as_zero_is_refused(rcond):
    with pytest.raises(tm.ArgumentError, match="below 1"):
        tm.polyfit([0.0, 1.0, 2.0], [1.0, 3.0, 5.0], 1, rcond=rcond)
