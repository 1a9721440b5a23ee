"""The state of a module: its numbers by path, copied out, put back, of another dtype, in a copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, MathError, ShapeError, describe, numeric_dtype
from ..core.tensor import Tensor, as_tensor
from ..core.whole import put_all
from .contents import Contents
from .parameter import Parameter
from .twins import swapped

M = TypeVar("M", bound="Stateful")


class LoadedKeys(NamedTuple):
    """What `load_state_dict` found no value for, and what it had no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Stateful(Contents):
    """What saves a module and loads it again: all of it, or nothing."""

    def to(self: M, dtype: Any) -> M:
        """This module, its floating parameters and buffers now of another dtype; gradients are let go.

        Arguments: `dtype` a floating dtype; "cpu", the only device, changes nothing. Make the optimiser afterwards.
        Raises DTypeError for a dtype that is not floating.

        >>> import numpy as np, tinygrad_math as tm
        >>> tm.nn.Linear(2, 1).to(np.float32).weight.dtype
        dtype('float32')
        """
        if isinstance(dtype, str) and dtype == "cpu":
            return self
        wanted = None if dtype is None else numeric_dtype(dtype)
        if wanted is None or wanted.kind != "f":
            raise DTypeError(f"to: parameters are floating numbers; got the dtype {dtype!r:.40}")
        others = [t for t in (*self.parameters(), *self.buffers()) if t.dtype.kind == "f" and t.dtype != wanted]
        before = [(t, t.node.data) for t in others]
        put_all(Tensor._replace, [(t, array.astype(wanted)) for t, array in before], before)
        for t in others:
            if isinstance(t, Parameter):
                t.grad = None
        return self

    def float(self: M) -> M:
        """This module in float32; see `to`."""
        return self.to(np.float32)

    def half(self: M) -> M:
        """This module in float16; see `to`."""
        return self.to(np.float16)

    def cpu(self: M) -> M:
        """This module: it is there already."""
        return self

    def double(self: M) -> M:
        """This module in float64; see `to`."""
        return self.to(np.float64)

    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """A copy of the array of every parameter and persistent buffer, by path."""
        state = {}
        for name, t in self._saved().items():
            t._leave("state_dict()", "Use the parameters themselves.")
            state[name] = np.array(t.node.data)
        return state

    @named
    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> LoadedKeys:
        """Put arrays by path into the parameters and buffers, in the dtypes that these have.

        Returns the names that were missing and those that had no place; with `strict` these are errors.
        All are put there, or none, also where an interrupt comes in between. Raises before anything changes:
        ArgumentError that lists what is missing, unexpected, of another shape and of two values for one parameter,
        DTypeError for what is no array of numbers, or complex where the parameter is real.
        """
        if not isinstance(state_dict, Mapping):
            raise ArgumentError(f"load_state_dict() takes a dict of arrays by path, got {describe(state_dict)}")
        mine = self._saved()
        missing, unexpected = [k for k in mine if k not in state_dict], [k for k in state_dict if k not in mine]
        arrays, wrong = {}, []
        for name, t in mine.items():
            if name in state_dict:
                array = self._fitting(name, t, state_dict[name])
                if array.shape != t.shape:
                    wrong.append(f"{name} has shape {array.shape}, the module's {t.shape}")
                arrays[name] = array
        torn = _torn(mine, arrays)
        told = [f"missing: {', '.join(missing)}"] if strict and missing else []
        told += [f"unexpected: {', '.join(map(str, unexpected))}"] if strict and unexpected else []
        told += [f"of another shape: {'; '.join(wrong)}"] if wrong else []
        told += [f"of two values: {'; '.join(torn)}"] if torn else []
        if told:
            kind = ShapeError if wrong and len(told) == 1 else ArgumentError
            raise kind(
                f"this state does not fit {type(self).__name__}. " + ". ".join(w[0].upper() + w[1:] for w in told)
            )
        before = [(mine[name], mine[name].node.data) for name in arrays]
        put_all(Tensor._replace, [(mine[name], array) for name, array in arrays.items()], before)
        return LoadedKeys(missing, unexpected)

    def _fitting(self, name: str, p: Tensor, given: Any) -> np.ndarray[Any, Any]:
        """A copy of an array for one parameter, or the named error."""
        for t in (p, given):
            if isinstance(t, Tensor):
                t._leave("load_state_dict()", "Load before the function is differentiated.")
        try:
            array = np.asarray(as_tensor(given).detach().node.data)
        except MathError as error:
            raise DTypeError(f"state_dict: {name}: {error}") from error
        if array.dtype.kind == "c" and p.dtype.kind != "c":
            raise DTypeError(
                f"state_dict: {name} is complex, the parameter {describe(p)}: an imaginary part would be lost"
            )
        return array.astype(p.dtype)

    def with_tensors(self: M, tensors: Mapping[str, Any]) -> M:
        """A copy that has these Tensors in the place of its parameters and buffers, by path; all else is shared.

        What a function of the parameters calls: the network itself stays as it is, and so do the Tensors given for
        buffers, into which the copy writes (a running mean): `named_buffers` of the copy has what came of them.

        >>> import tinygrad_math as tm
        >>> layer = tm.nn.Linear(1, 1)
        >>> twin = layer.with_tensors({"weight": tm.tensor([[2.0]]), "bias": tm.tensor([1.0])})
        >>> twin([3.0])
        tensor([7.])
        """
        modules, buffers = dict(self.named_modules()), dict(self.named_buffers())
        mine = dict(self.named_parameters()) | buffers
        unknown = [name for name in tensors if name not in mine]
        if unknown:
            raise ArgumentError(f"with_tensors: {type(self).__name__} has no {', '.join(unknown)}")
        given = {name: as_tensor(t) for name, t in tensors.items()}
        written = {name: given[name].copy() for name in buffers if name in given}
        new = {id(mine[name]): t for name, t in (given | written).items()}
        twin: M = swapped(self, {id(m): m for m in modules.values()}, new, mine.values())
        return twin

    def _saved(self) -> dict[str, Tensor]:
        """Parameters and persistent buffers by path, module after module; tied ones under each of their paths."""
        found: dict[str, Tensor] = {}
        for prefix, module in self.named_modules(remove_duplicate=False):
            found |= dict(self._own_parameters(module, prefix))
            for name, persistent in module._buffers.items():
                if persistent and module.__dict__[name] is not None:
                    found[f"{prefix}.{name}" if prefix else name] = module.__dict__[name]
        return found


def _torn(held: Mapping[str, Tensor], arrays: Mapping[str, np.ndarray[Any, Any]]) -> list[str]:
    """What is one tensor in several places, and is given a value of its own in each."""
    first: dict[int, str] = {}
    pairs = [(name, first.setdefault(id(held[name]), name)) for name in arrays]
    return [
        f"{name} and {other} are one parameter here"
        for name, other in pairs
        if name != other and arrays[name].tobytes() != arrays[other].tobytes()
    ]
