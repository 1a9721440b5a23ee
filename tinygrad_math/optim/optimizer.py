"""What every optimiser shares: PyTorch's idiom around a pure rule for one parameter.

`step` runs the rule on the arrays themselves: compiled, it writes into the memory of the parameters and their states
and allocates nothing; few numbers are moved by the rule as it is. `update` runs the same rule on Tensors, so that it
can be traced and differentiated.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..compiler.cache import Compiled
from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, MissingMethod, ShapeError, TraceError, describe
from ..core.mode import no_grad
from ..core.node import finished, inside
from ..core.op import raw
from ..core.tensor import MODE, Tensor, as_tensor, rec
from ..core.tree import Structure, flatten, leaves_like, paths, show, tree_map, unflatten
from ..nn.module import Module, Parameter

State = dict[str, Any]
_SMALL = 4096  # below so many numbers, the way into a compiled program costs more than it saves


class States(list[State]):
    """The states of a tree of parameters, one a leaf; `paths` says of which, whatever the order of the keys."""

    paths: list[str]

    @classmethod
    def at(cls, names: list[str], states: Iterable[State]) -> States:
        made = cls(states)
        made.paths = names
        return made

    def of(self, names: list[str]) -> list[State]:
        """The states in this order of leaves. Raises ArgumentError where they are another tree's."""
        if names == self.paths:
            return self
        by_path = dict(zip(self.paths, self, strict=True))
        if len(names) != len(by_path) or not all(name in by_path for name in names):
            raise ArgumentError(
                f"update: the state of {', '.join(self.paths):.200} for {', '.join(names):.200}: call init(params)"
            )
        return [by_path[name] for name in names]


class Hyper(dict[str, Any]):
    """The numbers of a parameter group by name. `on` are the names of the switches that are on, and of the numbers that
    are not 0: what a rule may decide by, where a number itself may not be known yet."""

    on: frozenset[str] = frozenset()


def hyper(group: Mapping[str, Any]) -> Hyper:
    """The hyperparameters of a group, the numbers as plain floats, which take on the dtype of what they meet."""
    numbers, on = Hyper(), set()
    for name, value in group.items():
        if isinstance(value, bool):
            if value:
                on.add(name)
        elif isinstance(value, (int, float, np.number)):
            numbers[name] = float(value)
            if value:
                on.add(name)
        elif isinstance(value, tuple):
            numbers[name] = tuple(map(float, value))
    numbers.on = frozenset(on)
    return numbers


def checked(asker: str, name: str, value: Any, low: float = 0.0, high: float = math.inf) -> float:
    """A number within its bounds. Raises ArgumentError."""
    if isinstance(value, Tensor) and value.size == 1 and not value.node.live:
        value = value.item()
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise ArgumentError(f"{asker}: {name} is a number from {low:g} to {high:g}, got {value!r:.40}")
    return float(value)


