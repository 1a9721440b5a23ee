"""The two chain rules, each a walk over recorded nodes in the order in which they were made.

`pullback` carries cotangents from a root back to the targets, `pushforward` carries tangents from the
targets on. Both run the ops' rules over a namespace: `raw` gives plain arrays, `rec` gives Tensors whose
own graph can be walked again. Neither recurses, so depth costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np

from .arguments import named
from .errors import (
    ArgumentError,
    DTypeError,
    IllPosedDerivative,
    MathError,
    NoDerivative,
    NonScalarError,
    ShapeError,
    TraceError,
    Undecided,
    UnusedInput,
    describe,
)
from .gradients import Gradients, in_dtype
from .leaks import refuse_leaked
from .mode import MODE, Mode
from .node import TRANSFORMED, check_fresh, inside, unknown
from .op import Namespace, Op, raw
from .past import Past, likeness
from .place import walks
from .quiet import quietly
from .spent import refuse_spent
from .tensor import DIFFERENTIABLE, TRACED, Node, Tensor, again, as_tensor, handle, rec, select, under, wrap
from .tree import flatten, unflatten

_by_tick = attrgetter("tick")
_FLOAT, _Array, _add = np.float64, np.ndarray, np.add  # NumPy's module takes long to answer
_ONE = _FLOAT(1.0)
_ONLY, _BOTH, _FIRST, _SECOND = (True,), (True, True), (True, False), (False, True)  # which inputs lead to a target
_innermost = MODE.innermost


class Trail:
    """The nodes between some targets and some roots, oldest first.

    Without targets, all nodes that a leaf reaches. `open` tells whether something else that is live
    flows in (an outer derivative, a traced argument), so that the walk's own steps must be recorded.
    """

    def __init__(self, roots: Sequence[Node], targets: Iterable[Node] | None = None) -> None:
        seen = set()
        self.open = False
        for r in roots:
            if r.live & DIFFERENTIABLE:
                seen.add(r)
                if r.live & TRACED:
                    self.open = True
        stack = list(seen)
        if targets is None:
            for n in stack:  # which grows meanwhile, roughly from new to old
                for i in n.inputs:
                    if i.live & DIFFERENTIABLE and i not in seen:
                        seen.add(i)
                        stack.append(i)
            self.goal: set[Node] = set()
            self.reached = seen
            stack.sort(key=_by_tick)
            self.nodes = stack
            return
        goal = self.goal = set(targets)
        ticks = [t.tick for t in goal] or [0]
        oldest, newest = min(ticks), max(ticks)
        for n in stack:
            if n.tick > newest and n.inputs:  # nearly always
                for i in n.inputs:
                    if i.live and i not in seen:
                        seen.add(i)
                        stack.append(i)
                continue
            if n in goal:
                self.open = self.open or any(i.live for i in n.inputs)
            elif not n.inputs or n.tick < oldest:
                self.open = True
                continue
            if n.tick <= oldest:
                continue
            for i in n.inputs:
                if i.live and i not in seen:
                    seen.add(i)
                    stack.append(i)
        stack.sort(key=_by_tick)
        if not self.open:  # nothing else flows in: each of them was made of a target
            self.reached, self.nodes = seen, stack
            return
        nodes = []
        reached = self.reached = goal & seen
        for n in stack:
            if n in reached:
                nodes.append(n)
            elif n.live & DIFFERENTIABLE and not reached.isdisjoint(n.inputs) and n.op and not n.op.constant:
                reached.add(n)
                nodes.append(n)
        self.nodes = nodes

    def leading_to(self, roots: Sequence[Node]) -> Trail:
        """The part of it that leads to some of its roots."""
        needed, nodes = set(roots), []
        for n in reversed(self.nodes):
            if n in needed:
                nodes.append(n)
                needed.update(n.inputs)
        part = Trail(())
        part.nodes, part.goal, part.reached, part.open = nodes[::-1], self.goal, self.reached, self.open
        return part


def _recorded_operands(node: Node) -> tuple[Any, list[Any]]:
    """The result and the arguments of a node as Tensors, for a walk that is itself recorded."""
    args = [_recorded(i) for i in node.inputs]
    if node.op is not None and node.op.many:
        whole = wrap(node)
        return tuple(_part(whole, k) for k in range(len(node.data))), args
    return wrap(node), args


def _recorded(node: Node) -> Any:
    return wrap(node) if node.live or hasattr(node.data, "dtype") else node.data


def _part(whole: Tensor, k: int) -> Tensor:
    return wrap(Node(whole.node.data[k], select, (whole.node,), {"index": k}, whole.node.live))


def _values(node: Node) -> tuple[Any, ...]:
    """The arguments of a node; where its rule does not look at the values of a past one, without them."""
    formal = node.op.formal if node.op is not None else 0
    return tuple([likeness(i) if k < formal else i.data for k, i in enumerate(node.inputs)])


def fit(xp: Namespace, g: Any, like: Any) -> Any:
    """A cotangent in the shape and dtype of the value it belongs to: broadcasting is undone here."""
    shape = like.shape if hasattr(like, "shape") else ()
    extra = len(g.shape) - len(shape)
    if extra == 1 and g.shape[1:] == shape:  # a bias against a batch: by far the most frequent case
        g = xp.batch_sum(g)
    elif g.shape != shape:
        axes = (*range(extra), *(i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1))
        g = xp.sum(g, axis=axes)
        if g.shape != shape:
            g = xp.reshape(g, shape)
    dtype = like.dtype if hasattr(like, "dtype") else g.dtype
    if g.dtype != dtype:
        if g.dtype.kind == "c" and dtype.kind != "c":
            g = xp.real(g)
        if g.dtype != dtype:
            g = xp.astype(g, dtype)
    return g


def pullback(
    trail: Trail, seeds: Sequence[tuple[Node, Any]], xp: Namespace = raw, every: bool = False
) -> dict[Node, Any]:
    """Cotangents of the targets, of the leaves, and of nodes with an owner (or of `every` node)."""
    kept: dict[Node, Any] = {}
    if (mode := _innermost()) is not None and (mode := MODE.get()) is not None and mode.witnesses:
        _witnessed(mode, _pullback, "pulled", kept, trail, seeds, xp, every)
    else:
        quietly(_pullback, kept, trail, seeds, xp, every)
    return kept


def _witnessed(
    mode: Mode,
    walk: Callable[..., Any],
    told: str,
    found: dict[Node, Any],
    trail: Trail,
    seeds: Any,
    xp: Any,
    *more: Any,
) -> None:
    """A walk, and who is told of what it found; of what it computes on its way only those who are told inside."""
    within = Mode(mode.differentiable, mode.observe, mode, None, tuple([w.inside() for w in mode.witnesses]))
    every = any(w.walks for w in mode.witnesses)
    failure = None
    try:
        quietly(under, within, walk, found, trail, seeds, xp, *(m or every for m in more))
    except Exception as error:
        failure = error
    if every:
        for witness in mode.witnesses:
            getattr(witness, told)(trail, seeds, xp, found, failure)
    if failure is not None:
        raise failure


def _pullback(
    kept: dict[Node, Any], trail: Trail, seeds: Sequence[tuple[Node, Any]], xp: Namespace, every: bool
) -> None:
    """What `pullback` returns, put into `kept` node by node."""
    cotangents: dict[Node, Any] = {}
    sums: dict[Node, Any] = {}  # nodes whose cotangent is an array that this walk made, and may add to; see `_added`
    reached, goal, plain = trail.reached, trail.goal, xp is raw
    for node, g in seeds:
        if node in reached:
            cotangents[node] = xp.add(cotangents[node], g) if node in cotangents else g
    take, overwritten = cotangents.pop, Past.ever
    watched = every or (bool(goal) and any(n.op is not None for n in goal))  # one without an op is kept in any case
    for n in reversed(trail.nodes):
        g = take(n, None)
        if g is None:
            continue
        op, meta = n.op, n.meta
        if meta is not None:
            if meta.hooks:
                g = _run_hooks(xp, n, g)
            kept[n] = g
            if op is None:
                continue
        elif op is None:
            kept[n] = g
            continue
        if watched and (every or n in goal):
            kept[n] = g
        inputs = n.inputs
        need: tuple[bool, ...]
        args: tuple[Any, ...]
        count = len(inputs)
        if count == 2:  # unrolled, as most nodes have two inputs, or one
            a, b = inputs
            if a in reached:
                need = _BOTH if b in reached else _FIRST
            elif b in reached:
                need = _SECOND
            else:
                continue
            if overwritten and op.formal:
                value, other = _values(n)
            else:
                value, other = a.data, b.data
            if a.meta is not None or b.meta is not None or meta is not None:
                check_fresh(n)
        elif count == 1:
            (a,) = inputs
            if a not in reached:
                continue
            need = _ONLY
            value = likeness(a) if overwritten and op.formal else a.data
            if a.meta is not None or meta is not None:
                check_fresh(n)
        else:
            if count == 3 and not (overwritten and op.formal):  # a layer, with its weight and its bias
                a, b, c = inputs
                need, args = (a in reached, b in reached, c in reached), (a.data, b.data, c.data)
            else:
                need = tuple([i in reached for i in inputs])
                args = _values(n) if overwritten and op.formal else tuple([i.data for i in inputs])
            if True not in need:
                continue
            value = args[0]
            check_fresh(n)
        if op.part:
            if op is select:
                _collect(xp, cotangents, n, g)
                continue
            if plain and _added(cotangents, sums, n, value, g):
                continue
        rule, params = op.vjp, n.params
        if rule is None:
            advice = f"give it one, {op.name}.defvjp(...), or " if hasattr(op, "defvjp") else ""
            raise NoDerivative(f"{op.name} has no derivative rule; {advice}stop_gradient() its result if that is meant")
        if plain:
            try:
                y = likeness(n) if overwritten and op.formal else n.data
                if count == 2:  # a call of so many arguments is the quickest
                    found = (
                        rule(xp, need, g, y, value, other, **params) if params else rule(xp, need, g, y, value, other)
                    )
                elif count == 1:
                    found = rule(xp, need, g, y, value, **params) if params else rule(xp, need, g, y, value)
                else:
                    found = rule(xp, need, g, y, *args, **params)
            except Undecided as question:
                try:
                    found = question.settle(partial(_again, trail, seeds, n))
                except IllPosedDerivative as answer:
                    raise answer from None
        else:
            y, recorded = _recorded_operands(n)
            found = rule(xp, need, g, y, *recorded, **params)
        if count > 2:
            if found.__class__ is not tuple:
                found = tuple(found)
            if len(found) != count:
                raise _miscounted(op, found, count)
            for i, share, argument in zip(inputs, found, args):  # of one length
                if share is not None and i in reached:
                    if share.dtype is not argument.dtype or share.shape != argument.shape:
                        share = _fitted(op, xp, share, argument)
                    if i in cotangents:
                        _add_up(cotangents, sums, xp, i, share)
                    else:
                        cotangents[i] = share
            continue
        try:
            if count == 2:
                ga, gb = found
            else:
                (ga,), gb = found, None
        except (TypeError, ValueError):
            raise _miscounted(op, found, count) from None
        if ga is not None and need[0]:
            if not (ga.__class__ is _FLOAT is value.__class__) and (  # a number needs no fitting
                ga.shape != value.shape or ga.dtype is not value.dtype
            ):
                ga = _fitted(op, xp, ga, value)
            if a in cotangents:
                _add_up(cotangents, sums, xp, a, ga)
            else:
                cotangents[a] = ga
        if gb is not None and need[1]:
            if not (gb.__class__ is _FLOAT is other.__class__) and (
                gb.shape != other.shape or gb.dtype is not other.dtype
            ):
                gb = _fitted(op, xp, gb, other)
            if b in cotangents:
                _add_up(cotangents, sums, xp, b, gb)
            else:
                cotangents[b] = gb


def _miscounted(op: Op, found: Any, count: int) -> MathError:
    """The error for what a vjp rule returned in the place of one cotangent for each argument."""
    if isinstance(found, (tuple, list)):
        return NoDerivative(f"the vjp rule of {op.name} gave {len(found)} cotangents for {count} arguments")
    return ShapeError(
        f"the vjp rule of {op.name} gave {describe(found)} for {count} arguments; it returns a tuple, one "
        "cotangent for each argument"
    )


def _fitted(op: Op, xp: Namespace, share: Any, argument: Any) -> Any:
    """A cotangent in the shape and dtype of the argument of an op, or the error for one that no broadcast of it has."""
    try:
        return fit(xp, share, argument)
    except MathError:
        raise
    except (ValueError, AttributeError):
        raise ShapeError(
            f"the vjp rule of {op.name} gave {describe(share)} for an argument {describe(argument)}; it returns a "
            "tuple, one cotangent for each argument, of its shape or of the result's"
        ) from None


def _add_up(cotangents: dict[Node, Any], sums: dict[Node, Any], xp: Namespace, node: Node, share: Any) -> None:
    """One more share of the cotangent of a node, added into the array where that is this walk's own."""
    if node in sums:
        total = cotangents[node]
        _add(total, share, total)
        if (where := sums[node]).__class__ is tuple and where[1]:
            sums[node] = where[0], False
        return
    cotangents[node] = total = xp.add(cotangents[node], share)
    if total.__class__ is _Array:
        sums[node] = False


