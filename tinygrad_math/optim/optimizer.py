"""What every optimiser shares: PyTorch's idiom around a pure rule for one parameter.

`step` runs the rule on the arrays themselves, in one of the ways of `stepping`. `update` runs the same rule on Tensors,
so that it can be traced and differentiated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import is_
from typing import Any, ClassVar

import numpy as np

from ..compiler.trace import sparing
from ..core.arguments import named, other_words
from ..core.errors import ArgumentError, MissingMethod, ShapeError, TraceError, describe
from ..core.gradients import Gradients
from ..core.mode import watcher, witnesses
from ..core.node import TRACED, Node, clock, finished, inside
from ..core.op import raw, registry
from ..core.tensor import MODE, Tensor, as_tensor, rec, wrap
from ..core.tree import Structure, differing, flatten, leaves_like, paths, show, tree_map, unflatten
from ..core.whole import or_nothing
from ..nn.module import Module
from ..nn.parameter import Parameter
from .settings import Checks, number, pair, switch
from .stepping import (
    Hyper,
    Program,
    Row,
    State,
    alike,
    by_hand,
    by_program,
    check_gradient,
    hyper,
    is_small,
    with_gradients,
)  # fmt: skip

_OURS = f"{__package__}."  # where the rules stand that come with this package


class States(list[State]):
    """The states of a tree of parameters, one a leaf; `paths` says of which, whatever the order of the keys."""

    paths: tuple[str, ...]  # nobody can change them, so that compiled updates need not make them anew at each call

    @classmethod
    def at(cls, names: Sequence[str], states: Iterable[State]) -> States:
        made = cls(states)
        made.paths = tuple(names)
        return made

    def of(self, names: list[str]) -> list[State]:
        """The states in this order of leaves. Raises ArgumentError where they are another tree's."""
        if tuple(names) == self.paths:
            return self
        by_path = dict(zip(self.paths, self, strict=True))
        if len(names) != len(by_path) or not all(name in by_path for name in names):
            raise ArgumentError(
                f"update: the state of {', '.join(self.paths):.200} for {', '.join(names):.200}: call init(params)"
            )
        return [by_path[name] for name in names]


_NO_CHOICE = frozenset(("foreach", "fused", "capturable", "differentiable"))  # of PyTorch's, how a step is computed


def asked_for_slopes(closure: Callable[[], Any]) -> Callable[[], Any]:
    """A closure that leaves gradients in the parameters: one over a cluster records no graph, and has another way."""
    far: Any = closure
    return far.backward if getattr(closure, "far", False) else closure