class Optimizer:
    """An update rule for parameters.

    Arguments: `params` a module, an iterable of Tensors, or of groups, dicts with "params" and hyperparameters of
    their own; leave it out to use the pure form only. A Tensor that is given twice is updated once. `defaults` are
    the hyperparameters; they stand in `param_groups`, where they may be changed between steps.

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

    decoupled = False

    @named
    def __init__(self, params: Any = None, **defaults: Any) -> None:
        self.defaults = self._checked(defaults)
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, State] = {}
        self._programs: dict[Any, Callable[..., Any]] = {}
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

    def _checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Hyperparameters within their bounds."""
        name, out = type(self).__name__, dict(given)
        for key in ("lr", "eps", "weight_decay"):
            if key in out:
                out[key] = checked(name, key, out[key])
        if "betas" in out:
            betas = out["betas"]
            if not isinstance(betas, (tuple, list)) or len(betas) != 2:
                raise ArgumentError(f"{name}: betas are two numbers, got {betas!r:.40}")
            out["betas"] = tuple(checked(name, "each of betas", b, high=1 - 1e-16) for b in betas)
        return out

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
        group = {"params": list(dict.fromkeys(listed)), **self.defaults, **self._checked(given)}
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

    def rule(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        raise MissingMethod(f"{type(self).__name__} does not define rule(self, xp, p, g, state, h)")

    def _whole(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        """The rule, and what all rules share, in the dtypes of the parameter and its state."""
        old = p
        if "maximize" in h.on:
            g = -g
        if "weight_decay" in h.on:
            if self.decoupled or "decoupled_weight_decay" in h.on:
                p = p - (h["lr"] * h["weight_decay"]) * p
            else:
                g = g + h["weight_decay"] * p
        new, after = self.rule(xp, p, g, state, h)
        return _alike(xp, new, old), after and {name: _alike(xp, v, state.get(name)) for name, v in after.items()}

    def bare(self) -> Optimizer:
        """An optimiser that has the rule and no parameters, groups or states: what a compiled program closes over."""
        twin = object.__new__(type(self))
        twin.__dict__.update({k: v for k, v in self.__dict__.items() if k not in _OF_A_RUN})
        return twin

    # -- PyTorch's idiom ----------------------------------------------------------------------------
    @named
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or with `set_to_none=False` fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                p._grad = None if set_to_none or p.grad is None else rec.zeros_like(p.grad)

    @named
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient, in place, or none if one of them cannot be.

        A `closure` computes the loss and its gradients first; its result is returned.
        """
        mode = MODE.get()
        if mode is not None and mode.observe is not None:
            raise TraceError(
                "step() changes parameters in place, which a function that is being traced cannot show; "
                "use grads = tm.grad(loss)(params) and opt.update(grads, state, params), and return the new parameters"
            )
        loss = None if closure is None else closure()
        moving = []
        for group in self.param_groups:
            pairs = []
            for p in group["params"]:
                share = getattr(p, "_grad", None)
                if share is None:
                    continue
                a, g = p.node.data, share.node.data
                if g.shape != a.shape or g.dtype is not a.dtype:
                    _check_gradient(a, g)
                pairs.append((p, g))
            a = None  # a name more would look like somebody who needs the old values
            moving.append((pairs, hyper(group)))
        moved = [self._moved(pairs, h) for pairs, h in moving]
        for (pairs, _), made in zip(moving, moved, strict=True):
            for (p, _), (new, state) in zip(pairs, made, strict=True):
                if state:
                    self.state[p] = state
                p._replace(new)
        return loss

    def _moved(self, pairs: Sequence[tuple[Tensor, Any]], h: Hyper) -> list[tuple[Any, State]]:
        """The new values and states of parameters with these gradients, all in one program unless they are small."""
        small, hidden = sum([g.size for _, g in pairs]) < _SMALL, []
        if small and not any(g.dtype.kind == "c" for _, g in pairs):
            return self._by_hand(pairs, h)
        ps: list[Any] = []
        gs: list[Any] = []
        states: list[State] = []
        for p, g in pairs:
            array, state = p.node.data if small else _own(p), self.state.get(p)
            if state is None:
                state = self.start(raw, array, h)
            if array.dtype.kind == "c":  # real and imaginary part move on their own
                array, g, state = _real(array), _real(g), _each(_real, state)
            elif not small:
                hidden.append((len(ps), p))
            ps.append(array)
            gs.append(g)
            states.append(state)
        if small:
            moved = [self._whole(raw, a, g, state, h) for a, g, state in zip(ps, gs, states, strict=True)]
        else:
            array = state = None
            moved = self._alone(hidden, ps, gs, states, h)
        return [
            (_complex(_array(new)), _each(_complex, _each(_array, state)))
            if p.dtype.kind == "c"
            else (_array(new), state and _each(_array, state))
            for (p, _), (new, state) in zip(pairs, moved, strict=True)
        ]

    def _by_hand(self, pairs: Sequence[tuple[Tensor, Any]], h: Hyper) -> list[tuple[Any, State]]:
        """The rule itself, parameter after parameter: for few numbers that is faster than a program."""
        rule = self.rule if h.on.isdisjoint(_SHARED) else self._whole
        known, out = self.state.get, []
        for p, g in pairs:
            a = p.node.data
            state = known(p)
            if state is None:
                state = self.start(raw, a, h)
            new, after = rule(raw, a, g, state, h)
            if new.dtype is not a.dtype:
                new = _alike(raw, new, a)
            if after:
                after = {name: _alike(raw, v, state.get(name)) for name, v in after.items()}
            out.append((new, after))
        return out

    def _alone(
        self, hidden: list[tuple[int, Tensor]], ps: list[Any], gs: list[Any], states: list[State], h: Hyper
    ) -> Any:
        """The program writes into an array that nobody but its arguments knows: meanwhile the parameters let go."""
        if h.on not in self._programs:
            self._programs[h.on] = _Compiled(self, h.on)
        try:
            for _, p in hidden:
                p.node.data = None
                self.state.pop(p, None)
            return self._programs[h.on](ps, gs, states, dict(h))
        finally:
            for k, p in hidden:
                p.node.data, self.state[p] = ps[k], states[k]

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
            raise ShapeError(f"update: gradients {show(flatten(grads)[1])} for parameters {show(structure)}")
        if len(state) != len(leaves):
            raise ArgumentError(
                f"update: the state of {len(state)} parameters for {len(leaves)}; call init(params) first"
            )
        names = paths(structure)
        states = state.of(names) if isinstance(state, States) else state
        given = [(as_tensor(p), as_tensor(g), s) for p, g, s in zip(leaves, gradients, states, strict=True)]
        nodes = [t.node for p, g, s in given for t in (p, g, *s.values()) if isinstance(t, Tensor)]
        h = hyper(self.param_groups[0] if self.param_groups else self.defaults)
        h.update(now)
        rows = [
            self._updated(p, g, s, h) if learns else (p, s)
            for (p, g, s), learns in zip(given, _learning(structure), strict=True)
        ]
        mode = MODE.get()
        if mode is not None and mode.observe is not None:  # what the compiler has to know of them
            made = [t.node for new, s in rows for t in (new, *s.values()) if isinstance(t, Tensor)]
            for node in (*nodes, *made):
                node.more().settled = True
        elif all(map(finished, nodes)) and not any(isinstance(v, Tensor) and v.node.live for v in h.values()):
            rows = [(_leaf_like(p, new), _settled(s)) for (p, _, _), (new, s) in zip(given, rows, strict=True)]
        return unflatten(structure, [new for new, _ in rows]), States.at(names, [s for _, s in rows])

    def _updated(self, p: Tensor, g: Tensor, state: State, h: Hyper) -> tuple[Any, State]:
        _check_gradient(p, g)
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
        loaded: dict[Tensor, State] = {}
        for key, state in states.items():
            if not isinstance(key, int) or not 0 <= key < len(params) or not isinstance(state, Mapping):
                raise ArgumentError(f"{name}: the state has a parameter {key!r:.40}, here there are {len(params)}")
            p = params[key]
            for part, value in state.items():
                if np.ndim(value) and np.shape(value) != p.shape:
                    raise ArgumentError(
                        f"{name}: {part} of parameter {key} is {describe(value)}, the parameter {describe(p)}"
                    )
            loaded[p] = {part: _fitting(value, p) for part, value in state.items()}
        checked_groups = [self._checked(group) for group in rest]
        for group, new in zip(self.param_groups, checked_groups, strict=True):
            group.update(new)
        self.state = loaded

    def __repr__(self) -> str:
        groups = [", ".join(f"{k}={v!r}" for k, v in g.items() if k != "params") for g in self.param_groups]
        return f"{type(self).__name__}({len(self.params)} parameters; {'; '.join(groups)})"


_SHARED = frozenset(("maximize", "weight_decay"))  # what `_whole` sees to, so that a rule need not
_OF_A_RUN = frozenset(("defaults", "param_groups", "state", "_programs"))


class _Compiled:
    """A rule with its switches set, over lists. Compiled, it writes into the arrays of the parameters and their states.

    A rule that looks at values runs as it is.
    """

    def __init__(self, optimizer: Optimizer, on: frozenset[str]) -> None:
        self.optimizer, self.on = optimizer, on
        own = type(optimizer).__module__.startswith(__package__ or "")  # our rules depend on their arguments only
        self.run: Callable[..., Any] = Compiled(self._with(rec), donate_argnums=(0, 2), alone=own)

    def _with(self, xp: Any) -> Callable[..., Any]:
        whole, on = self.optimizer.bare()._whole, self.on

        def rules(ps: Any, gs: Any, states: list[State], numbers: dict[str, Any]) -> Any:
            h = Hyper(numbers)
            h.on = on
            return [whole(xp, p, g, state, h) for p, g, state in zip(ps, gs, states, strict=True)]

        return rules

    def __call__(self, ps: Any, gs: Any, states: list[State], numbers: dict[str, Any]) -> Any:
        try:
            with no_grad():
                return self.run(ps, gs, states, numbers)
        except TraceError:
            self.run = self._with(raw)
            return self.run(ps, gs, states, numbers)


def _each(f: Callable[[Any], Any], state: State) -> State:
    return {name: f(v) for name, v in state.items()}


def _array(x: Any) -> Any:
    return x.node.data if isinstance(x, Tensor) else x


def _own(p: Tensor) -> Any:
    """The array of a parameter, which may be written to: a copy where somebody else looks at it."""
    array = p.node.data
    if not isinstance(array, np.ndarray):
        return np.array(array)
    alone = sys.getrefcount(array) <= _ALONE and array.base is None and array.flags.writeable
    return array if alone else array.copy()


def _references() -> int:
    p = Tensor([0.0])
    array = p.node.data
    return sys.getrefcount(array)


_ALONE = _references()  # what `_own` counts of an array that only its Tensor knows


def _check_gradient(p: Any, g: Any) -> None:
    if g.shape != p.shape:
        raise ShapeError(f"a gradient {describe(g)} for a parameter {describe(p)}")
    if g.dtype.kind == "c" and p.dtype.kind != "c":
        raise DTypeError(f"a gradient {describe(g)} for a parameter {describe(p)}: an imaginary part would be lost")


def _real(x: Any) -> Any:
    if not isinstance(x, np.ndarray) or x.dtype.kind != "c":
        return x
    return np.stack([x.real, x.imag])


def _complex(x: Any) -> Any:
    return x[0] + 1j * x[1] if isinstance(x, np.ndarray) else x


def _copied(x: Any) -> Any:
    return np.array(x) if isinstance(x, np.ndarray) else x


def _fitting(value: Any, p: Tensor) -> Any:
    """A copy of a part of a state, arrays in the parameter's dtype."""
    value = _array(value)
    return np.array(value, p.dtype) if isinstance(value, np.ndarray) and value.shape == p.shape and p.ndim else value


def _alike(xp: Any, new: Any, old: Any) -> Any:
    """A new value in the dtype of the old one."""
    if getattr(new, "dtype", None) is getattr(old, "dtype", None):
        return new
    if not hasattr(old, "dtype") or not hasattr(new, "dtype") or new.dtype == old.dtype or old.dtype.kind not in "fc":
        return new
    if new.dtype.kind == "c" and old.dtype.kind != "c":
        raise DTypeError(f"the rule made {describe(new)} of {describe(old)}: an imaginary part would be lost")
    return xp.astype(new, old.dtype)


def _learning(structure: Structure, within: bool = False) -> Iterator[bool]:
    """For each leaf whether an update moves it: of a module the Parameters that learn, as `step` does."""
    if structure.kind is None:
        yield structure.extra[1] if structure.extra is not None else not within
    for child in structure.children:
        yield from _learning(child, within or getattr(structure.kind, "tree_ties", False))


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
