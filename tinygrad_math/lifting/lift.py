"""`lift`: a view of another library whose functions take Tensors and have derivatives."""

from __future__ import annotations

from types import ModuleType
from typing import TypeVar, cast

from ..core.errors import ArgumentError, describe
from .bind import lifted
from .numpys import NumPys

__all__ = ["lift"]

T = TypeVar("T")


def lift(library: T) -> T:
    """A module, function, class or object of another library that is written for NumPy, over Tensors.

    Arguments: `library`, as `scipy.signal`, `scipy.stats.norm`, `sklearn.metrics.r2_score`. Returns a view of it with
    the same names: what its functions and the methods of its objects make of Tensors has the derivative of what their
    code does, at every order. The library itself stays as it is, and so does everything else that uses it.

    Its Python code runs once more, with this package's functions where it makes arrays. What SciPy has in C has rules:
    `scipy.linalg`, filters and images, splines, distances, distributions (cdf' is the pdf). Each call also asks
    the library itself, of plain arrays: its values are the library's own, and where the code over Tensors gives
    others, or ends in an error, constants get the library's answer, and what is differentiated raises
    NoDerivative. So do searches (`scipy.optimize`), whose steps have no derivative of meaning, and code that is
    compiled and unknown here. A trace
    (`compile`, `vmap`) has no values that the library's code could look at: TraceError.

    Raises ArgumentError for what has no functions to view: an array, a number, what belongs to Python or NumPy.

    >>> import scipy.integrate
    >>> import tinygrad_math as tm
    >>> integrate = tm.lift(scipy.integrate)
    >>> tm.grad(lambda y: integrate.simpson(y, dx=1.0))(tm.tensor([1.0, 2.0, 4.0]))
    tensor([0.33333333, 1.33333333, 0.33333333])
    """
    try:
        found = lifted(library)
    except RecursionError:
        raise ArgumentError(f"lift: {describe(library)} nests too deeply, or contains itself") from None
    if isinstance(found, NumPys) or (found is library and not hasattr(library, "lifted_from")):
        what = f"the module {library.__name__}" if isinstance(library, ModuleType) else describe(library)
        raise ArgumentError(
            f"lift takes a module, function, class or object of another library that is written in Python for NumPy, "
            f"got {what}; NumPy's own functions take Tensors as they are"
        )
    return cast(T, found)
