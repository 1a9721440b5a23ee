"""Tensor: an array that remembers how it was made, and the recording of what is done to it.

A `Node` is the memory: the op, its inputs, the value. A `Tensor` is a handle on a node, and all that
a user keeps: the gradient lies on the handle, so a graph never points back at its own gradient and
no reference cycle arises. Assignment moves the handle to a new node; whoever used the old one keeps it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from numbers import Rational
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .arguments import as_flag, is_about_arguments, of_tensors
from .assignment import Assignment
from .conversion import PYTHON_NUMBERS, SURE, as_array, is_numeric, node_of
from .copying import Copying
from .copying import restored as _restored  # noqa: F401  (where files that were pickled before look for it)
from .errors import ArgumentError, DTypeError, ShapeError, describe, explain_failure, numeric_dtype, refuse_object
from .foreign import answer, decides, refuses
from .form import Form
from .gradients import Differentiable
from .leaks import refuse_leaked
from .leaving import Leaving
from .methods import Methods
from .mode import MODE as MODE
from .mode import Mode as Mode
from .mode import no_grad as no_grad
from .mode import tell, watcher
from .mode import under as under
from .node import DIFFERENTIABLE as DIFFERENTIABLE
from .node import NO_PARAMS, Constant, held, scalar_or_array
from .node import TRACED as TRACED
from .node import Meta as Meta
from .node import Node as Node
from .node import clock as clock
from .op import Op, registry
from .op import rec as rec
from .protocols import Protocols, array_of
from .spent import spent_node
from .standing import Number
from .torch_names import TorchNames

_new = cast(Callable[[type], Any], object.__new__)
_FLOAT64, _DOUBLE, _Array = np.float64, np.dtype("float64"), np.ndarray  # NumPy's module takes long to answer
_innermost = MODE.innermost


def record(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
    """Compute `op` of `args` and remember it if any argument is live."""
    known: tuple[Node, ...]
    count = len(args)
    if count == 1 and isinstance(args[0], Tensor):  # the most frequent calls, without a loop
        n = args[0].node
        known, live = (n,), n.live
        forward = op.forward
        try:
            data = forward(n.data, **params) if params else forward(n.data)
        except Exception as error:
            return _once_more(op, args, known, [n.data], params, error)
    elif count == 2 and isinstance(args[0], Tensor) and isinstance(args[1], Tensor):
        known = a, b = args[0].node, args[1].node
        live, forward = a.live | b.live, op.forward
        try:
            data = forward(a.data, b.data, **params) if params else forward(a.data, b.data)
        except Exception as error:
            return _once_more(op, args, known, [a.data, b.data], params, error)
    elif (
        count == 3
        and not params
        and isinstance(args[0], Tensor)
        and isinstance(args[1], Tensor)
        and isinstance(args[2], Tensor)
    ):
        known = a, b, c = args[0].node, args[1].node, args[2].node
        live = a.live | b.live | c.live
        try:
            data = op.forward(a.data, b.data, c.data)
        except Exception as error:
            return _once_more(op, args, known, [a.data, b.data, c.data], params, error)
    else:
        foreign, live, inputs, forward = False, 0, [], op.forward
        for a in args:
            if isinstance(a, Tensor):
                n = a.node
            else:
                n, foreign = node_of(a), True
            live |= n.live
            inputs.append(n)
        values = [n.data for n in inputs]
        try:
            data = forward(*values, **params) if params else forward(*values)
        except Exception as error:
            return _once_more(op, args, inputs, values, params, error)
        if foreign:
            if data.__class__ is not _FLOAT64:
                if getattr(data, "dtype", _DOUBLE).hasobject:
                    refuse_object(data, op.name)
                data = _apart(data, values)
            known = tuple([held(n) if n.__class__ is Constant else n for n in inputs]) if live else tuple(inputs)
        else:
            known = tuple(inputs)
    if data is None:
        refuse_object(data, op.name)
    if _innermost() is not None or not op.usual or live & TRACED:
        return _remember(op, data, known, params, live)
    t = _new(Tensor)
    t.node = node = _new(Node)  # `Node(...)` in half the time: Python's way to an `__init__` is long
    if not live:
        op, known, params = None, (), NO_PARAMS  # type: ignore[assignment]
    node.data, node.op, node.inputs, node.params, node.live = data, op, known, params, live
    node.tick, node.meta = clock(), None
    return t


def read(op: Op, x: Any, key: Any) -> Any:
    """`record` of what reads the part of x at a key, with fewer calls in between."""
    if x.__class__ is not Tensor or (n := x.node).data.__class__ is not _Array:
        return record(op, (x,), {"key": key})
    live = n.live
    if not live or live & TRACED or _innermost() is not None:
        return record(op, (x,), {"key": key})
    try:
        data = n.data[key]
    except Exception:
        return record(op, (x,), {"key": key})  # which says why not
    t = _new(Tensor)
    t.node = node = _new(Node)
    node.data, node.op, node.inputs, node.params, node.live = data, op, (n,), {"key": key}, live
    node.tick, node.meta = clock(), None
    return t


def _once_more(
    op: Op,
    args: tuple[Any, ...],
    inputs: Sequence[Node],
    values: list[Any],
    params: Mapping[str, Any],
    error: Exception,
) -> Any:
    """What an op that failed gives of arrays in the place of Python numbers, which have no shape; else the error."""
    numbers = [type(v) in PYTHON_NUMBERS and not n.live for v, n in zip(values, inputs, strict=True)]
    if not (isinstance(error, AttributeError) and any(numbers)):
        if not isinstance(error, (ShapeError, DTypeError)) and any(n.live & TRACED for n in inputs):
            noted = getattr(watcher(), "as_it_is", None)  # of other values it may not fail, and who traces may catch it
            if noted is not None:
                noted()
        if not is_about_arguments(error):
            raise
        raise explain_failure(op.name, tuple(values), dict(params), error) from error
    given = zip(args, values, numbers, strict=True)
    return record(op, tuple([as_array(v) if number else a for a, v, number in given]), params)


def _apart(data: Any, values: Sequence[Any]) -> Any:
    """A result that is no view of an array of the caller's, who may write to it."""
    if type(data) is tuple or type(data) is list:
        return tuple(_apart(part, values) for part in data)
    if not isinstance(data, np.ndarray) or (data.base is None and id(data) not in map(id, values)):
        return data
    if not any(isinstance(v, np.ndarray) and np.may_share_memory(data, v) for v in values):
        return data
    once = data[tuple(slice(None) if step else slice(1) for step in data.strides)]  # what is repeated is copied once
    return np.broadcast_to(once.copy(), data.shape) if once.size < data.size else data.copy()


