"""Sparse matrices of SciPy's, constants, in products with Tensors and in systems of equations."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.op import Op
from ..core.tensor import Tensor, record
from .rules import constant_but, rule

Apply = Callable[[Any], Any]


def _linear(name: str, forward: Apply, transposed: Apply, x: Any) -> Any:
    """A linear function and its transpose, which is the derivative in reverse mode, at every order."""
    if not isinstance(x, Tensor):
        return forward(x)

    def vjp(xp: Any, need: Any, g: Any, y: Any, x: Any) -> Any:
        return [_linear(f"{name} transposed", transposed, forward, g)]

    def jvp(xp: Any, ts: Any, y: Any, x: Any) -> Any:
        return _linear(name, forward, transposed, ts[0])

    op = Op(name, lambda v: np.asarray(forward(v)), kind="general", arity=1, vjp=vjp, jvp=jvp, doc="", register=False)
    return record(op, (x,), {})


def _matrix(a: Any) -> Any:
    return a.lifted_from if isinstance(a, Sparse) else a


class Sparse:
    """A sparse matrix: its products with Tensors are Tensors, and all else is the matrix's own."""

    __array_ufunc__ = None

    def __init__(self, matrix: Any) -> None:
        self.lifted_from = matrix

    def __matmul__(self, x: Any) -> Any:
        a = self.lifted_from
        return _linear("sparse product", lambda v: a @ v, lambda g: a.T.conj() @ g, x)

    def __rmatmul__(self, x: Any) -> Any:
        a = self.lifted_from
        return (Sparse(a.T) @ x.T).T if isinstance(x, Tensor) else x @ a

    def dot(self, x: Any) -> Any:
        return self @ x

    @property
    def T(self) -> Sparse:
        return Sparse(self.lifted_from.T)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.lifted_from, name)

    def __repr__(self) -> str:
        return f"lifted {self.lifted_from!r}"


def _operator(name: str) -> Callable[..., Any]:
    """The matrix's own operator, whose result is a lifted matrix where it is sparse."""

    def call(self: Sparse, *others: Any) -> Any:
        found = getattr(self.lifted_from, name)(*map(_matrix, others))
        return Sparse(found) if hasattr(found, "tocsr") else found

    return call


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "neg", "pow", "abs", "getitem"):
    setattr(Sparse, f"__{_name}__", _operator(f"__{_name}__"))


def of_matrices(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of SciPy's for sparse matrices, which is given the matrices themselves."""

    @functools.wraps(f)
    def call(*args: Any, **more: Any) -> Any:
        return f(*map(_matrix, args), **{k: _matrix(v) for k, v in more.items()})

    return call


@rule("scipy.sparse.spsolve")
def _spsolve(f: Any, A: Any, b: Any, permc_spec: Any = None, use_umfpack: bool = True) -> Any:
    constant_but(f, {"A": A}, "")
    a = _matrix(A)
    return _linear(
        "spsolve",
        lambda v: f(a, v, permc_spec, use_umfpack),
        lambda g: f(a.T.conj().tocsc(), g, permc_spec, use_umfpack),
        b,
    )


@rule("scipy.sparse.expm_multiply")
def _expm_multiply(f: Any, A: Any, B: Any) -> Any:
    constant_but(f, {"A": A}, "")
    a = _matrix(A)
    return _linear("expm_multiply", lambda v: f(a, v), lambda g: f(a.T.conj(), g), B)
