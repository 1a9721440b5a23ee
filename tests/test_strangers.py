"""Libraries that know only NumPy's arrays: what they mean by item(), by a write into a part, by catching an error."""

import contextlib
import gc
import weakref

import numpy as np
import pytest

import tinygrad_math as tm

X = np.arange(1.0, 7.0).reshape(3, 2)

SOURCE = """
def scaled(values, top): return values / top.item()
def guarded(f, x):
    try: return f(x)
    except Exception: return x * 0
class Holder: pass
def helper(row): row += 1
def by_a_parameter(a): helper(a[0]); return a
def by_a_name(a): row = a[0]; row *= 2; return a
def by_a_transpose(a): turned = a.T; turned[0] = 2; return a
def by_an_attribute(a): h = Holder(); h.part = a[1:]; h.part -= 2; return a
def by_out(a): row = a[0]; np.add(row, 1, out=row); return a
def by_index(a): a[0] += 1.0; a[0, 1] *= 2; a[1:] -= 1; return a
def by_the_whole(a): a += 1; b = a.copy(); b *= 2; return a + b
def of_what_is_gone(a): b = a * 2; part = b[1:]; del b; part += 1; part[0] = 3; return part
def of_a_number(a): s = a[0, 0]; s += 1; return a * s
"""


def _library(source=SOURCE, **known):
    """The functions of a source as a library in site-packages holds them, with what it imports."""
    names = {"np": np, "__name__": "elsewhere.arrays", **known}
    file = f"/lib/site-packages/elsewhere/{len(known)}.py"
    exec(compile(source, file, "exec"), names)
    return names


LIBRARY = _library()


def test_item_in_a_library_does_not_say_that_a_constant_is_meant():
    f = lambda library: lambda x: library["scaled"](np.ones(3), x[0, 0]).sum()  # noqa: E731
    with pytest.raises(tm.NeedsDetach, match=r"item\(\), which a library or compiled code called"):
        tm.grad(f(LIBRARY))(X)
    assert f(LIBRARY)(tm.tensor(X)) == 3.0  # of a constant it is a number
    knowing = _library(tm=tm)  # who imports this package knows what its item() does
    np.testing.assert_array_equal(tm.grad(lambda x: f(knowing)(x) * x.sum())(X).numpy(), np.full((3, 2), 3.0))


def test_matplotlibs_limits_do_not_drop_a_gradient():
    colors = pytest.importorskip("matplotlib.colors")
    with pytest.raises(tm.NeedsDetach):
        tm.grad(lambda x: tm.asarray(colors.Normalize(0, x[0])(X[0])).sum() + x[0])(X[0])


@pytest.mark.parametrize("name", [n for n in LIBRARY if n.startswith(("by_", "of_"))])
@pytest.mark.parametrize(
    "make", [tm.tensor, lambda a: tm.tensor(a, requires_grad=True) * 1.0], ids=["constant", "live"]
)
def test_a_library_that_writes_into_a_view_is_refused_or_right(name, make):
    f = LIBRARY[name]
    if name in ("by_index", "by_the_whole") or name.startswith("of_"):
        np.testing.assert_array_equal(f(make(X)).detach().numpy(), f(X.copy()))
    else:
        with pytest.raises(tm.LostWrite, match="NumPy's views"):
            f(make(X))


def test_in_a_users_code_a_named_part_has_a_value_of_its_own():
    x = tm.tensor(X)
    row = x[0]
    row += 1
    knowing = _library(tm=tm)
    knowing["by_a_name"](x)
    np.testing.assert_array_equal(x.numpy(), X)
    np.testing.assert_array_equal(row.numpy(), X[0] + 1)


@pytest.mark.parametrize("forget", [float, lambda v: np.asarray(v), np.min_scalar_type, lambda v: v.tolist()])
@pytest.mark.parametrize("transform", [tm.grad, tm.jacobian, lambda f: lambda x: tm.jvp(f, (x,), (x,))])
def test_a_refusal_that_a_library_catches_is_raised_at_the_end(forget, transform):
    f = lambda x: LIBRARY["guarded"](lambda v: forget(v) * v, x)  # noqa: E731
    with pytest.raises((tm.NeedsDetach, tm.NoDerivative)) as raised:
        transform(f)(2.0)
    assert any("elsewhere caught this error" in note for note in raised.value.__notes__)


def test_a_refusal_that_the_user_catches_is_his_own():
    def f(x):
        try:
            return float(x) * x
        except tm.NeedsDetach:
            return x * x

    assert tm.grad(f)(3.0).item() == 6.0
    outer = lambda x: LIBRARY["guarded"](f, x)  # noqa: E731
    assert tm.grad(outer)(3.0).item() == 6.0
    assert tm.grad(tm.grad(outer))(3.0).item() == 2.0


def _caught_with_all_others(x):
    try:
        k = float(x)
    except Exception:
        k = 5.0
    return x * x * k


def _caught_among_type_errors(x):
    try:
        return x * x if np.asarray(x) > 0 else x
    except TypeError:
        return x * 2.0


def _suppressed(x):
    k = 5.0
    with contextlib.suppress(TypeError, ValueError):
        k = x.item() if tm.sum(x).tolist() else 1.0
    return x * k


def _asked_for_a_shape(x):
    try:
        return tm.sum(tm.reshape(x, (1,))[tm.reshape(x, (1,)) > 0])
    except Exception:
        return x * 2.0


@pytest.mark.parametrize("f", [_caught_with_all_others, _caught_among_type_errors, _suppressed, _asked_for_a_shape])
@pytest.mark.parametrize(
    "transform",
    [tm.compile, lambda f: tm.compile(tm.grad(f)), lambda f: lambda x: tm.vmap(f)(np.stack([x, x]))],
    ids=["compile", "compile of grad", "vmap"],
)
def test_a_refusal_that_the_user_catches_among_other_errors_is_raised_at_the_end(f, transform):
    with pytest.raises(tm.TraceError) as raised:
        transform(f)(np.array(2.0))
    assert any("test_strangers.py" in note and "caught this error" in note for note in raised.value.__notes__)


def test_a_gradient_is_not_that_of_what_an_except_of_all_errors_makes_of_a_refusal():
    with pytest.raises(tm.NeedsDetach):
        tm.value_and_grad(_caught_with_all_others)(2.0)
    assert _caught_with_all_others(tm.tensor(2.0)).item() == 8.0


def test_a_step_of_a_loop_is_not_what_an_except_of_all_errors_makes_of_a_refusal():
    with pytest.raises(tm.TraceError):
        tm.compile(lambda x: tm.fori_loop(3, lambda k, x: _caught_with_all_others(x), x))(2.0)


def test_a_traced_function_may_name_the_refusal_that_it_catches():
    def f(x):
        try:
            return x * float(x)
        except tm.TraceError:
            return x * x

    assert tm.compile(f)(np.array(3.0)).item() == 9.0
    np.testing.assert_array_equal(tm.vmap(f)(np.array([2.0, 3.0])).numpy(), [4.0, 9.0])


def test_a_refusal_leaves_nothing_behind():
    class Seen:
        pass

    seen = Seen()
    gone = weakref.ref(seen)

    def f(x):
        held = seen  # noqa: F841
        return float(x) * x

    gc.collect()
    gc.disable()
    try:
        try:
            tm.grad(f)(3.0)
        except tm.NeedsDetach:
            del f, seen
        assert gone() is None
    finally:
        gc.enable()
