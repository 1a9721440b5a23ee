"""How every transform begins and ends: fresh aliases in, checked results out."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from ..core.beside import held_by, lost, nodes_beside, with_kept
from ..core.conversion import node_of
from ..core.declare import linear
from ..core.errors import ArgumentError, DTypeError, IllPosedDerivative, NonScalarError, ShapeError, describe, unhidden
from ..core.leaks import refuse_leaked
from ..core.mode import P, R, watcher
from ..core.node import TRANSFORMED, Input, Run, clock, held, scalar_or_array
from ..core.op import Namespace, raw
from ..core.samples import real, sample
from ..core.state import State
from ..core.tensor import DIFFERENTIABLE, MODE, TRACED, Mode, Node, Tensor, as_tensor, handle, rec, under, wrap
from ..core.ties import is_tied, places, summands
from ..core.tree import (
    Building,
    Structure,
    differing,
    flatten,
    flatten_each,
    leaves_like,
    put_together,
    show,
    unflatten,
)
from ..core.walk import Trail, fit, pullback, pushforward


@linear(lambda xp, g, x: g, latex="{0}", samples=lambda: [sample(real(3))])
def alias(x: Any, /) -> Any:
    """x itself, as a new node: what a transform hands to the function, so that nested ones stay apart."""
    return x


class Tape:
    """One run of a function on aliases of its inputs, ready to be walked any number of times."""

    def __init__(self, f: Callable[..., Any], trees: Sequence[Any], asker: str, has_aux: bool = False) -> None:
        self.asker = asker
        if not callable(f):
            raise ArgumentError(f"{asker} takes a function, got {describe(f)}")
        mode = MODE.get()
        self.quiet = mode is not None and not mode.differentiable  # under no_grad: nothing outside is differentiated
        objects: list[Any] = []
        leaves, self.structure = flatten_each(trees, objects)
        run = self._run = Run()
        self._began = clock()
        self.inputs = [_alias(leaf, asker, self.quiet, run) for leaf in leaves]
        try:
            building = Building([wrap(n) for n in self.inputs])
            args = put_together(self.structure, building)
            state = State(objects, zip(leaves, building.made, strict=True), building) if objects else None
            out = recorded(f, *args)
            run.check()
            if state is not None:
                state.keep()
        except (ValueError, SystemError) as error:
            named = unhidden(error)
            if named is None:
                raise
            raise named from None
        except (TypeError, AttributeError) as error:
            if "'list'" in str(error) or "sequence" in str(error):
                for tree in trees:
                    if isinstance(tree, list):
                        error.add_note(
                            f"{asker} was given the list {describe(tree)}, a tree of numbers to a transform: f gets a "
                            "list too. For a vector say np.array([...]) or tm.tensor([...])."
                        )
            raise
        finally:
            run.end()
        self._aux: Any = None
        self._trails: list[Trail] = []
        if has_aux:
            if not (isinstance(out, tuple) and len(out) == 2):
                raise ArgumentError(f"{asker}: with has_aux=True the function returns (value, aux)")
            out, self._aux = out
            roots = [leaf.node for leaf in flatten(self._aux)[0] if isinstance(leaf, Tensor)]
            self._trails.append(Trail(roots, self.inputs))
        outputs, self.out_structure = flatten(out)
        self.outputs = [as_tensor(y) for y in outputs]
        roots = [y.node for y in self.outputs]
        refuse_leaked(roots, asker)
        if self.out_structure.kind is not None:
            self._refuse_beside(args)
        self.trail = Trail(roots, self.inputs)
        self._trails.append(self.trail)
        self._ended = False

    def _refuse_beside(self, args: Any) -> None:
        """Raise ArgumentError where the result holds what was made of the inputs, and is no leaf of it."""
        if self._made_of_inputs(nodes_beside(self.out_structure)) is None:
            return
        name = self._made_of_inputs(nodes_beside(self.out_structure, held_by(args)))
        if name is not None:
            raise lost(self.asker, name)

    def _made_of_inputs(self, beside: Iterable[tuple[str, Node]]) -> str | None:
        """The name of the first of these nodes that the inputs lead to, or None."""
        goal = set(self.inputs)
        reached = (name for name, n in beside if not goal.isdisjoint(Trail([n], self.inputs).reached))
        return next(reached, None)

    def end(self) -> None:
        """From here on the inputs are constants: what is still live, is so for somebody outside.

        A trail keeps its nodes, so the walks go on as before; but what they record is no longer attached to inputs
        that nobody can differentiate by, which would keep the graph of every step of a loop.
        """
        if self._ended:
            return
        self._ended = True
        for n in self.inputs:
            outside = 0 if self.quiet or not n.inputs else n.inputs[0].live & (DIFFERENTIABLE | TRANSFORMED)
            kept = n.live & TRACED | outside
            n.live = kept and kept | TRANSFORMED  # by which `finished` knows the result of a transform
        goal = self.trail.goal
        for trail in self._trails:
            for n in trail.nodes:
                if n not in goal:
                    live = TRACED
                    for i in n.inputs:
                        live |= i.live
                    n.live &= live
        self._run.leaves = tuple([i for n in goal & self.trail.reached for i in n.inputs if i.live and i.op is None])
        self._run.spans.append((self._began, clock()))

    def _cut_off(self, result: Any, trail: Trail) -> Any:
        """A result without this tape's history; with it if an outer derivative or trace needs it."""
        if not isinstance(result, Tensor):
            return result
        if self.quiet:
            return result.detach()
        live = result.node.live
        return result if live & TRACED or (live and trail.open) else wrap(Node(result.node.data))

    def namespace(self, given: Sequence[Any] = ()) -> Namespace:
        """Recording, if the walk or what is carried along it is itself to be differentiated or traced."""
        if not (self.trail.open or any(isinstance(g, Tensor) and g.node.live for g in given)):
            return raw
        self.end()
        return rec

    @property
    def value(self) -> Any:
        """The function's result, cut off from this tape but not from an outer one."""
        if self.trail.open:
            self.end()
        return unflatten(self.like_value, [self._cut_off(y, self.trail) for y in self.outputs])

    @property
    def like_value(self) -> Structure:
        """The structure of the result and its derivatives, which keep what dataclasses made of values, cut off."""
        return with_kept(self.out_structure, lambda kept: self._cut_off(kept, self.trail))

    @property
    def aux(self) -> Any:
        """What the function returned beside its result, cut off alike."""
        trail = self._trails[0]
        if trail.open:
            self.end()
        leaves, structure = flatten(self._aux)
        if not any(isinstance(leaf, Tensor) for leaf in leaves):
            return self._aux
        return unflatten(structure, [self._cut_off(leaf, trail) for leaf in leaves])

    def scalar(self, holomorphic: bool = False) -> Tensor:
        """The one number that a gradient starts from."""
        if len(places(self.out_structure)) != 1 or self.outputs[0].size != 1:
            got = ", ".join(map(describe, self.outputs)) or "nothing"
            raise NonScalarError(
                f"{self.asker} needs a function that returns one number, got {got}. "
                "Reduce with sum() or mean(), or use jacobian() or vjp()."
            )
        y = self.outputs[0]
        if y.dtype.kind == "c" and not holomorphic:
            raise DTypeError(
                f"{self.asker} needs a real result, got {y.dtype}; take real() or abs(), or holomorphic=True"
            )
        if y.dtype.kind == "c" and any(n.data.dtype.kind != "c" for n in self.inputs):
            raise DTypeError(
                f"{self.asker} with holomorphic=True needs complex inputs for the complex result {describe(y)}; "
                "pass x + 0j"
            )
        if holomorphic and y.dtype.kind == "f" and any(n.data.dtype.kind == "c" for n in self.inputs):
            raise DTypeError(
                f"{self.asker} with holomorphic=True got the real result {describe(y)}: a real function of complex "
                "numbers is not complex differentiable. Leave holomorphic out for the gradient that descends."
            )
        if y.dtype.kind not in "fc":
            raise DTypeError(f"{self.asker} needs a floating result, got {y.dtype}")
        return y

    def pull(self, cotangents: Sequence[Any], record: bool = False) -> list[Any]:
        """Cotangents of the inputs as Tensors; zeros where the outputs do not depend on one. None stands for zeros."""
        xp = rec if record else self.namespace(cotangents)
        seeds = [(y.node, _carried(xp, g)) for y, g in zip(self.outputs, cotangents, strict=True) if g is not None]
        began = clock()
        found = pullback(self.trail, seeds, xp)
        if xp is rec:
            self._run.spans.append((began, clock()))
        return [handle(found[n]) if n in found else _zeros(n) for n in self.inputs]

    def push(self, tangents: Sequence[Any], record: bool = False, goals: Sequence[int] | None = None) -> list[Tensor]:
        """Tangents of the outputs, or of those asked for, as Tensors; zeros where they do not depend on the inputs.

        None stands for the zeros of an input that does not move.
        """
        xp = rec if record else self.namespace(tangents)
        seeds = {n: _carried(xp, t) for n, t in zip(self.inputs, tangents, strict=True) if t is not None}
        wanted = range(len(self.outputs)) if goals is None else goals
        roots = [self.outputs[k].node for k in wanted]
        trail = self.trail if goals is None else self.trail.leading_to(roots)
        began = clock()
        try:
            found = pushforward(trail, seeds, roots, xp)
            if xp is rec:
                self._run.spans.append((began, clock()))
        except IllPosedDerivative:
            return [self._push_by_rows(k, tangents, xp is rec) for k in wanted]
        return [_zeros(y) if t is None else handle(t) for t, y in zip(found, roots, strict=True)]

    def _push_by_rows(self, k: int, tangents: Sequence[Any], record: bool) -> Tensor:
        """The tangent of output k by reverse mode, an element at a time.

        At coinciding eigenvalues forward mode cannot know whether a function depends on the arbitrary choice of the
        vectors; a cotangent shows it. So reverse mode decides: it is right, or says that there is no derivative.
        """
        y, rows = self.outputs[k], []
        for unit in (1, 1j) if y.dtype.kind == "c" else (1,):
            for i in range(y.size):
                seeds = [np.zeros(o.shape, o.dtype) for o in self.outputs]
                seeds[k].reshape(-1)[i] = unit
                pulled = self.pull(seeds, record)
                pairs = [(g, t) for g, t in zip(pulled, tangents, strict=True) if t is not None]
                rows.append(sum(rec.sum(rec.real(rec.conj(g) * t)) for g, t in pairs))
        if not rows:
            return _zeros(y.node)
        flat = rec.stack(rows)
        if y.dtype.kind == "c":
            flat = flat[: y.size] + 1j * flat[y.size :]
        return as_tensor(rec.reshape(flat, y.shape))