def _remember(op: Op, data: Any, inputs: tuple[Node, ...], params: Mapping[str, Any], live: int) -> Any:
    """A handle on the result; its node knows its history if somebody wants it."""
    watch, told = None, False
    mode = MODE.innermost()
    if mode is not None and (mode := MODE.get()) is not None:
        watch, told = mode.observe, bool(mode.witnesses)
    if live & TRACED and watch is None:
        refuse_leaked(inputs, op.name)
    if live and (op.constant or (mode is not None and not mode.differentiable)):
        live &= TRACED
    node = Node(data, op, inputs, params, live) if live or watch is not None else Node(data)
    if watch is not None:
        watch(node)
    if told:
        tell(node, op, inputs, params)
    if op.many:
        return _parts(node)
    t = _new(Tensor)
    t.node = node
    return t


def _parts(whole: Node) -> tuple[Tensor, ...]:
    """The handles of a many-valued result."""
    if not whole.live:
        parts = tuple(wrap(Node(part)) for part in whole.data)
        if MODE.innermost() is not None:
            for k, part in enumerate(parts):
                tell(part.node, select, (whole,), {"index": k})
        return parts
    return tuple(record(select, (wrap(whole),), {"index": k}) for k in range(len(whole.data)))


_ANSWERS = {
    "less": "__gt__", "greater": "__lt__", "less_equal": "__ge__", "greater_equal": "__le__",
    "equal": "__eq__", "not_equal": "__ne__",
}  # fmt: skip
_Binary = Callable[["Tensor", Any], "Tensor"]


