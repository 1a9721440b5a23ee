"""What the graph is made of: nodes, and the clock that orders them."""

from __future__ import annotations

import itertools
import os
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .errors import ChangedAfterUse, Donated
from .mode import MODE as MODE
from .mode import watcher
from .op import Op
from .place import heedless, is_library

if TYPE_CHECKING:
    from .tensor import Tensor

Error = TypeVar("Error", bound=Exception)
TRACED, DIFFERENTIABLE = 1, 2  # the two reasons to record; `Node.live` is a set of them
TRANSFORMED = 4  # beside DIFFERENTIABLE: an input of a transform is among what it was made of

clock = itertools.count(1).__next__
NO_PARAMS: dict[str, Any] = {}


class Meta:
    """What few nodes have: an owner who wants the gradient, a name, hooks, a history of change."""

    __slots__ = (
        "__weakref__",
        "blank",
        "changed",
        "given",
        "hooks",
        "name",
        "number",
        "owner",
        "place",
        "settled",
        "window",
    )

    def __init__(self) -> None:
        self.owner: weakref.ref[Tensor] | None = None
        self.name: str | None = None
        self.hooks: dict[int, Callable[[Tensor], Tensor | None]] | None = None
        self.place: Any = None  # the user's line, noted while tracing
        self.changed = 0
        self.window: Any = None  # the array through which the user sees the value, of a Shared node
        self.given = False  # whether that array came from the user
        self.blank = False  # whether NumPy's empty_like or its kin made it, for somebody to write the values into
        self.settled = False  # of a traced value: made by an optimiser's update, to be a leaf
        self.number = False  # of a traced value: a step size or the like of an update


class Node:
    """One recorded value. `inputs` are older than the node itself: `tick` orders every walk.

    The array is the graph's own and is never written to, so that nodes may share memory (a view and what it shows).
    """

    __slots__ = ("__weakref__", "data", "inputs", "live", "meta", "op", "params", "tick", "version")
    version: Any  # set by `past.overwrite`: which state of its array this node's value is

    def __init__(
        self,
        data: Any,
        op: Op | None = None,
        inputs: tuple[Node, ...] = (),
        params: Mapping[str, Any] = NO_PARAMS,
        live: int = 0,
    ) -> None:
        self.data = data
        self.op = op
        self.inputs = inputs
        self.params = params
        self.live = live
        self.tick = clock()
        self.meta: Meta | None = None

    def more(self) -> Meta:
        if self.meta is None:
            self.meta = Meta()
        return self.meta

    @property
    def name(self) -> str | None:
        return self.meta.name if self.meta is not None else None

    def changed_since(self, tick: int) -> bool:
        """Whether the value was replaced, or written to through an array in the user's hands."""
        m = self.meta
        if m is None:
            return False
        if m.window is not None:
            _look(self)
        return m.changed > tick

    def share(self, window: Any, given: bool = False) -> None:
        """From now on the user sees, and may write, this value through an array."""
        m = self.more()
        m.window, m.given = window, given
        self.__class__ = Shared

    def replace(self, data: Any) -> Any:
        """Take on another value: who used the old one can no longer be differentiated. Returns the user's array."""
        m = self.more()
        window, m.window, m.blank = m.window, None, False
        if window is not None:
            self.__class__ = Node
        self.data, m.changed = data, clock()
        return window


_new: Any = object.__new__
_Array = np.ndarray  # NumPy's module takes long to answer


class Taken(Node):
    """What a Tensor stands on whose memory was donated, and holds something else by now: its value is gone."""

    __slots__ = ("by",)

    def __init__(self, by: str) -> None:
        self.op, self.inputs, self.params, self.live, self.tick, self.meta = None, (), NO_PARAMS, 0, clock(), None
        self.by = by  # which argument of which function it was

    @property
    def data(self) -> Any:
        raise Donated(
            f"this Tensor was donated as {self.by}, which has written its results into its memory: use the result, or "
            "pass x.copy() and keep x, or compile without donate_argnums"
        )


_kept: Any = Node.__dict__["data"]  # the slot itself, below the property of Shared


def _look(node: Node) -> Any:
    """The value of a Shared node: a new copy if the user's array was written to since the last look."""
    m, kept = node.meta, _kept.__get__(node)
    if m is None or (window := m.window) is None:
        return kept
    if window.tobytes() != kept.tobytes():  # bits: a NaN equals itself, and -0.0 is not 0.0
        kept = scalar_or_array(np.array(window).reshape(kept.shape))
        _kept.__set__(node, kept)
        m.changed = clock()
    if window.base is None and sys.getrefcount(window) == _ALONE:  # nobody else can write to it any more
        node.__class__, m.window = Node, None
    return kept


