"""grad, vjp, jvp, linearize: one tape, one walk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.arguments import contract, named, other_words
from ..core.errors import ArgumentError, describe
from ..core.tensor import as_tensor, rec
from ..core.tree import flatten, unflatten
from .made import Made
from .tracing import Tape, chosen_arguments, matched, matched_cotangents, one_like

Fn = Callable[..., Any]
Argnums = int | str | tuple[int | str, ...]

__all__ = ["grad", "jvp", "linearize", "stop_gradient", "value_and_grad", "vjp"]


@named
def value_and_grad(f: Fn, argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False) -> Fn:
    """A function that returns f's value and its gradient. Arguments as for `grad`.

    >>> import tinygrad_math as tm
    >>> tm.value_and_grad(lambda x: x**3)(2.0)
    (tensor(8.), tensor(12.))
    """

    both = _both(f, argnums, has_aux, holomorphic)
    return Made(both, value_and_grad, f, argnums, has_aux, holomorphic)


def _both(f: Fn, argnums: Argnums, has_aux: bool, holomorphic: bool) -> Fn:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        primals, call = chosen_arguments(f, argnums, args, kwargs, "grad")
        tape = Tape(call, primals, "grad", has_aux)
        y = tape.scalar(holomorphic)
        gradients = tape.pull([one_like(y)])
        if holomorphic:  # the pullback of 1 is the conjugate of f'
            gradients = [rec.conj(g) for g in gradients]
        trees = unflatten(tape.structure, gradients, values=False)
        g = trees[0] if isinstance(argnums, (int, str)) else trees
        value = tape.value
        return ((value, tape.aux), g) if has_aux else (value, g)

    return wrapped


@named
def grad(f: Fn, argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False) -> Fn:
    """The function that returns the gradient of f, a function that returns one number (of whatever shape).

    Arguments: `argnums` which argument to differentiate in, its position or its name, or a tuple of these; each may be
    a tree of floating or complex arrays. A Parameter in several places of one tree is one leaf, and each place has the
    whole gradient; two arguments are two variables, whatever they share. `has_aux`: f returns (value, aux), and the
    result is (gradient, aux). `holomorphic`: f is complex differentiable, and the result is f'. Without it the gradient
    of a real function of complex numbers is dL/d(re) + i dL/d(im), so that minus the gradient descends.
    Returns a tree like the argument, with zeros where f does not depend on it.
    Raises NonScalarError, DTypeError (integers), ArgumentError.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: x**3)(2.0)
    tensor(12.)
    >>> tm.grad(tm.grad(lambda x: x**3))(2.0)
    tensor(12.)
    >>> tm.grad(lambda x, w: x * w**2, argnums="w")(5.0, w=3.0)
    tensor(30.)
    """
    both = _both(f, argnums, has_aux, holomorphic)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        value, g = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return Made(wrapped, grad, f, argnums, has_aux, holomorphic)


@named
def vjp(f: Fn, *primals: Any, has_aux: bool = False) -> Any:
    """f's value, and the function that pulls a cotangent of it back to the arguments: g -> J'g.

    >>> import tinygrad_math as tm
    >>> y, pull = tm.vjp(lambda x: x * x, tm.tensor([1.0, 2.0]))
    >>> pull([1.0, 10.0])
    (tensor([ 2., 40.]),)
    """
    tape = Tape(f, primals, "vjp", has_aux)

    def pull(cotangent: Any) -> Any:
        gs = matched_cotangents(cotangent, tape.out_structure, tape.outputs, "the cotangent of vjp")
        return unflatten(tape.structure, tape.pull(gs), values=False)

    return (tape.value, pull, tape.aux) if has_aux else (tape.value, pull)


@named
def linearize(f: Fn, *primals: Any) -> tuple[Any, Fn]:
    """f's value, and the function that pushes tangents of the arguments forward: t -> Jt. f runs once.

    >>> import tinygrad_math as tm
    >>> y, push = tm.linearize(lambda x: x * x, 3.0)
    >>> y, push(1.0), push(2.0)
    (tensor(9.), tensor(6.), tensor(12.))
    """
    tape = Tape(f, primals, "linearize")

    def push(*tangents: Any) -> Any:
        ts = matched(tangents, tape.structure, tape.inputs, "the tangent of linearize")
        return unflatten(tape.like_value, tape.push(ts), values=False)

    return tape.value, push


@named
def jvp(f: Fn, primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """f's value and its derivative along the tangents, J t: `jvp(f, (x,), (t,)) -> (y, ty)`.

    >>> import tinygrad_math as tm
    >>> tm.jvp(tm.sin, (0.0,), (2.0,))
    (tensor(0.), tensor(2.))
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise ArgumentError(f"jvp takes tuples: jvp(f, (x,), (t,)); got {describe(primals)} and {describe(tangents)}")
    tape = Tape(f, tuple(primals), "jvp", has_aux)
    ts = matched(tuple(tangents), tape.structure, tape.inputs, "the tangent of jvp")
    out = unflatten(tape.like_value, tape.push(ts), values=False)
    return (tape.value, out, tape.aux) if has_aux else (tape.value, out)


@named
def stop_gradient(x: Any) -> Any:
    """x (an array or a tree of them) as a constant for every derivative.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: x * tm.stop_gradient(x))(3.0)
    tensor(3.)
    """
    leaves, structure = flatten(x)
    return unflatten(structure, [rec.stop_gradient(as_tensor(leaf)) for leaf in leaves], values=False)


def _argnum(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """autograd's `argnum=` for `argnums=`, of every transform."""
    if "argnum" not in kwargs or "argnums" in kwargs or "argnums" not in contract(f).names:
        return NotImplemented
    kwargs = dict(kwargs)
    return f(*args, argnums=kwargs.pop("argnum"), **kwargs)


other_words.append(_argnum)