def _added(cotangents: dict[Node, Any], sums: dict[Node, Any], part: Node, like: Any, g: Any) -> bool:
    """Whether the cotangent of a part went straight into that of the whole, to which it adds nothing elsewhere.

    The sum with zeros elsewhere is the same bit for bit: it makes 0.0 of each -0.0 there, and leaves those where both
    are -0.0. `sums` tells where its arrays may hold one: True nowhere, False anywhere, or in the part at an index, with
    which it tells whether there are zeros elsewhere.
    """
    whole, key = part.inputs[0], part.params["key"]
    total = cotangents.get(whole)
    if total is None:
        if not getattr(like, "shape", ()) or like.dtype is not g.dtype:
            return False
        cotangents[whole] = total = np.zeros(like.shape, like.dtype)
        total[key] = g
        sums[whole] = key, True
        return True
    if total.__class__ is not _Array or not total.shape or total.dtype is not g.dtype or total.shape != like.shape:
        return False  # of no axes, the sum is no array but a number, which cannot be written to
    where = sums.get(whole)
    if where is True:
        _add_at(total, key, g)
        return True
    if where and _asunder(where[0], key, total.shape):
        if where[1]:
            total[key] = g
            _add(total, 0.0, total)  # all that lies side by side takes less time than two parts
        else:
            _add_at(total, where[0], 0.0)
            _add_at(total, key, g)
        sums[whole] = True
        return True
    both = total[key] + g
    if where is None:
        cotangents[whole] = total = np.add(total, 0.0, dtype=total.dtype)
    elif where is False:
        np.add(total, 0.0, out=total)
    else:
        _add_at(total, where[0], 0.0)
    total[key] = both
    sums[whole] = key, False
    return True