class Shared(Node):
    """A node whose value the user also holds, as an array: he was handed it (`x.data`), or handed it in.

    The graph has a copy, and looks at each use whether the array was written to. Then it takes another copy: what
    was computed before keeps the first, and the walk finds that it is older than the change. A comparison of all
    bytes costs what copying them does, a fifth of a checksum that no permutation or change of signs deceives.
    """

    __slots__ = ()
    data = property(_look)  # costs nothing for other nodes: `share` changes the class


def _count_alone() -> int:
    array = np.zeros(0)
    node = Node(array)
    window = node.data
    del array
    return sys.getrefcount(window)


_ALONE = _count_alone()  # references to an array that a node holds, as `_look` sees them


class Run:
    """One run of a function inside a transform, and the refusals to let a value go that it met.

    Once over it knows, where somebody may differentiate further, which leaves it differentiated, and in which spans of
    the clock it and its derivatives were recorded.
    """

    __slots__ = ("leaves", "over", "refusals", "spans")

    def __init__(self) -> None:
        self.over = False
        self.refusals: list[Exception] = []
        self.spans: list[tuple[int, int]] = []
        self.leaves: tuple[Node, ...] = ()

    def check(self) -> None:
        check_refusals(self.refusals)

    def end(self) -> None:
        self.over = True
        self.refusals.clear()  # their tracebacks hold what ran


class Input(Node):
    """What a transform hands to the function that it differentiates: it knows its run."""

    __slots__ = ("run",)

    def __init__(self, data: Any, run: Run, op: Op | None = None, inputs: tuple[Node, ...] = (), live: int = 0) -> None:
        super().__init__(data, op, inputs, NO_PARAMS, live | DIFFERENTIABLE | TRANSFORMED)
        self.run = run


def check_refusals(refusals: Sequence[Exception]) -> None:
    """Raise a refusal that somebody caught who did not name it, and went on without the value: to another result."""
    for error in refusals:
        caught = error.__traceback__
        if caught is not None and heedless(caught.tb_frame, error):
            who = str(caught.tb_frame.f_globals.get("__name__")).partition(".")[0]
            if not is_library(caught.tb_frame.f_code.co_filename):
                who = f"{os.path.basename(caught.tb_frame.f_code.co_filename)}:{caught.tb_lineno}"
            error.add_note(f"{who} caught this error and went on to a result that may be another function's.")
            try:
                raise error
            finally:
                del error, caught  # whose traceback holds this frame


def heeded(refusals: list[Exception], f: Callable[..., Any], /, *args: Any, **keywords: Any) -> Any:
    """f of these arguments, unless it caught one of the refusals that it met, which are noted in this list."""
    try:
        found = f(*args, **keywords)
        check_refusals(refusals)
        return found
    finally:
        refusals.clear()  # their tracebacks hold what ran


def inside(node: Node) -> bool:
    """Whether a transform that is still running differentiates what this node was made of."""
    return running(node) is not None


def running(node: Node) -> Run | None:
    """The run, not over yet, whose inputs this node was made of."""
    if not node.live & TRANSFORMED:  # nearly always, outside transforms
        return None
    seen, stack = {node}, [node]
    while stack:
        n = stack.pop()
        if type(n) is Input and not n.run.over:
            return n.run
        for i in n.inputs:
            if i.live & TRANSFORMED and i not in seen:
                seen.add(i)
                stack.append(i)
    return None


def refused(node: Node, error: Error) -> Error:
    """The error, which the run that differentiates this node remembers: a library may catch it."""
    run = running(node)
    if run is not None:
        run.refusals.append(error)
    return error


def refused_in_trace(error: Error) -> Error:
    """The error, which whoever traces the function remembers: the function may catch it."""
    refusals = getattr(watcher(), "refusals", None)
    if refusals is not None:
        refusals.append(error)
    return error


def finished(node: Node) -> bool:
    """Whether no derivative through this node is still to be expected.

    Nothing leads to a leaf, and what a transform left behind is its result. What PyTorch's idiom computed from leaves,
    with `create_graph`, still waits for its `backward`.
    """
    if not node.live:
        return True
    if node.live & TRACED:
        return False
    return not inside(node) if node.live & TRANSFORMED else node.op is None


def waits_for_leaves(node: Node) -> bool:
    """Whether this was computed of leaves outside of transforms and traces."""
    return node.op is not None and node.live == DIFFERENTIABLE


