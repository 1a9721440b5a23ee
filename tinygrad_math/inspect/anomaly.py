"""`detect_anomaly`: the first NaN or infinity, where it was made, of what, why, and what to do about it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from ..compiler.trace import tracing
from ..core.arguments import named
from ..core.errors import AnomalyError, IllPosedDerivative, TraceError
from ..core.mode import Block, Mode, P, R, Witness, quietly
from ..core.node import Node
from ..core.op import Namespace, Op, raw
from ..core.place import WALKS, user_place
from ..core.tensor import Tensor, select
from ..core.walk import Trail
from .causes import WELL_POSED, Cause, of_slope, of_value, slope_at
from .history import History, Operand, asked, operand, short, variables
from .instructions import checked
from .lines import Lines, beside
from .numbers import (
    bad_elements,
    element,
    first_index,
    first_part,
    is_bad,
    is_bad_value,
    number,
    plain,
    pointwise,
    worst,
)
from .report import report, stopped_at


class detect_anomaly(Block):
    """A context, or a decorator, in which the first NaN or infinity raises AnomalyError, which explains it.

    The error names the op and whether it arose forward or in a derivative, the user's line, the first bad element
    with the operands there, the chain that led to it, the cause in words, and a fix; all of it in its attributes too.
    It is found in every transform, in modules, in an optimiser's step, in training, and inside of compiled functions,
    whose programs are run once more for it, instruction by instruction. What NumPy would warn of is left to the error.

    Arguments: `check_inf` whether an infinity stops as well, else only NaN does. An infinity in the data, as in a mask,
    stops in neither case, only what an op makes of finite numbers. `forward`, `backward` switch off what is not wanted.
    Raises AnomalyError (a FloatingPointError); TraceError where it is entered inside of a compiled function.

    >>> import tinygrad_math as tm
    >>> with tm.inspect.detect_anomaly():
    ...     tm.log(tm.tensor(-1.0))
    Traceback (most recent call last):
    tinygrad_math.core.errors.AnomalyError: log made NaN: the logarithm of a negative number: log(-1)
    ...
    """

    quiet = True

    @named
    def __init__(self, check_inf: bool = True, *, forward: bool = True, backward: bool = True) -> None:
        super().__init__()
        self.check_inf, self.forward, self.backward = check_inf, forward, backward
        self._silences: list[Any] = []

    def _mode(self, outer: Mode | None, entries: list[Any] | None) -> Mode:
        if tracing():
            raise TraceError(
                "detect_anomaly() is entered while a function is being traced, which happens once and not at each "
                "call; enter it around the call of the compiled function"
            )
        return beside(Detective(self.check_inf, self.forward, self.backward), outer, entries)

    def __enter__(self) -> None:
        super().__enter__()
        silence = np.errstate(all="ignore")
        silence.__enter__()
        self._silences.append(silence)

    def __exit__(self, *error: Any) -> None:
        try:
            if self._silences:
                self._silences.pop().__exit__(*error)
        finally:
            super().__exit__(*error)

    def __call__(self, f: Callable[P, R]) -> Callable[P, R]:
        return super().__call__(f)


class Detective(Lines):
    """Looks at each value, each cotangent, each tangent and each instruction, and raises at the first bad one."""

    walks = programs = True

    def __init__(self, infinite: bool, forward: bool = True, backward: bool = True) -> None:
        self.infinite, self.forward, self.backward = infinite, forward, backward
        self.history = History()
        self.suspects: MutableMapping[Node, AnomalyError] = weakref.WeakKeyDictionary()  # in rules that are run again

    def made(self, node: Node, op: Op, inputs: tuple[Node, ...], params: Any) -> None:
        super().made(node, op, inputs, params)
        self.history.note(node, op, inputs, user_place(2))
        place = node.meta.place if node.meta is not None else None
        derivative = place is not None and bool(place.prefix)
        if not (self.backward if derivative else self.forward):
            return
        suspect = next((self.suspects[i] for i in inputs if i in self.suspects), None) if self.suspects else None
        if suspect is not None and is_bad_value(node.data, self.infinite):
            if suspect.place != place:
                raise suspect
            self.suspects[node] = suspect
            return
        bad = worst(op, [i.data for i in inputs], node.data, self.infinite)
        if bad is not None:
            error = self.of_node(node, op, inputs, params, bad)
            if not derivative:
                raise error
            self.suspects[node] = error  # a rule that is run again may not use what it has computed

    def replayed(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            if node in self.suspects:
                raise self.suspects[node]

    def inside(self) -> Witness:
        return Inside(self)

    def called(self, executable: Any, arrays: Any) -> None:
        checked(executable, arrays, self.infinite, self.forward, self.backward)

    def untraced(self, error: Exception) -> None:
        stopped = stopped_at(error, WALKS)
        if self.backward and stopped is not None:
            raise self.ill_posed(stopped, error) from error

    def stepped(self, optimizer: Any, p: Tensor, g: Any, new: Any) -> None:
        if not is_bad(new, self.infinite) or is_bad(p.node.data, self.infinite):
            return
        g, index = g.node.data, first_index(bad_elements(new, self.infinite))
        shape, kind = np.shape(new), type(optimizer).__name__
        cause = Cause(
            f"the parameter {number(element(p.node.data, shape, index))} with the gradient "
            f"{number(element(g, shape, index))} went beyond the largest {np.asarray(new).dtype}",
            "take a smaller learning rate, or clip the gradients, tm.nn.utils.clip_grad_norm_",
        )
        name = p.name or variables().get(p.node)
        shown = [
            operand(p.node.data, name, element(p.node.data, shape, index), shape, index),
            operand(g, "gradient", element(g, shape, index), shape, index),
        ]
        title = f"the step of {kind} made {'NaN' if np.isnan(new[index]) else 'an infinity'} of {name or 'a parameter'}"
        raise report("forward", kind, new, index, cause, shown, (), user_place(2), title=title)

    # -- forward -----------------------------------------------------------------------------------------
    def of_node(self, node: Node, op: Op, inputs: Sequence[Node], params: Any, bad: Any) -> AnomalyError:
        """The report of a bad value, of which `bad` is the array and the index."""
        array, index = bad
        args = [i.data for i in inputs]
        cause, at = of_value(op, args, node.data if not op.many else array, params, index, array[index])
        operands = self.operands(inputs, at, np.shape(array), index)
        within = asked()
        if cause.words.startswith("NaN is in") and within and self.history.past(inputs[cause.blame]).title == "where":
            cause = cause._replace(
                words=f"NaN is what {within} gives for arguments that are not in its domain",
                fix=f"look at the arguments of {within}",
            )
        place = node.meta.place if node.meta is not None else None
        chain = self.history.chain(node, cause.blame)
        if place is not None and place.prefix:
            kind = "NaN" if np.isnan(array[index]) else "an infinity"
            phase, kinds = ("tangent", "tangent") if place.prefix.startswith("tangent") else ("backward", "gradient")
            title = f"the {kinds} of {place.op or 'this line'} made {kind} in {op.name}"
            return report(phase, place.op or op.name, array, index, cause, operands, chain, place, title=title)
        return report("forward", op.name, array, index, cause, operands, chain, place, within=within)

    def operands(
        self, inputs: Sequence[Node], at: Sequence[Any], shape: tuple[int, ...], index: tuple[int, ...]
    ) -> list[Operand]:
        found = variables()
        return [operand(i.data, self.title(i, found), v, shape, index) for i, v in zip(inputs, at, strict=True)]

    def title(self, node: Node, found: Mapping[Node, str]) -> str | None:
        """What to call a value: as the user does, or by the op that made it."""
        past = self.history.past(node, found)
        name = past.called(found)
        if name or not node.tick:
            return name or "constant"
        return f"({past.title})" if past.place is not None else None

    # -- backward ----------------------------------------------------------------------------------------
    def pulled(self, trail: Trail, seeds: Any, xp: Namespace, found: dict[Node, Any], error: Exception | None) -> None:
        if isinstance(error, AnomalyError) or not self.backward:
            return
        for node, g in seeds:
            if error is None and (is_bad_value(node.data, self.infinite) or is_bad_value(plain(g), self.infinite)):
                raise self.of_seed(trail, node, plain(g))
        for n in reversed(trail.nodes):
            if n in found and is_bad_value(plain(found[n]), self.infinite):
                raise self.of_cotangent(trail, n, found)
        if isinstance(error, IllPosedDerivative):
            stopped = stopped_at(error, WALKS)
            if stopped is not None:
                raise self.ill_posed(stopped, error) from error

    def ill_posed(self, n: Node, error: Exception) -> AnomalyError:
        """The report of a derivative that an op's rule refused to give."""
        place = n.meta.place if n.meta is not None else None
        op = n.op.name if n.op is not None else "an op"
        cause = Cause(f"an ill-posed derivative: {error}", WELL_POSED)
        return report(
            "backward", op, None, None, cause, self.operands(n.inputs, [None] * len(n.inputs), (), ()),
            self.history.chain(n), place, title=f"the derivative of {op} does not exist", ill_posed=True,
        )  # fmt: skip

    def of_seed(self, trail: Trail, root: Node, g: Any) -> AnomalyError:
        """The report of a walk that starts from a bad number: of the op that made it, before the block was entered."""
        for n in trail.nodes:
            if n.op is not None:
                bad = worst(n.op, [i.data for i in n.inputs], n.data, self.infinite)
                if bad is not None:
                    return self.of_node(n, n.op, n.inputs, n.params, bad)
        data = root.data if is_bad_value(root.data, self.infinite) else g
        array = np.asarray(data)
        index = first_index(bad_elements(array, self.infinite))
        what = "the result" if data is root.data else "the cotangent"
        cause = Cause("an infinity or NaN that was in the data already", "look at where the data come from")
        chain = self.history.chain(root)
        op = root.op.name if root.op is not None else None
        place = root.meta.place if root.meta is not None else None
        return report(
            "forward" if data is root.data else "backward", op, array, index, cause, [], chain, place,
            title=f"{what} from which the gradient starts is {array[index]}",
        )  # fmt: skip

    def of_cotangent(self, trail: Trail, node: Node, found: dict[Node, Any]) -> AnomalyError:
        """The report of a bad cotangent: that of the first node on the way back which has one."""
        total = first_part(plain(found[node]), self.infinite)
        shares: list[Any] = []
        for user in reversed(trail.nodes):
            if user.op is None or user not in found or node not in user.inputs:
                continue
            for k, share in enumerate(self.shares(trail, user, plain(found[user]))):
                if user.inputs[k] is node and share is not None:
                    if is_bad_value(share, self.infinite):
                        return self.of_share(trail, user, k, share, plain(found[user]))
                    shares.append(share)
        index = first_index(bad_elements(total, self.infinite))
        name = self.title(node, variables())
        hooked = node.meta is not None and node.meta.hooks
        if hooked:
            cause = Cause("a hook on this gradient returned it", "look at the function given to register_hook")
        else:
            cause = Cause(
                f"the sum of the {len(shares)} cotangents that arrive here is beyond the largest {total.dtype}, or "
                "inf - inf", "scale the loss down, or compute in float64",
            )  # fmt: skip
        op = node.op.name if node.op is not None else None
        place = node.meta.place if node.meta is not None else None
        return report(
            "backward", op, total, index, cause, [operand(node.data, name, None, (), ())],
            self.forward_chain(trail, node), place,
            title=f"the gradient of {name or op or 'an input'} became {total[index]}",
        )  # fmt: skip

    def shares(self, trail: Trail, user: Node, g: Any) -> list[Any]:
        """What a node gives to each of its inputs, computed once more with plain arrays."""
        assert user.op is not None
        if user.op is select:
            return [g]
        need = tuple(i in trail.reached for i in user.inputs)
        assert user.op.vjp is not None
        try:
            return list(quietly(user.op.vjp, raw, need, g, user.data, *[i.data for i in user.inputs], **user.params))
        except Exception:  # it raised in the walk too
            return [None] * len(user.inputs)

    def of_share(self, trail: Trail, user: Node, k: int, share: Any, g: Any) -> AnomalyError:
        """The report of an op whose derivative is bad."""
        op = user.op
        assert op is not None
        args = [i.data for i in user.inputs]
        part = first_part(share, self.infinite)
        index = first_index(bad_elements(part, self.infinite))
        shape = np.shape(user.data) if not op.many else ()
        at: list[Any] = [None] * len(args)
        cotangent = slope = None
        if not op.many and pointwise(op, shape, args) and np.shape(part) == shape:
            at = [element(a, shape, index) for a in args]
            cotangent = element(g, shape, index)
            slope = slope_at(op, args, user.data, user.params, k, index)
        unchosen = not_chosen(user, index, trail) if slope is not None else None
        cause = of_slope(op, args, user.data, user.params, k, index, cotangent, unchosen)
        place = user.meta.place if user.meta is not None else None
        return report(
            "backward", op.name, part, index, cause, self.operands(user.inputs, at, np.shape(part), index),
            self.forward_chain(trail, user), place, cotangent=cotangent, slope=slope,
        )  # fmt: skip

    def forward_chain(self, trail: Trail, node: Node) -> tuple[str, ...]:
        """The way from an input to a node, and on to the root of a walk."""
        ahead: list[str] = []
        current = node
        while len(ahead) < 1000:
            following = next((n for n in trail.nodes if n.tick > current.tick and current in n.inputs), None)
            if following is None:
                break
            place = following.meta.place if following.meta is not None else None
            title = following.op.name if following.op is not None else "?"
            ahead.append(title if place is None else f"{title} ({short(place)})")
            current = following
        behind = self.history.chain(node)
        return (*behind, *(ahead if len(ahead) < 5 else [*ahead[:2], f"... {len(ahead) - 3} more ...", ahead[-1]]))

    # -- forward mode ------------------------------------------------------------------------------------
    def pushed(self, trail: Trail, seeds: Any, xp: Namespace, found: dict[Node, Any], error: Exception | None) -> None:
        if isinstance(error, AnomalyError) or not self.backward:
            return
        for n in trail.nodes:
            t = plain(found[n]) if n in found else None
            if t is None or not is_bad_value(t, self.infinite):
                continue
            raise self.of_tangent(n, first_part(t, self.infinite), found)

    def of_tangent(self, n: Node, t: Any, found: dict[Node, Any]) -> AnomalyError:
        """The report of a bad tangent."""
        index = first_index(bad_elements(t, self.infinite))
        place = n.meta.place if n.meta is not None else None
        op, args = n.op, [i.data for i in n.inputs]
        at: list[Any] = [None] * len(args)
        tangent = slope = None
        moving = [k for k, i in enumerate(n.inputs) if i in found]
        if op is None or not moving:
            cause = Cause("the direction holds it already", "look at the tangents that were given")
            return report("tangent", None, t, index, cause, [], self.history.chain(n), place, title="a tangent is bad")
        cause = of_slope(op, args, n.data, n.params, moving[0], index, None, None)
        shape = np.shape(n.data) if not op.many else ()
        if not op.many and pointwise(op, shape, args):
            at = [element(a, shape, index) for a in args]
            slopes = {k: slope_at(op, args, n.data, n.params, k, index) for k in moving}
            blame = next((k for k, s in slopes.items() if s is not None and not np.isfinite(s)), moving[0])
            slope, tangent = slopes[blame], element(plain(found[n.inputs[blame]]), shape, index)
            cause = of_slope(op, args, n.data, n.params, blame, index, tangent, None)
        return report(
            "tangent", op.name, t, index, cause, self.operands(n.inputs, at, shape, index), self.history.chain(n),
            place, cotangent=tangent, slope=slope,
        )  # fmt: skip