def recorded(f: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """f of these arguments, recorded also where no_grad holds: a transform or a rule has its own derivative to take."""
    mode = MODE.get()
    if mode is None or mode.differentiable:
        return f(*args, **kwargs)
    return under(Mode(True, mode.observe, witnesses=mode.witnesses), f, *args, **kwargs)


def _alias(leaf: Any, asker: str, quiet: bool, run: Run) -> Node:
    source = held(node_of(leaf))  # the tape may outlive the call, and the caller's array may change meanwhile
    data = scalar_or_array(np.asarray(source.data))
    if getattr(data, "dtype", np.dtype(object)).kind not in "fc":  # an integer beyond 64 bits has none
        raise DTypeError(
            f"{asker} needs floating or complex inputs, got {describe(data)}; write 1.0 for 1, or use astype(float)"
        )
    live = source.live & TRACED if quiet else source.live
    watch = watcher()
    if live or watch is not None:
        node = Input(data, run, alias, (source,), live)
        if watch is not None:
            watch(node)
        if live or node.live & TRACED:
            return node
    return Input(data, run)


def _carried(xp: Namespace, value: Any) -> Any:
    return handle(value) if xp is rec else node_of(value).data


def _zeros(node: Node) -> Tensor:
    return wrap(Node(np.zeros_like(node.data)))


def one_like(y: Tensor) -> Any:
    """The cotangent of one number, of whatever shape."""
    return np.ones(y.shape, y.dtype) if y.shape else y.dtype.type(1)


def matched(tree: Any, structure: Structure, like: Sequence[Any], asker: str) -> list[Any]:
    """The leaves of a tangent or cotangent tree, checked against what they belong to."""
    leaves = leaves_like(tree, structure)
    if leaves is None:
        raise ArgumentError(f"{asker} expects a tree like {show(structure)}, got {differing(tree, structure)}")
    return [_matching(leaf, x, asker) for leaf, x in zip(leaves, like, strict=True)]


def matched_cotangents(tree: Any, structure: Structure, like: Sequence[Any], asker: str) -> list[Any]:
    """As `matched`, of a cotangent: where one result stands in several places, what is given there adds up."""
    if not is_tied(structure):
        return matched(tree, structure, like, asker)
    parts = summands(tree, structure)
    if parts is None:
        raise ArgumentError(f"{asker} expects a tree like {show(structure)}, got {differing(tree, structure)}")
    return [
        functools.reduce(operator.add, [_matching(part, x, asker) for part in some])
        for some, x in zip(parts, like, strict=True)
    ]


def _matching(leaf: Any, x: Any, asker: str) -> Tensor:
    """One leaf of a tangent or a cotangent tree, in the dtype of what it belongs to."""
    want = x.data if isinstance(x, Node) else x
    try:
        t = as_tensor(leaf)
    except DTypeError as error:
        if not isinstance(leaf, Mapping):  # of what else is no array the error itself tells
            raise
        raise DTypeError(f"{asker} expects {describe(want)}, got {describe(leaf)}") from error
    if not hasattr(t.node.data, "dtype"):  # a Python number
        t = cast(Tensor, rec.asarray(t))
    if t.shape != want.shape:
        raise ShapeError(f"{asker} expects {describe(want)}, got {describe(t)}")
    if t.dtype.kind == "c" and want.dtype.kind != "c":
        raise DTypeError(f"{asker} expects {describe(want)}, got {describe(t)}: its imaginary part would be lost")
    return t if t.dtype == want.dtype else fit(rec, t, want)


def chosen_arguments(
    f: Callable[..., Any], argnums: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], asker: str
) -> tuple[list[Any], Callable[..., Any]]:
    """The arguments of a call to differentiate in, and f as a function of these alone.

    `argnums` is a position or a parameter's name, or several: what goes by name may be passed by name, too.
    """
    if not isinstance(argnums, (int, str, tuple, list)) or isinstance(argnums, bool):
        raise ArgumentError(f"{asker}: argnums is a position or a name of an argument, or several; got {argnums!r:.60}")
    wanted = list(argnums) if isinstance(argnums, (tuple, list)) else [argnums]
    given = dict(kwargs)
    keys = [_key_by_name(f, k, args, given, asker) if isinstance(k, str) else k for k in wanted]
    for k in keys:
        if not isinstance(k, str) and not -len(args) <= k < len(args):
            raise ArgumentError(f"{asker}: argnums={argnums} but the function was called with {len(args)} arguments")
    keys = [k if isinstance(k, str) else k % len(args) for k in keys]
    if len(set(keys)) < len(keys):
        raise ArgumentError(
            f"{asker}: argnums={argnums} names an argument twice; name each once and use its part twice"
        )

    def call(*values: Any) -> Any:
        positional, named = list(args), dict(given)
        for k, v in zip(keys, values, strict=True):
            if isinstance(k, str):
                named[k] = v
            else:
                positional[k] = v
        return f(*positional, **named)

    return [given[k] if isinstance(k, str) else args[k] for k in keys], call


def _key_by_name(
    f: Callable[..., Any], name: str, args: tuple[Any, ...], given: dict[str, Any], asker: str
) -> int | str:
    """The position of the argument of this name, or the name itself where it is passed by that, or by default."""
    if name in given:
        return name
    try:
        parameters = inspect.signature(getattr(f, "forward", f)).parameters  # of a module those of its forward
    except (TypeError, ValueError):  # of some functions written in C
        raise ArgumentError(f"{asker}: argnums={name!r}, but {describe(f)} does not say its parameters") from None
    placed = [p.name for p in parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if name in placed[: len(args)]:
        return placed.index(name)
    if name not in parameters or parameters[name].default is inspect.Parameter.empty:
        what = "gives none" if name in parameters else f"has only {', '.join(parameters) or 'none'}"
        raise ArgumentError(f"{asker}: argnums={name!r}: {'the call' if name in parameters else 'the function'} {what}")
    given[name] = parameters[name].default
    return name