def awaited(node: Node) -> bool:
    """Whether the derivative by somebody's Tensor that is not learnt here, a step size say, is still to be expected.

    Parameters are learnt step by step: what is made of them in a transform has all of their derivative. A Parameter is
    somebody's Tensor where an update took it for a number of its own, a step size, and where a step uses it that was
    written out, and that follows no derivative by it.
    """
    below = live_below([node])
    if any(n.op is None and _is_wanted(n, False) for n in below):
        return True
    numbers = [n for n in below if n.meta is not None and n.meta.number]
    used = live_below(numbers) | _used_after(node, below)
    return any(n.op is None and _is_wanted(n, True) for n in used)


def _used_after(node: Node, below: set[Node]) -> set[Node]:
    """The live nodes that this was made of outside of transforms, but for leaves that these differentiated."""
    runs = {n.run for n in below if type(n) is Input}
    spans = [span for run in runs for span in run.spans]
    compiled = {n for n in below if n.live & TRANSFORMED and not any(i.live & TRANSFORMED for i in n.inputs)}
    known = {leaf for run in runs for leaf in run.leaves} | {i for n in compiled for i in n.inputs}
    seen, stack = {node}, [node]
    while stack:
        n = stack.pop()
        if n not in compiled and not any(start < n.tick <= end for start, end in spans):
            fresh = [i for i in n.inputs if i.live and i not in seen]
            seen.update(fresh)
            stack += fresh
    return seen - known


def live_below(nodes: list[Node]) -> set[Node]:
    """The live nodes that these were made of, and themselves."""
    seen, stack = set(nodes), nodes
    while stack:
        for i in stack.pop().inputs:
            if i.live and i not in seen:
                seen.add(i)
                stack.append(i)
    return seen


def _is_wanted(leaf: Node, parameters: bool) -> bool:
    """Whether somebody has the Tensor of a leaf, and may ask for its gradient; `parameters`: also of a parameter."""
    m = leaf.meta
    owner = None if m is None or m.owner is None else m.owner()
    return owner is not None and owner.node is leaf and (parameters or owner._tree_leaf() is None)


class Constant(Node):
    """An argument that was no Tensor: a value without history. Cheap to make, and immutable."""

    __slots__ = ()
    op, inputs, params, live, tick, meta = None, (), NO_PARAMS, 0, 0, None

    def __init__(self, data: Any) -> None:
        self.data = data


def unknown(node: Node) -> bool:
    """Whether the value of a node may not be looked at here, because it differs from call to call."""
    watch = watcher()
    asked = None if watch is None else getattr(watch, "asked", None)
    return bool(node.live & TRACED if asked is None else asked(node))


def unshown(node: Node) -> bool:
    """Whether a text has to do without the value of a node, which is `unknown`; a parameter's may be shown."""
    watch = watcher()
    asked = None if watch is None else getattr(watch, "asked_for_text", None)
    return bool(node.live & TRACED if asked is None else asked(node))


def held(node: Node) -> Node:
    """An argument that a derivative will need again, safe from what the user does to the array meanwhile.

    Always a copy, whatever the size: it costs no more than any op on the array, and less than to watch it.
    """
    if node.__class__ is Constant and isinstance(data := node.data, _Array):
        copy: Node = _new(Constant)
        copy.data = data.copy("K")
        return copy
    return node


def apart(node: Node) -> Node:
    """`held`, of an argument in which nothing is differentiated: somebody's leaf is as a constant there."""
    if node.op is not None or not node.live or node.live & (TRACED | TRANSFORMED):
        return held(node)
    copy: Node = _new(Constant)
    copy.data = node.data.copy() if isinstance(node.data, np.ndarray) else node.data
    return copy


def in_native_order(array: Any) -> Any:
    """The same numbers with their bytes in the machine's order, which is all that BLAS and LAPACK can read."""
    return array.astype(array.dtype.newbyteorder("="))


def scalar_or_array(array: Any) -> Any:
    """NumPy's scalars are faster than 0-d arrays."""
    return array if array.shape else array[()]


def check_fresh(user: Node) -> None:
    """Raise if something changed after `user` was computed from it, or `user` itself, whose value its rule may use."""
    m = user.meta
    if m is not None and user.changed_since(user.tick):
        raise ChangedAfterUse(
            f"the result of {_what(user)} was changed after it was computed, so its derivative is no longer "
            "known. Write to a copy, or change it by an assignment, x[...] = v, which is recorded."
        )
    tick = user.tick
    for used in user.inputs:
        m = used.meta
        if m is not None and (m.changed > tick or m.window is not None) and used.changed_since(tick):
            what = repr(used.name) if used.name else f"an input of shape {np.shape(used.data)}"
            raise ChangedAfterUse(
                f"{what} was changed after {_what(user)} had used it, so its derivative is no "
                "longer known. Differentiate before the change, or compute the result again."
            )


def _what(user: Node) -> str:
    return user.op.name if user.op is not None else "an op"