def _binary(name: str, operate: Callable[[Any, Any], Any]) -> tuple[_Binary, _Binary, _Binary]:
    """`x + y`, `y + x` and `x += y` for the op of this name.

    The hottest path there is: Python's operator is much faster than the ufunc on NumPy's scalars.
    """

    compares = name in ("equal", "not_equal")
    spoken = f"__{operate.__name__.rstrip('_')}__"
    reply = _ANSWERS.get(name, f"__r{spoken[2:]}")

    def met(self: Tensor, other: Any) -> Any:
        """The node of an operand that is neither Python's nor NumPy's own, or what such a one answers itself."""
        if isinstance(other, Number):
            return other.node
        if isinstance(other, Rational) and not isinstance(other, np.generic):  # NumPy's integers are too
            other = float(other)  # as Python does for a float
        strange = compares and not is_numeric(other)  # x == None is False
        if not strange and not decides(other, reply, self.node):
            return _operand(other, self.node)
        if compares and self.node.live and refuses(other):  # the answer to a question has no derivative
            return operate(self.detach(), other)
        return NotImplemented if strange else _theirs(self, other, reply)

    def forward(self: Tensor, other: Any) -> Tensor:
        op, x = registry[name], self.node
        y: Any
        kind = type(other)
        if kind is Tensor:
            y = other.node
        elif kind is float:
            y = _new(Constant)
            y.data = other
        elif isinstance(other, Tensor):
            y = other.node
        else:
            y = _operand(other, x) if kind in SURE else met(self, other)
            if not isinstance(y, Node):
                return cast(Tensor, y)
        try:
            data = operate(x.data, y.data)
        except ZeroDivisionError:  # of two Python numbers
            data = op.forward(x.data, y.data)
        except Exception as error:
            if not is_about_arguments(error):
                raise
            raise explain_failure(name, (x.data, y.data), {}, error) from error
        if data.__class__ is complex:  # Python's answer to 1j * np.float64, which has no dtype
            data = op.forward(x.data, y.data)
        live = x.live | y.live
        if not live or not op.usual or live & TRACED or _innermost() is not None:
            return _remember(op, data, (x, y), NO_PARAMS, live)  # type: ignore[no-any-return]
        t: Tensor = _new(Tensor)
        t.node = node = _new(Node)
        node.data, node.op, node.inputs, node.params, node.live = data, op, (x, y), NO_PARAMS, live
        node.tick, node.meta = clock(), None
        return t

    def reflected(self: Tensor, other: Any) -> Tensor:
        if type(other) is float:
            return forward(wrap(Constant(other)), self)
        if type(other) not in SURE:
            if refuses(other):
                return cast(Tensor, NotImplemented)
            if isinstance(other, Rational) and not isinstance(other, np.generic):
                other = float(other)
            elif decides(other, spoken, self.node):
                found = _theirs(self, other, spoken)
                if found is not NotImplemented:
                    return cast(Tensor, found)
        return forward(wrap(_operand(other, self.node)), self)

    def in_place(self: Tensor, other: Any) -> Tensor:
        node = self.node
        if node.op is not None or not node.live:  # a leaf that requires a gradient is no row of a loop
            self._refuse_row()
        result = forward(self, other)
        if not isinstance(result, Tensor) or (node.data.__class__ is not np.ndarray and self._is_number()):
            return result
        return self._become(result)

    return forward, reflected, in_place


def _theirs(tensor: Tensor, other: Any, method: str) -> Any:
    """What another library's object answers, asked again with the array where it knows no Tensors."""
    return NotImplemented if tensor.node.live else answer(other, method, tensor, array_of(tensor.node))


def _operand(value: Any, beside: Node) -> Node:
    """The node of an operand that is no Tensor; a copy where it is kept, as it is beside what is live or watched."""
    return held(node_of(value)) if beside.live or MODE.get() is not None else node_of(value)


def _unary(name: str) -> Callable[[Tensor], Tensor]:
    ops = rec.__dict__
    return lambda self: ops[name](self)


def wrap(node: Node) -> Tensor:
    """A handle on a node."""
    t: Tensor = _new(Tensor)
    t.node = node
    return t