def _add_at(total: Any, key: Any, g: Any) -> None:
    place = total[key]
    if place.__class__ is _Array:  # a view: total[key] += g would copy it to itself
        _add(place, g, place)
    else:
        total[key] = place + g


def _asunder(a: Any, b: Any, shape: tuple[int, ...]) -> bool:
    """Whether two indices are seen at once to have no element in common; None and Ellipsis are not looked at."""
    for i, j, n in zip(a if type(a) is tuple else (a,), b if type(b) is tuple else (b,), shape, strict=False):
        if type(i) is int and type(j) is int:
            if (i - j) % n:
                return True
        elif type(i) is slice and type(j) is slice:
            if i == j:
                continue
            start, stop, step = i.indices(n)
            begin, end, stride = j.indices(n)
            if step > 0 < stride and (stop <= begin or end <= start):
                return True
        else:
            return False
    return False


def _collect(xp: Namespace, cotangents: dict[Node, Any], part: Node, g: Any) -> None:
    """The cotangent of one part of a many-valued result, put beside those of the other parts."""
    whole, k = part.inputs[0], part.params["index"]
    parts = cotangents.setdefault(whole, [None] * len(whole.data))
    parts[k] = g if parts[k] is None else xp.add(parts[k], g)


def _again(trail: Trail, seeds: Sequence[tuple[Node, Any]], whole: Node, parts: Sequence[Any]) -> list[Any]:
    """The cotangents of the parts of a many-valued node, had they had these values: what follows it is run again.

    The same op of the same inputs, called once more elsewhere, would have had these values too.
    """
    leaves = [Node(part, live=DIFFERENTIABLE) for part in parts]
    fresh: dict[Node, Any] = {
        n: [wrap(Node(part, live=DIFFERENTIABLE)) for part in parts]
        for n in trail.nodes
        if n.op is whole.op and n.inputs == whole.inputs and n.params == whole.params
    }
    fresh[whole] = [wrap(leaf) for leaf in leaves]

    def run() -> None:
        for n in trail.nodes:
            if n.op is None or n in fresh or fresh.keys().isdisjoint(n.inputs):
                continue
            fresh[n] = again(n.op, tuple(fresh[i] if i in fresh else wrap(i) for i in n.inputs), n.params)

    under(Mode(True, None), run)
    roots = [(fresh[node].node, g) for node, g in seeds if node in fresh]
    found = pullback(Trail([node for node, _ in roots], leaves), roots)
    return [found.get(leaf) for leaf in leaves]


