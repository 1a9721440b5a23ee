"""The reports of what a Detective has found: a bad value, a bad cotangent, a bad tangent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.errors import AnomalyError
from ..core.node import Node
from ..core.op import Op, raw
from ..core.quiet import quietly
from ..core.tensor import select
from ..core.walk import Trail
from .causes import WELL_POSED, Cause, of_value
from .history import History, Operand, asked, operand, place_of, short, variables
from .numbers import bad_elements, element, first_index, first_part, is_bad_value, plain, pointwise, worst
from .report import report
from .slopes import of_slope, slope_at


class Findings:
    """What is known of the values so far, and the errors that tell of it."""

    def __init__(self, infinite: bool) -> None:
        self.infinite, self.history = infinite, History()

    def of_node(self, node: Node, op: Op, inputs: Sequence[Node], params: Any, bad: Any) -> AnomalyError:
        """The report of a bad value, of which `bad` is the array and the index."""
        array, index = bad
        args = [i.data for i in inputs]
        cause, at = of_value(op, args, node.data if not op.many else array, params, index, array[index])
        operands = self.operands(inputs, at, np.shape(array), index)
        within = asked()
        chosen = cause.words.startswith("NaN is in") and self.history.origin(inputs[cause.blame]).title == "where"
        if within and (chosen or op.name == "within"):  # both are how a function marks what has no value
            cause = cause._replace(
                words=f"NaN is what {within} gives for arguments that are not in its domain",
                fix=f"look at the arguments of {within}",
            )
        place = place_of(node)
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
        origin = self.history.origin(node, found)
        name = origin.called(found)
        if name or not node.tick:
            return name or "constant"
        return f"({origin.title})" if origin.place is not None else None

    def ill_posed(self, n: Node, error: Exception) -> AnomalyError:
        """The report of a derivative that an op's rule refused to give."""
        place = place_of(n)
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
        place = place_of(root)
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
        place = place_of(node)
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
        place = place_of(user)
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
            place = place_of(following)
            title = following.op.name if following.op is not None else "?"
            ahead.append(title if place is None else f"{title} ({short(place)})")
            current = following
        behind = self.history.chain(node)
        return (*behind, *(ahead if len(ahead) < 5 else [*ahead[:2], f"... {len(ahead) - 3} more ...", ahead[-1]]))

    def of_tangent(self, n: Node, t: Any, found: dict[Node, Any]) -> AnomalyError:
        """The report of a bad tangent."""
        index = first_index(bad_elements(t, self.infinite))
        place = place_of(n)
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


def not_chosen(node: Node, index: tuple[int, ...], trail: Trail) -> str | None:
    """The `where` behind a node that does not choose the element at this index, with its line."""
    shape, ahead = np.shape(node.data), {node}
    for n in trail.nodes:
        if n.tick <= node.tick or n.op is None or n.op.many or ahead.isdisjoint(n.inputs):
            continue
        if np.shape(n.data) != shape:
            continue
        if n.op.name == "where":
            chosen = bool(element(n.inputs[0].data, shape, index))
            if n.inputs[2 if chosen else 1] in ahead and n.inputs[1 if chosen else 2] not in ahead:
                place = place_of(n)
                return "`where`" if place is None else f"`where` ({short(place)})"
        elif pointwise(n.op, shape, [i.data for i in n.inputs]):
            ahead.add(n)
    return None