class Inside(Lines):
    """What a Detective is told of the inside of a walk: lines, the walks in it, and compiled rules.

    A rule may compute an infinity on its way and not use it; its results are looked at when the walk is over.
    """

    walks = programs = True

    def __init__(self, outer: Detective) -> None:
        self.outer = outer
        self.pulled, self.pushed = outer.pulled, outer.pushed  # type: ignore[method-assign]

    def called(self, executable: Any, arrays: Any) -> None:
        checked(executable, arrays, self.outer.infinite, self.outer.forward, self.outer.backward)


def not_chosen(node: Node, index: tuple[int, ...], trail: Trail) -> str | None:
    """The `where` behind a node that does not choose the element at this index, with its line."""
    shape, ahead = np.shape(node.data), {node}
    for n in trail.nodes:
        if n.tick <= node.tick or n.op is None or ahead.isdisjoint(n.inputs) or np.shape(n.data) != shape:
            continue
        if n.op.name == "where":
            chosen = bool(element(n.inputs[0].data, shape, index))
            if n.inputs[2 if chosen else 1] in ahead and n.inputs[1 if chosen else 2] not in ahead:
                place = n.meta.place if n.meta is not None else None
                return "`where`" if place is None else f"`where` ({short(place)})"
        elif pointwise(n.op, shape, [i.data for i in n.inputs]):
            ahead.add(n)
    return None