def _run_hooks(xp: Namespace, node: Node, g: Any) -> Any:
    hooks = node.meta.hooks if node.meta is not None else None
    for hook in list((hooks or {}).values()):
        own = twin(g)  # what the hook does to it, nobody else sees
        before = own.node
        changed = hook(own)
        if changed is None and own.node is before and before.meta is None:
            continue
        changed = own if changed is None else as_tensor(changed)
        if changed.shape != g.shape:
            raise ShapeError(f"a hook returned {describe(changed)} for a gradient {describe(g)}")
        changed = in_dtype(changed, g.dtype, "a hook's gradient")
        g = changed if xp is rec else changed.node.data
    return g


def twin(g: Any) -> Tensor:
    """A node of its own with the same value, made of g, so that derivatives in g pass through it."""
    if not isinstance(g, Tensor):
        return wrap(Node(g))
    return rec.alias(g) if g.node.live else wrap(Node(g.node.data))


def pushforward(trail: Trail, seeds: Mapping[Node, Any], roots: Sequence[Node], xp: Namespace = raw) -> list[Any]:
    """Tangents of the roots, given those of the targets; None where a root does not depend on them."""
    tangents: dict[Node, Any] = dict(seeds)
    if (mode := MODE.innermost()) is not None and (mode := MODE.get()) is not None and mode.witnesses:
        _witnessed(mode, _pushforward, "pushed", tangents, trail, seeds, xp)
    else:
        quietly(_pushforward, tangents, trail, seeds, xp)
    return [tangents.get(r) for r in roots]