def _ways_to_compute(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """PyTorch's switches for the way a step is computed: off they are taken, on they are refused in words."""
    if not (args and isinstance(args[0], Optimizer) and f.__name__ == "__init__" and _NO_CHOICE & kwargs.keys()):
        return NotImplemented
    on = sorted(name for name in _NO_CHOICE & kwargs.keys() if kwargs[name])
    if on:
        raise ArgumentError(
            f"{type(args[0]).__name__}: a step is computed in one way; leave {on[0]}=True out "
            "(opt.update(grads, state, params) is differentiable, and compiles)"
        )
    return f(*args, **{k: v for k, v in kwargs.items() if k not in _NO_CHOICE})


other_words.append(_ways_to_compute)


class Optimizer:
    """An update rule for parameters.

    Arguments: `params` a module, an iterable of Tensors, or of groups, dicts with "params" and hyperparameters of
    their own, or of pairs of a name and a Tensor, as `named_parameters` gives; leave it out to use the pure form only.
    A Tensor that is given twice is updated once. `defaults` are the hyperparameters; they stand in `param_groups`,
    where they may be changed between steps.

    Subclasses define `rule(xp, p, g, state, h)`, the new parameter and state, and `start(xp, p, h)`, the state of a
    parameter that has had no step. A rule is written over a namespace: `xp.sqrt` and operators; `h` holds the
    hyperparameters, `h.on` the switches. `maximize` and `weight_decay` are seen to before it is called: the gradient
    is turned round, and weight_decay p added to it, or with `decoupled` taken off p, times lr.

    >>> import tinygrad_math as tm
    >>> class Halving(tm.optim.Optimizer):
    ...     def rule(self, xp, p, g, state, h):
    ...         return p / 2, state
    >>> x = tm.tensor(8.0, requires_grad=True)
    >>> (x * x).backward()
    >>> Halving([x]).step()
    >>> x
    tensor(4., requires_grad=True)
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__init__" in cls.__dict__ and cls.__module__.partition(".")[0] == __name__.partition(".")[0]:
            cls.__init__ = named(cls.__dict__["__init__"])  # type: ignore[method-assign]  # checked alike in every subclass
        rules = cls.start, cls.rule, cls._whole
        cls._ours = all(str(getattr(f, "__module__", "")).startswith(_OURS) for f in rules)

    no_part_of_a_tree = "an optimiser updates the parameters that it was given; keep it beside what it trains"
    _checks: ClassVar[Checks] = {  # of the constructor, of a further group and of what is loaded
        **dict.fromkeys(("lr", "eps", "weight_decay"), number()),
        "betas": pair("two numbers", high=1 - 1e-16),
        **dict.fromkeys(("maximize", "decoupled_weight_decay"), switch),
    }
    decoupled = False
    _elementwise = False  # whether the rule acts on each element alone, in enough steps that few calls of it pay
    _ours = False  # whether the rule is one of this package's, which write to nothing

    @named
    def __init__(self, params: Any = None, **defaults: Any) -> None:
        self.defaults = self._checked(defaults)
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, State] = {}
        self._programs: dict[frozenset[str], Program] = {}
        self._laid: dict[int, tuple[list[Any], State]] = {}  # the states of small groups, laid end to end
        self._known: dict[int, tuple[list[Any], tuple[Hyper, bool]]] = {}  # of each group, what it was
        if params is None:
            return
        listed = params.parameters() if hasattr(params, "parameters") else params
        if isinstance(listed, (Tensor, Mapping)):
            raise ArgumentError(f"an optimiser takes a module or several Tensors: write [p] for {params!r:.60}")
        if not isinstance(listed, Iterable):
            raise ArgumentError(f"an optimiser takes a module or several Tensors, got {describe(params)}")
        found = list(listed)
        if not found:
            raise ArgumentError("an optimiser was given no parameters; was the iterator used up before?")
        for group in found if isinstance(found[0], Mapping) else [{"params": found}]:
            self.add_param_group(group)

    def _checked(self, group: Mapping[str, Any]) -> dict[str, Any]:
        """All hyperparameters of a group, within their bounds. Raises ArgumentError."""
        name, checks = type(self).__name__, self._checks
        return {key: checks[key](name, key, value) if key in checks else value for key, value in group.items()}

    @named
    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """More parameters, with hyperparameters of their own: `{"params": layer, "lr": 0.01}`."""
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise ArgumentError(f'a parameter group is a dict with "params", got {param_group!r:.60}')
        given = dict(param_group)
        listed = given.pop("params")
        listed = (
            [listed] if isinstance(listed, Tensor) else listed.parameters() if isinstance(listed, Module) else listed
        )
        unknown = given.keys() - self.defaults.keys() - {"initial_lr"}
        if unknown:
            raise ArgumentError(
                f"{type(self).__name__} has no {', '.join(sorted(unknown))}, only {', '.join(self.defaults)}"
            )
        settings = self._checked({**self.defaults, **given})
        group = {"params": list(dict.fromkeys(map(_unnamed, listed))), **settings}
        taken = set(map(id, self.params))
        for p in group["params"]:
            if not isinstance(p, Tensor) or not p.is_leaf or not (p.requires_grad or isinstance(p, Parameter)):
                raise ArgumentError(f"an optimiser updates leaf Tensors that require a gradient, got {p!r:.80}")
            if id(p) in taken:
                raise ArgumentError(f"{p.name or describe(p)} is in another parameter group already")
        self.param_groups.append(group)

    @property
    def params(self) -> list[Tensor]:
        """All parameters, group after group."""
        return [p for group in self.param_groups for p in group["params"]]

    def start(self, xp: Any, p: Any, h: Hyper) -> State:
        return {}

    def _rate(self, h: Hyper) -> Any:
        """The number lr of a rule that is p - lr g and nothing more; of others None."""
        return None

    def rule(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        raise MissingMethod(f"{type(self).__name__} does not define rule(self, xp, p, g, state, h)")

    def _whole(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        """The rule, and what all rules share, in the dtypes of the parameter and its state."""
        if xp is rec and self._ours:  # a rule of ours reads no values
            with sparing(g, (p, g, *state.values())):
                return self._in_whole(xp, p, g, state, h)
        return self._in_whole(xp, p, g, state, h)

    def _in_whole(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        if p.dtype.kind == "c":
            return self._by_parts(xp, p, g, state, h)
        old = p
        if "maximize" in h.on:
            g = -g
        if "weight_decay" in h.on:
            if self.decoupled or "decoupled_weight_decay" in h.on:
                p = p - (h["lr"] * h["weight_decay"]) * p
            else:
                g = g + h["weight_decay"] * p
        new, after = self.rule(xp, p, g, state, h)
        return alike(xp, new, old), after and {name: alike(xp, v, state.get(name)) for name, v in after.items()}

    def _by_parts(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        """The rule of a complex parameter: its real and its imaginary part move on their own."""

        def parts(x: Any) -> Any:
            return xp.stack([xp.real(x), xp.imag(x)]) if _is_complex(x) else x

        def whole(x: Any, old: Any) -> Any:
            return alike(xp, x[0] + 1j * x[1], old) if _is_complex(old) else x

        g = g if _is_complex(g) else xp.astype(g, p.dtype)
        new, after = self._whole(xp, parts(p), parts(g), {name: parts(v) for name, v in state.items()}, h)
        return whole(new, p), {name: whole(v, state.get(name)) for name, v in after.items()}

    def bare(self) -> Optimizer:
        """An optimiser that has the rule and no parameters, groups or states: what a compiled program closes over."""
        twin = object.__new__(type(self))
        twin.__dict__.update({k: v for k, v in self.__dict__.items() if k not in _OF_A_RUN})
        return twin

    # -- PyTorch's idiom ----------------------------------------------------------------------------
    @named
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or with `set_to_none=False` fill them with zeros."""
        with Gradients.lock:
            for group in self.param_groups:
                for p in group["params"]:
                    p._grad = None if set_to_none or p.grad is None else rec.zeros_like(p.grad)

    @named
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient, in place, or none if one of them cannot be.

        A `closure` computes the loss and its gradients first; its result is returned.
        """
        if MODE.innermost() is not None and watcher() is not None:
            raise TraceError(
                "step() changes parameters in place, which a function that is being traced cannot show; "
                "use grads = tm.grad(loss)(params) and opt.update(grads, state, params), and return the new parameters"
            )
        loss = None if closure is None else asked_for_slopes(closure)()
        moved: list[Row] = []
        large = []
        for k, group in enumerate(self.param_groups):
            h, small = self._numbers(k, group)
            if small:
                moved += by_hand(self, group["params"], h)
            else:
                large.append((with_gradients(group["params"]), h))
        for pairs, h in large:  # last, as a program writes into its arguments
            moved += by_program(self, pairs, h)
        if MODE.innermost() is not None:
            for witness in witnesses():
                for p, new, _ in moved:
                    witness.stepped(self, p, p.grad, new)
        states, now = self.state, clock()
        try:
            for p, new, state in moved:
                if state:
                    states[p] = state
                node = p.node
                meta = node.meta
                if meta is None or meta.window is not None:
                    p._replace(new)
                else:  # the same, where the user holds no array of it
                    node.data, meta.changed = new, now
        except BaseException:  # Ctrl-C between two parameters: the step is taken as a whole
            for p, new, state in moved:
                if state:
                    states[p] = state
                p._replace(new)
            raise
        return loss

    def _numbers(self, k: int, group: Mapping[str, Any]) -> tuple[Hyper, bool]:
        """The numbers of a group, and whether it is small: as they were, unless one was changed."""
        known = self._known.get(k)
        if known is not None and len(known[0]) == len(group) and all(map(is_, group.values(), known[0])):
            return known[1]
        found = hyper(group), is_small(group["params"])
        if self._ours:
            self._known[k] = [*group.values()], found
        return found

    # -- the same maths, pure -----------------------------------------------------------------------
    def init(self, params: Any) -> list[State]:
        """The state for a tree of parameters: a list of one dict a leaf, which knows the paths of the leaves."""
        h = hyper(self.param_groups[0] if self.param_groups else self.defaults)
        leaves, structure = flatten(params)
        return States.at(paths(structure), [self.start(rec, as_tensor(p), h) for p in leaves])

    def update(self, grads: Any, state: list[State], params: Any, **now: Any) -> tuple[Any, list[State]]:
        """New parameters and state; nothing is changed in place.

        Arguments: `grads` a tree like `params`, dicts by their keys in any order; `state` from `init` or the last
        call, by the paths of the leaves (a plain list: in their order); `now`
        hyperparameters in the place of the first group's, as the lr of a schedule: in a compiled function they are
        arguments. Returns a tree like `params`, for a module a module, and the state. Parameters that are
        held fixed stay so.

        What comes back are leaves, which require a gradient as the parameters did, so that a loop keeps no history. A
        transform that is running differentiates through the update, and so does `backward` where the gradients were
        made with `create_graph`, or where a step size or the like requires a gradient.
        """
        leaves, structure = flatten(params)
        gradients = leaves_like(grads, structure, strict=True)
        if gradients is None:
            raise ShapeError(f"update: for parameters {show(structure)} the gradients {differing(grads, structure)}")
        if len(state) != len(leaves):
            raise ArgumentError(
                f"update: the state of {len(state)} parameters for {len(leaves)}; call init(params) first"
            )
        names = paths(structure)
        states = state.of(names) if isinstance(state, States) else state
        given = [(as_tensor(p), as_tensor(g), s) for p, g, s in zip(leaves, gradients, states, strict=True)]
        nodes = [t.node for p, g, s in given for t in (p, g, *s.values()) if isinstance(t, Tensor)]
        h = hyper(self.param_groups[0] if self.param_groups else self.defaults)
        h.update({name: _of_its_own(v) for name, v in now.items()})
        rows = [
            self._updated(p, g, s, h) if learns else (p, s)
            for (p, g, s), learns in zip(given, learning(structure), strict=True)
        ]
        mode, kept = MODE.get(), False
        numbers = [v.node for v in h.values() if isinstance(v, Tensor)]
        if mode is not None and mode.observe is not None:  # what the compiler has to know of them
            for node in numbers:
                node.more().number = True
            made = [t.node for new, s in rows for t in (new, *s.values()) if isinstance(t, Tensor)]
            for node in (*nodes, *made):
                node.more().settled = True
        elif not all(map(finished, nodes)) or any(n.live for n in numbers):
            kept = True
        else:
            rows = [(_leaf_like(p, new), _settled(s)) for (p, _, _), (new, s) in zip(given, rows, strict=True)]
        params = unflatten(structure, [new for new, _ in rows], "attached" if kept else True)
        return params, States.at(names, [s for _, s in rows])

    def _updated(self, p: Tensor, g: Tensor, state: State, h: Hyper) -> tuple[Any, State]:
        check_gradient(p, g)
        return self._whole(rec, p, g, state, h)

    # -- saving -------------------------------------------------------------------------------------
    def state_dict(self) -> dict[str, Any]:
        """The states by number of the parameter, and the groups, with numbers in the place of parameters; copies."""
        number = {p: k for k, p in enumerate(self.params)}
        groups = [{**group, "params": [number[p] for p in group["params"]]} for group in self.param_groups]
        states = {number[p]: tree_map(_copied, state) for p, state in self.state.items() if p in number}
        return {"state": states, "param_groups": groups}

    @named
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken, with as many parameters of the same shapes.

        Raises ArgumentError, and then nothing has changed.
        """
        name, params = type(self).__name__, self.params
        try:
            states, groups = dict(state_dict["state"]), list(state_dict["param_groups"])
            sizes = [len(group["params"]) for group in groups]
            rest = [{k: v for k, v in group.items() if k != "params"} for group in groups]
        except (KeyError, TypeError, AttributeError) as error:
            raise ArgumentError(f"{name}: this is no state of an optimiser: {error!r:.60}") from error
        if sizes != [len(group["params"]) for group in self.param_groups]:
            raise ArgumentError(f"{name}: a state of groups of {sizes} parameters, here there are {len(params)}")
        lacking = sorted({key for key in self.defaults for group in rest if key not in group})
        if lacking:
            raise ArgumentError(f"{name}: this is the state of another optimiser, which has no {', '.join(lacking)}")
        checked_groups = [self._checked(group) for group in rest]
        numbers = [hyper(new) for size, new in zip(sizes, checked_groups, strict=True) for _ in range(size)]
        loaded: dict[Tensor, State] = {}
        for key, state in states.items():
            if not isinstance(key, int) or not 0 <= key < len(params) or not isinstance(state, Mapping):
                raise ArgumentError(f"{name}: the state has a parameter {key!r:.40}, here there are {len(params)}")
            p = params[key]
            fresh = self.start(raw, p.node.data, numbers[key])
            loaded[p] = _like_fresh(self._read(state), fresh, p, f"{name}: parameter {key}")
        or_nothing([*self.param_groups, vars(self)], self._take, checked_groups, loaded)

    def _take(self, groups: Sequence[Mapping[str, Any]], state: dict[Tensor, State]) -> None:
        for group, new in zip(self.param_groups, groups, strict=True):
            group.update(new)
        self.state = state

    def _read(self, state: Mapping[str, Any]) -> Mapping[str, Any]:
        """A parameter's state of a file, with what PyTorch's states leave out."""
        return state

    def __repr__(self) -> str:
        groups = [", ".join(f"{k}={v!r}" for k, v in g.items() if k != "params") for g in self.param_groups]
        return f"{type(self).__name__}({len(self.params)} parameters; {'; '.join(groups)})"


_OF_A_RUN = frozenset(("defaults", "param_groups", "state", "_programs", "_known", "_laid"))


def _of_its_own(value: Any) -> Any:
    """A number of an update that is differentiated under a node of its own, by which it is told from a parameter."""
    if not isinstance(value, Tensor) or not value.node.live or value.node.live & TRACED or watcher() is not None:
        return value
    node = Node(value.node.data, registry["alias"], (value.node,), live=value.node.live)
    node.more().number = True
    return wrap(node)


def _unnamed(p: Any) -> Any:
    """A parameter, of a pair with its name too."""
    return p[1] if isinstance(p, tuple) and len(p) == 2 and isinstance(p[0], str) else p


def _is_complex(x: Any) -> bool:
    return getattr(getattr(x, "dtype", None), "kind", "") == "c"


def _copied(x: Any) -> Any:
    return np.array(x) if isinstance(x, np.ndarray) else x


def _like_fresh(state: Mapping[str, Any], fresh: State, p: Tensor, title: str) -> State:
    """A copy of a parameter's state, which has the parts that a rule starts with, each of numbers of its shape.

    What a rule of the user's adds to these is taken as it is.
    """
    lacking = [part for part in fresh if part not in state]
    if lacking:
        raise ArgumentError(f"{title} ({describe(p)}) has no {', '.join(lacking)} in this state")
    return {part: _fitting(value, part in fresh, p, f"{title}: {part}") for part, value in state.items()}


def _fitting(value: Any, of_rule: bool, p: Tensor, title: str) -> Any:
    """A copy of a part of a state, arrays in the parameter's dtype; of another library's arrays too."""
    value = value.node.data if isinstance(value, Tensor) else value
    if not isinstance(value, (np.ndarray, np.generic)) and hasattr(value, "__array__"):
        value = np.asarray(value)
        value = value if value.ndim else value.item()
    kind = np.asarray(value).dtype.kind
    numeric = kind in "biufc"
    if (of_rule and not numeric) or (kind == "c" and p.dtype.kind != "c"):
        raise ArgumentError(f"{title} is {describe(value)}, where numbers as those of {describe(p)} are meant")
    if np.ndim(value) and np.shape(value) != p.shape:
        raise ArgumentError(f"{title} is {describe(value)}, the parameter {describe(p)}")
    return np.array(value, p.dtype) if np.ndim(value) and numeric else value


def learning(structure: Structure, within: bool = False) -> Iterator[bool]:
    """For each leaf whether an update moves it: of a module the Parameters that learn, as `step` does."""
    if structure.kind is None:
        yield structure.extra[1] if structure.extra is not None else not within
    for child in structure.children:
        yield from learning(child, within or getattr(structure.kind, "tree_ties", False))


def _settled(state: State) -> State:
    return {k: v.detach() if isinstance(v, Tensor) and not inside(v.node) else v for k, v in state.items()}


def _leaf_like(p: Tensor, new: Any) -> Any:
    """The new value as a leaf that requires a gradient if p does, under its name."""
    if new is p or inside(new.node):
        return new
    leaf = new.detach()
    if not p.requires_grad:
        return leaf
    leaf = type(p)._from_tree(leaf, True, True) if isinstance(p, Parameter) else leaf.requires_grad_()
    leaf.name = p.name
    return leaf