def as_tensor(value: Any) -> Tensor:
    """The Tensor itself, or a constant one of an array (copied: the caller may write to it), number or list."""
    if isinstance(value, Tensor):
        return value
    node = node_of(value)
    if type(value) is int:
        as_array(value)
    return wrap(Node(held(node).data) if type(node) is Constant else node)


class Tensor(Form, Differentiable, Assignment, Copying, Protocols, TorchNames, Methods):
    """An n-dimensional array of numbers that records what is done to it.

    Arguments: nested lists, numbers, an ndarray (copied) or a Tensor; `requires_grad` makes it a leaf
    that `backward` fills with a gradient (floating or complex dtypes only); `name` shows in drawings.

    Tensors are values. Assignment, `x[i] = v` or `x += v`, is recorded and gives x another value; what was made of x
    before keeps what it held, and so does a part that has a name: `row = x[0]; row[1] = 5.0` leaves x as it was. A
    write into a part without one, `x[0][1] = 5.0`, raises LostWrite; write `x[0, 1] = 5.0`. Of 0-d results `+=` makes
    new ones, as of NumPy's scalars.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("__weakref__", "_grad", "node")
    __hash__ = object.__hash__
    node: Node
    _grad: Any  # the gradient, or None; as the walk left it, the array of one
    _record, _of, _taken = staticmethod(record), staticmethod(wrap), staticmethod(as_tensor)

    def __init__(
        self,
        data: Any,
        requires_grad: bool = False,
        name: str | None = None,
        dtype: Any = None,
        device: Any = None,
    ) -> None:
        self._grad = None
        if device is not None and not (isinstance(device, str) and device == "cpu"):
            raise ArgumentError(f"tensor: device {describe(device)}: everything is on 'cpu', leave it out")
        source = node_of(data)
        if requires_grad.__class__ is not bool:
            if isinstance(requires_grad, int) and requires_grad not in (0, 1):
                raise ArgumentError(
                    f"tensor: requires_grad is True or False, got {requires_grad}. The values are one argument, "
                    "tensor([3, 4]); a tensor of a shape is made by zeros((3, 4))"
                )
            requires_grad = as_flag(requires_grad, "tensor: requires_grad")
        if dtype is not None:
            dtype = numeric_dtype(dtype)
            if np.asarray(source.data).dtype.kind == "c" and dtype.kind not in "cb":
                raise DTypeError(f"a tensor of {dtype} would lose the imaginary part of {describe(source.data)}")
        outside = source.live or (watcher() is not None and not isinstance(source, Constant))
        if requires_grad and outside:
            wrap(source)._leave("tensor(x, requires_grad=True)", "Take x itself, or x.copy().")
        if requires_grad or not outside:
            array = np.array(source.data, dtype=dtype)
            refuse_object(array, "tensor")
            self.node = Node(scalar_or_array(array))
        else:
            self.node = (rec.copy(wrap(source)) if dtype is None else rec.astype(wrap(source), dtype)).node
        if name is not None:
            self.name = name
        if requires_grad:
            self.requires_grad = True

    def _tree_leaf(self) -> tuple[Any, ...] | None:
        """The role that what takes this leaf's place in a tree has to take on."""
        return None

    # -- operators ----------------------------------------------------------------------------------
    __add__, __radd__, __iadd__ = _binary("add", operator.add)
    __sub__, __rsub__, __isub__ = _binary("subtract", operator.sub)
    __mul__, __rmul__, __imul__ = _binary("multiply", operator.mul)
    __truediv__, __rtruediv__, __itruediv__ = _binary("divide", operator.truediv)
    __floordiv__, __rfloordiv__, __ifloordiv__ = _binary("floor_divide", operator.floordiv)
    __mod__, __rmod__, __imod__ = _binary("remainder", operator.mod)

    def __pow__(self, other: Any) -> Tensor:
        if type(other) is int and other == 2:
            return record(registry["square"], (self,), NO_PARAMS)  # type: ignore[no-any-return]
        if type(other) not in SURE and not isinstance(other, Tensor) and decides(other, "__rpow__", self.node):
            return cast(Tensor, _theirs(self, other, "__rpow__"))
        return rec.pow(self, other)  # type: ignore[no-any-return]

    def __rpow__(self, other: Any) -> Tensor:
        if type(other) not in SURE and refuses(other):
            return cast(Tensor, NotImplemented)
        if type(other) not in SURE and decides(other, "__pow__", self.node):
            found = _theirs(self, other, "__pow__")
            if found is not NotImplemented:
                return cast(Tensor, found)
        return rec.pow(other, self)  # type: ignore[no-any-return]

    def __ipow__(self, other: Any) -> Tensor:
        self._refuse_row()
        result = rec.pow(self, other)
        return result if self._is_number() else self._become(result)

    __matmul__, __rmatmul__, __imatmul__ = _binary("matmul", operator.matmul)
    __and__, __rand__, __iand__ = _binary("bitwise_and", operator.and_)
    __or__, __ror__, __ior__ = _binary("bitwise_or", operator.or_)
    __xor__, __rxor__, __ixor__ = _binary("bitwise_xor", operator.xor)
    __lshift__, __rlshift__, __ilshift__ = _binary("left_shift", operator.lshift)
    __rshift__, __rrshift__, __irshift__ = _binary("right_shift", operator.rshift)
    __lt__, __le__ = _binary("less", operator.lt)[0], _binary("less_equal", operator.le)[0]
    __gt__, __ge__ = _binary("greater", operator.gt)[0], _binary("greater_equal", operator.ge)[0]
    if TYPE_CHECKING:  # as object has them otherwise, for a checker that goes by the base class

        def __eq__(self, other: Any) -> Tensor: ...  # type: ignore[override]
        def __ne__(self, other: Any) -> Tensor: ...  # type: ignore[override]

    else:
        __eq__, __ne__ = _binary("equal", operator.eq)[0], _binary("not_equal", operator.ne)[0]

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return other // self, other % self

    def __round__(self, decimals: int = 0) -> Tensor:
        return rec.round(self, decimals)  # type: ignore[no-any-return]

    def __trunc__(self) -> int:
        return int(self._number("trunc()"))

    __neg__, __pos__ = _unary("negative"), _unary("positive")
    __abs__, __invert__ = _unary("abs"), _unary("bitwise_invert")

    def compress(self, condition: Any, axis: int | None = None) -> Tensor:
        """`tm.compress(condition, x, axis)` of this tensor: the function has its array second."""
        return rec.compress(condition, self, axis)  # type: ignore[no-any-return]


