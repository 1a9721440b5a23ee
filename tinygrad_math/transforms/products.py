"""Products with second-derivative matrices that are never formed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.arguments import named
from ..core.tree import unflatten
from .matrices import gradient_tape
from .tracing import Tape, matched, matched_cotangents

Fn = Callable[..., Any]

__all__ = ["ggnvp", "hvp"]


@named
def hvp(f: Fn, primals: Any, tangents: Any) -> Any:
    """The product of the Hessian of f with a vector, at about the cost of two gradients.

    Arguments: `primals` a tuple of the arguments of f, or one tree for one argument; `tangents` alike.
    Returns the tree of H v, like the primals. One tape and two walks: the recorded gradient, and a forward
    walk over it along the tangents (Pearlmutter 1994). As `hessp` of SciPy's trust-ncg, which goes on computing with
    what it is given, say `lambda x, v: tm.hvp(f, x, v).numpy()`; `tm.optim.minimize` does all of it.

    >>> import tinygrad_math as tm
    >>> tm.hvp(lambda x: (x**3).sum(), tm.tensor([1.0, 2.0]), tm.tensor([1.0, 1.0]))
    tensor([ 6., 12.])
    """
    many = type(primals) is tuple  # a named tuple is one tree
    xs, vs = (primals, tuple(tangents)) if many else ((primals,), (tangents,))
    tape = gradient_tape(f, xs, "hvp")
    ts = matched(vs, tape.structure, tape.inputs, "the tangent of hvp")
    out = unflatten(tape.like_value, tape.push(ts), values=False)
    return out if many else out[0]


@named
def ggnvp(model: Fn, loss: Fn, primals: Any, tangents: Any) -> Any:
    """The Gauss-Newton product J' H J v of loss(model(x)): J of the model, H the Hessian of the loss.

    Arguments as for `hvp`; `loss` maps the model's result to one number. Positive semi-definite wherever
    the loss is convex (Schraudolph 2002).

    >>> import tinygrad_math as tm
    >>> tm.ggnvp(lambda x: x * x, lambda y: (y * y).sum(), tm.tensor([1.0, 2.0]), tm.tensor([1.0, 1.0]))
    tensor([ 8., 32.])
    """
    many = type(primals) is tuple  # a named tuple is one tree
    xs, vs = (primals, tuple(tangents)) if many else ((primals,), (tangents,))
    tape = Tape(model, xs, "ggnvp")
    ts = matched(vs, tape.structure, tape.inputs, "the tangent of ggnvp")
    along = unflatten(tape.like_value, tape.push(ts), values=False)
    curved = hvp(loss, (tape.value,), (along,))[0]
    gs = matched_cotangents(curved, tape.out_structure, tape.outputs, "the cotangent of ggnvp")
    out = unflatten(tape.structure, tape.pull(gs), values=False)
    return out if many else out[0]