def _pushforward(tangents: dict[Node, Any], trail: Trail, seeds: Mapping[Node, Any], xp: Namespace) -> None:
    """The tangents of all nodes of a trail, put beside those of the targets."""
    for n in trail.nodes:
        op = n.op
        if n in tangents or op is None:
            continue
        ts = [tangents.get(i) for i in n.inputs]
        if all(t is None for t in ts):
            continue
        check_fresh(n)
        if op.jvp is None:
            rule = f"; give it one: {op.name}.defjvp(...)" if hasattr(op, "defjvp") else ""
            raise NoDerivative(f"{op.name} has no forward-mode rule{rule}")
        like = likeness(n) if op.formal else n.data
        y, args = (like, _values(n)) if xp is raw else _recorded_operands(n)
        t = op.jvp(xp, ts, y, *args, **n.params)
        if t is not None:
            tangents[n] = t if op.many else spread(xp, t, like)


def spread(xp: Namespace, t: Any, like: Any) -> Any:
    """A tangent in the shape and dtype of its value."""
    if t is None:
        return None
    if type(t) is complex:  # what Python makes of 1j * np.float64
        t = np.complex128(t)
    if t.shape != like.shape:
        t = xp.broadcast_to(t, like.shape)
    if t.dtype != like.dtype:
        t = xp.astype(xp.real(t) if t.dtype.kind == "c" and like.dtype.kind != "c" else t, like.dtype)
    return t