def fresh(data: Any) -> Tensor:
    """`wrap(Node(data))` in half the time: what a program returns is made at each call."""
    node: Node = _new(Node)
    node.data, node.op, node.inputs, node.params, node.live, node.meta = data, None, (), NO_PARAMS, 0, None
    node.tick = clock()
    t: Tensor = _new(Tensor)
    t.node = node
    return t


def spent(data: Any) -> Tensor:
    """What a step of training leaves beside its parameters: it depends on them, and has no graph."""
    return wrap(spent_node(data))


def is_weak(value: Any) -> bool:
    """Whether a value takes on the dtype of what it meets: a Python number, or the Tensor that stands for one."""
    return not hasattr(value.node.data if isinstance(value, Tensor) else value, "dtype")


def handle(value: Any) -> Tensor:
    """The Tensor itself, or a constant one of a result that nobody else can write to."""
    return value if isinstance(value, Tensor) else wrap(Node(value))


def watching(array: Any) -> Tensor:
    """A Tensor on an array of the user's, who may go on to write to it: the next use sees that."""
    node = Node(scalar_or_array(np.array(array)))
    node.share(array, given=True)
    return wrap(node)


for _part in (Form, Leaving, Differentiable, Assignment, Copying):
    of_tensors(_part, wrap=False)

select = Op(
    "select",
    lambda parts, index: parts[index],
    kind="structural",
    arity=1,
    vjp=lambda xp, need, g, y, parts, index: (g,),
    jvp=lambda xp, ts, y, parts, index: ts[0][index],
    latex=r"{0}_{{{index}}}",
    note="one part of a many-valued result",
)
select.part = True


def again(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
    """What was recorded once, recorded of other arguments."""
    if op is select:
        return args[0][params["index"]]
    return record(op, args, params) if op.recorded is None else op.recorded(args)