def seed_of(y: Tensor, gradient: Any, asker: str) -> Any:
    """The cotangent to start from: 1 for a single number, else what the caller gave."""
    if gradient is None:
        if y.node.data.__class__ is _FLOAT:  # nearly always
            return _ONE
        if y.size != 1:
            raise NonScalarError(
                f"{asker} of a result of shape {y.shape}: a gradient starts from one number. "
                "Reduce it with sum() or mean(), or give a cotangent of that shape."
            )
        if y.dtype.kind == "c":
            raise DTypeError(
                f"{asker} of the complex number {describe(y)}: a gradient starts from a real one. "
                "Take real(), imag() or abs(), or give a cotangent."
            )
        return np.ones(y.shape, y.dtype) if y.shape else y.dtype.type(1)
    g = as_tensor(gradient)
    if not hasattr(g.node.data, "dtype"):  # a Python number
        g = rec.astype(g, y.dtype) if g.node.live else wrap(Node(np.asarray(g.node.data, y.dtype)[()]))
    if g.shape != y.shape:
        raise ShapeError(f"{asker}: the cotangent {describe(g)} does not fit the result {describe(y)}")
    return g if g.dtype == y.dtype else fit(rec, g, y)


_INSIDE = (
    "Use tm.grad(loss)(params), whose results are differentiable, or create_graph=True; for gradients that are "
    "constants, compute the loss of detached values."
)


def backward(y: Tensor, gradient: Any = None, create_graph: bool = False) -> None:
    """See `Tensor.backward`."""
    node = y.node
    if (node.live & TRACED or _innermost() is not None) and unknown(node):
        refuse_leaked([node], "backward()")
        raise TraceError(
            "backward() writes gradients into .grad, which a function that is being traced cannot do; "
            "use value_and_grad(f)(params), and opt.update(grads, state, params) for opt.step()"
        )
    if not y.requires_grad:
        refuse_spent([node], 0)
        raise UnusedInput(
            f"backward() on a tensor that no leaf with requires_grad=True reaches, {describe(y)}. Say "
            "requires_grad=True where the leaf is made, and compute outside of no_grad()"
        )
    if not create_graph and node.live & TRANSFORMED:  # traces were seen to above
        y._leave("backward()", _INSIDE)
    g = seed_of(y, gradient, "backward()")
    trail = Trail([node])
    xp = rec if create_graph or (isinstance(g, Tensor) and g.requires_grad) else raw
    if xp is raw and isinstance(g, Tensor):
        g = g.node.data
    _accumulate(pullback(trail, [(node, handle(g) if xp is rec else g)], xp), xp is rec)


def _accumulate(found: Mapping[Node, Any], recorded: bool) -> None:
    """Add to the gradients of the nodes' owners: all of it or nothing, and one thread after another."""
    before: list[tuple[Tensor, Any]] = []
    with Gradients.lock:
        try:
            for node, share in found.items():
                m = node.meta
                if m is None or (known := m.owner) is None or (owner := known()) is None:
                    continue
                if recorded:
                    share = wrap(share.node)
                g = getattr(owner, "_grad", None)
                total = share if g is None else rec.add(handle(g), handle(share))
                before.append((owner, g))
                owner._grad = total
        except BaseException:
            for owner, g in reversed(before):
                owner._grad = g
            raise


@named
def grad_of(
    y: Any, inputs: Any, grad_outputs: Any = None, create_graph: bool = False, allow_unused: bool = False
) -> Any:
    """The gradients of y with respect to Tensors that it was computed from.

    Arguments: `y` a Tensor or a list of them; `inputs` a Tensor or a tree of them; `grad_outputs` a cotangent of
    y's shape (or a list of them), needed unless y is one number; `create_graph` records the gradients, as it is
    done anyway where a transform that is running differentiates y.
    Returns a tree like `inputs`. Raises UnusedInput if y does not depend on an
    input, unless `allow_unused`, which gives None there.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(3.0, requires_grad=True)
    >>> (g,) = tm.grad_of(x**3, [x], create_graph=True)
    >>> tm.grad_of(g, [x])
    [tensor(18.)]
    """
    ys = [y] if isinstance(y, Tensor) else list(y) if isinstance(y, (list, tuple)) else [as_tensor(y)]
    xs, structure = flatten(list(inputs) if isinstance(inputs, Iterator) else inputs)
    for x in xs:
        if not isinstance(x, Tensor):
            raise DTypeError(f"grad_of() differentiates with respect to Tensors, got {describe(x)}; use grad(f)")
    if grad_outputs is None:
        cotangents = [None] * len(ys)
    else:
        cotangents = [grad_outputs] if isinstance(y, Tensor) and not _listed(grad_outputs, y) else list(grad_outputs)
        if len(cotangents) != len(ys):
            raise ArgumentError(f"grad_of() of {len(ys)} results was given {len(cotangents)} cotangents")
    seeds = [(t.node, seed_of(t, g, "grad_of()")) for t, g in zip(ys, cotangents, strict=True)]
    targets = [x.node for x in xs]
    trail = Trail([t.node for t in ys], targets)
    if trail.open:
        refuse_spent([t.node for t in ys], min((t.tick for t in targets), default=0))
    live = any(isinstance(g, Tensor) and g.node.live for _, g in seeds)
    traced = any(t.node.live & TRACED for t in ys)
    wanted = create_graph or any(inside(t.node) for t in ys)
    xp = rec if wanted or live or traced else raw
    plain: Callable[[Any], Any] = handle if xp is rec else (lambda g: g.node.data if isinstance(g, Tensor) else g)
    found = pullback(trail, [(n, plain(g)) for n, g in seeds], xp)
    unused = [k for k, t in enumerate(targets) if t not in trail.reached]
    if unused and not allow_unused:
        what = ", ".join(xs[k].name or f"input {k} {describe(xs[k])}" for k in unused)
        raise UnusedInput(f"the result does not depend on {what}; pass allow_unused=True to get None there")
    gradients = [
        None if k in unused else handle(found[t] if t in found else np.zeros(x.shape, x.dtype))
        for k, (t, x) in enumerate(zip(targets, xs, strict=True))
    ]
    if traced and not wanted and not live:
        gradients = [None if g is None else g.detach() for g in gradients]
    return unflatten(structure, gradients, values=False)


def _listed(cotangent: Any, y: Tensor) -> bool:
    """Whether a cotangent of one result comes in a list of its own, as PyTorch has it."""
    return isinstance(cotangent, (list, tuple)) and len(cotangent) == 1 and np.shape(cotangent[0]) == y.shape


rec.backward = backward
walks(_pullback, "gradient of ")
walks(_pushforward, "tangent of ")
