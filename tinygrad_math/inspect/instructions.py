"""The first NaN or infinity of a compiled function: what it recorded is run again, instruction by instruction.

First the instructions as the function was written, which know the user's ops and lines; then those of the program that
the compiler has made of them, which may go other ways. Neither run draws from a random stream, nor changes anything.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..compiler.derivatives import Recording
from ..compiler.executable import Executable
from ..compiler.passes.loops import step_of
from ..compiler.program import as_weak
from ..compiler.trace import Odd
from ..core.errors import AnomalyError, IllPosedDerivative
from ..core.op import Op, raw, registry
from ..core.place import Place
from ..core.quiet import quietly
from ..transforms.loops.loop import Loop
from .causes import WELL_POSED, Cause, of_value
from .history import Operand, operand, short, shortened
from .numbers import bad_elements, element, first_index, first_part, is_bad_value, pointwise, worst
from .report import report
from .slopes import of_slope


def checked(executable: Executable, arrays: Sequence[Any], infinite: bool, forward: bool, backward: bool) -> None:
    """Raise AnomalyError for the first bad number that a compiled function makes of these arrays."""
    title = executable.program.name
    for odd in executable.traced.odd if forward else ():
        bad = None if odd.place is not None and odd.place.prefix else worst(odd.op, odd.args, odd.value, infinite)
        if bad is not None:
            raise _of_constants(odd, *bad, title)
    Listing(executable.recording, title).run(arrays, infinite, forward, backward)
    Listing(Recording(executable.program), title, made=True).run(arrays, infinite, forward, backward)


def _of_constants(odd: Odd, array: Any, index: tuple[int, ...], title: str) -> AnomalyError:
    """The error for what was made of constants, when the function was traced."""
    value = odd.value if not odd.op.many else array
    cause, at = of_value(odd.op, odd.args, value, odd.params, index, array[index])
    shown = [operand(a, "constant", v, np.shape(array), index) for a, v in zip(odd.args, at, strict=True)]
    chain = ["constant", odd.op.name if odd.place is None else f"{odd.op.name} ({short(odd.place)})"]
    return report("forward", odd.op.name, array, index, cause, shown, chain, odd.place, program=title)


class Listing:
    """The values of one run of a recording: those of arguments and constants, and then those of its instructions."""

    def __init__(self, recording: Recording, title: str, made: bool = False) -> None:
        self.recording, self.title = recording, title
        self.made = made  # whether the compiler made these instructions, which may overflow on a way that is not taken
        self.first = recording.arguments + len(recording.constants)  # the number of the first instruction's value
        self.values: list[Any] = []

    def run(self, arrays: Sequence[Any], infinite: bool, forward: bool, backward: bool) -> None:
        """Compute all values, and raise for the first one that is bad.

        A rule may compute an infinity and not use it: what a derivative makes is bad where it leaves that derivative.
        Of what the compiler has made of a program, only what reaches a result is.
        """
        recording = self.recording
        values = self.values = [*arrays, *recording.constants]
        suspects: dict[int, tuple[Any, tuple[int, ...]]] = {}
        with _kept_streams(recording.steps):
            for k, (op, operands, params) in enumerate(recording.steps):
                assert op is not None
                args = [values[i] for i in operands]
                try:
                    y = quietly(op.forward, *args, **params)
                except IllPosedDerivative as error:
                    raise self.ill_posed(k, error) from error
                values.append(as_weak(y) if recording.weak[k] else y)
                bad = worst(op, args, y, infinite)
                if bad is None:
                    continue
                if isinstance(op, Loop) and not self.made:
                    self.within(op, args, infinite, forward, backward)
                ahead = self.phase(k) == "forward"
                if ahead and forward and not self.made:
                    raise self.report(k, *bad)
                if forward if ahead else backward:
                    suspects[k] = bad
        for k, bad in suspects.items():
            final = self.leaves(k, infinite)
            if final is not None:
                raise self.report(k, *bad, None if self.phase(k) == "forward" else final)

    def within(self, loop: Loop, args: Sequence[Any], infinite: bool, forward: bool, backward: bool) -> None:
        """Raise for the first bad number that a step of a loop makes."""
        step = Recording(step_of(loop))
        for t, given, _ in loop.steps(args):
            try:
                Listing(step, self.title).run(given, infinite, forward, backward)
            except AnomalyError as error:
                error.add_note(f"in {loop.how.title}, step {t}{f' of {loop.how.length}' if loop.how.length else ''}")
                raise

    def ill_posed(self, k: int, error: Exception) -> AnomalyError:
        """The report of a derivative that an op's rule refused to give."""
        op, operands, _ = self.recording.steps[k]
        place: Place | None = self.recording.places[k]
        name = place.op if place is not None and place.op else op.name if op is not None else "?"
        cause = Cause(f"an ill-posed derivative: {error}", WELL_POSED)
        shown = [self.operand(i, None, (), ()) for i in operands]
        return report(
            "backward", name, None, None, cause, shown, shortened(self.chain(self.first + k)), place,
            title=f"the derivative of {name} does not exist", program=self.title, ill_posed=True,
        )  # fmt: skip

    def leaves(self, k: int, infinite: bool) -> int | None:
        """The last value on the way of a bad one out of the derivative of one op that is still bad; None if none is."""
        group, reached, last = self.group(k), {self.first + k}, None
        if self.first + k in self.recording.results:
            last = k
        for j in range(k + 1, len(self.recording.steps)):
            inside = self.made or self.group(j) == group
            if reached.isdisjoint(self.recording.steps[j][1]):
                continue
            if not inside:
                last = max(i for i in self.recording.steps[j][1] if i in reached) - self.first
                break
            if is_bad_value(self.values[self.first + j], infinite):
                reached.add(self.first + j)
                if self.first + j in self.recording.results:
                    last = j
        return last

    def group(self, k: int) -> Any:
        """What an instruction is a part of: the derivative of one op on one line."""
        place = self.recording.places[k]
        return None if place is None else (place.file, place.line, place.op)

    def phase(self, k: int) -> str:
        place = self.recording.places[k]
        prefix = place.prefix if place is not None else ""
        return "tangent" if prefix.startswith("tangent") else "backward" if prefix else "forward"

    def report(self, k: int, array: Any, index: tuple[int, ...], final: int | None = None) -> AnomalyError:
        """The error for instruction k: in the words of the op that the user wrote, if this is the derivative of one."""
        op, operands, params = self.recording.steps[k]
        assert op is not None
        place: Place | None = self.recording.places[k]
        phase = self.phase(k)
        if final is not None:
            known = self.derivative(k, final)
            if known is not None:
                return known
        args = [self.values[i] for i in operands]
        cause, at = of_value(
            op, args, self.values[self.first + k] if not op.many else array, params, index, array[index]
        )
        title = None
        if place is not None and place.op and place.op != op.name:
            kind = "NaN" if np.isnan(array[index]) else "an infinity"
            title = f"the {place.prefix.split()[0]} of {place.op} made {kind} in {op.name}"
        chain = shortened(self.chain(self.first + k, cause.blame))
        shown = [self.operand(i, v, np.shape(array), index) for i, v in zip(operands, at, strict=True)]
        name = place.op if place is not None and place.op else op.name
        return report(phase, name, array, index, cause, shown, chain, place, title=title, program=self.title)

    def derivative(self, k: int, final: int) -> AnomalyError | None:
        """The error for an instruction of a derivative whose op stands in this program too, and is to blame for it.

        `final` is the instruction by which the bad number leaves the derivative.
        """
        place: Place = self.recording.places[k]
        array = np.asarray(first_part(self.values[self.first + final], True))
        index = first_index(bad_elements(array))
        group = [j for j in range(final + 1) if self.group(j) == self.group(k)]
        best = None
        for op, operands, params, y in self.candidates(k, group):
            args = [self.values[i] for i in operands]
            found = _bad_slope(op, args, y, params, index if np.shape(array) == np.shape(y) else None)
            if found is None:
                continue
            best = best or (op, operands, params, y, args, found)
            if any(_same(self.values[self.first + j], found[2]) for j in group):  # it was computed here
                best = op, operands, params, y, args, found
                break
        if best is None:
            return None
        op, operands, params, y, args, (argument, own, slopes) = best
        unchosen = self.not_chosen(y, own) or self.cut_off(np.shape(y), own)
        cause = of_slope(op, args, y, params, argument, own, 0.0 if unchosen else None, unchosen)
        at = [element(a, np.shape(y), own) for a in args]
        shown = [self.operand(i, v, np.shape(y), own) for i, v in zip(operands, at, strict=True)]
        chain = shortened([*self.chain(operands[argument]), f"{op.name} ({short(place._replace(prefix=''))})"])
        return report(
            self.phase(k), op.name, array, index, cause, shown, chain, place, slope=slopes[own], program=self.title
        )

    def candidates(self, k: int, group: Sequence[int]) -> Iterator[tuple[Op, Sequence[int], Any, Any]]:
        """What the op may be of whose derivative instruction k is a part: its operands, parameters and result.

        It stands in the program, or its result was needed by nobody: then its operands are among what the derivative
        reads, and it is computed again.
        """
        place, steps = self.recording.places[k], self.recording.steps
        for j, (op, operands, params) in enumerate(steps[:k]):
            where = self.recording.places[j]
            if op is not None and op.name == place.op and not where.prefix and where[:2] == place[:2]:
                yield op, operands, params, self.values[self.first + j]
        op = registry.get(place.op)
        if op is None or op.kind != "elementwise" or op.arity is None or op.arity > 2:
            return
        read = dict.fromkeys(i for j in group if self.phase(j) != "forward" for i in steps[j][1])
        given = [i for i in read if i < self.first or self.phase(i - self.first) == "forward"]
        for operands in itertools.permutations(given[:6], op.arity):
            args = [self.values[i] for i in operands]
            try:
                y = quietly(op.forward, *args)
            except Exception:  # these were no arguments of it
                continue
            yield op, operands, {}, y

    def cut_off(self, shape: tuple[int, ...], index: tuple[int, ...]) -> str | None:
        """The `where` whose derivative gives 0 to the element at this index, with its line."""
        for k, place in enumerate(self.recording.places):
            if place is not None and place.prefix and place.op in ("where", "keep"):
                value = self.values[self.first + k]
                if np.shape(value) == shape and np.asarray(value)[index] == 0:
                    return f"`where` ({short(place._replace(prefix=''))})"
        return None

    def not_chosen(self, y: Any, index: tuple[int, ...]) -> str | None:
        """The `where` behind a value that does not choose the element at this index, with its line."""
        shape, ahead = np.shape(y), {i for i, value in enumerate(self.values) if value is y}
        for k in range(len(self.recording.steps)):
            op, operands, _ = self.recording.steps[k]
            if op is None or ahead.isdisjoint(operands) or np.shape(self.values[self.first + k]) != shape:
                continue
            if op.name == "where":
                chosen = bool(element(self.values[operands[0]], shape, index))
                if operands[2 if chosen else 1] in ahead and operands[1 if chosen else 2] not in ahead:
                    place = self.recording.places[k]
                    return "`where`" if place is None else f"`where` ({short(place)})"
            elif pointwise(op, shape, [self.values[i] for i in operands]):
                ahead.add(self.first + k)
        return None

    # -- names -------------------------------------------------------------------------------------------
    def name(self, i: int) -> str | None:
        """What to call a value: by its name, or by the op that made it."""
        if i >= self.first:
            op = self.recording.steps[i - self.first][0]
            return self.recording.names[i] or f"({op.name if op is not None else '?'})"
        return self.recording.names[i] or ("constant" if i >= self.recording.arguments else f"argument {i}")

    def operand(self, i: int, value: Any, shape: tuple[int, ...], index: tuple[int, ...]) -> Operand:
        return operand(self.values[i], self.name(i), value, shape, index)

    def chain(self, i: int, blame: int = 0) -> list[str]:
        """The way from an argument to a value, a text a step."""
        steps: list[str] = []
        while i >= self.first and len(steps) < 1000:
            op, operands, _ = self.recording.steps[i - self.first]
            place, name = self.recording.places[i - self.first], self.recording.names[i]
            title = f"{name}: {op.name}" if name and op is not None else op.name if op is not None else "?"
            steps.append(title if place is None else f"{title} ({short(place)})")
            if not operands:
                break
            chosen = [*operands[blame : blame + 1], *sorted(operands, reverse=True)] if not steps[1:] else operands
            i = next(
                (o for o in chosen if o >= self.first), next((o for o in chosen if o < self.recording.arguments), -1)
            )
        if 0 <= i < self.first:
            steps.append(self.name(i) or "")
        return steps[::-1]


def _bad_slope(
    op: Op, args: Sequence[Any], y: Any, params: Any, index: tuple[int, ...] | None
) -> tuple[int, tuple[int, ...], Any] | None:
    """An argument of an elementwise op by which its derivative is not finite, where, and that derivative everywhere."""
    if op.vjp is None or not pointwise(op, np.shape(y), args):
        return None
    need = tuple(np.asarray(a).dtype.kind in "fc" for a in args)
    try:
        found = quietly(op.vjp, raw, need, np.ones_like(y), y, *args, **params)
    except Exception:  # a rule that does not like these values is no help here
        return None
    for k, slopes in enumerate(found):
        if slopes is None or np.asarray(slopes).dtype.kind not in "fc":
            continue
        whole = np.broadcast_to(np.asarray(slopes), np.shape(y))
        bad = bad_elements(whole)
        if index is not None and bad[index]:
            return k, index, whole
        if bad.any():
            return k, first_index(bad), whole
    return None


def _same(a: Any, b: Any) -> bool:
    return not isinstance(a, (tuple, list)) and np.array_equal(
        np.asarray(a), b, equal_nan=np.asarray(a).dtype.kind in "fc"
    )


@contextmanager
def _kept_streams(steps: Iterable[Any]) -> Iterator[None]:
    """Random streams that instructions draw from stand afterwards where they stood."""
    streams = {id(g): g for op, _, p in steps for g in _generators(op, p)}
    states = [(s, copy.deepcopy(s.state)) for s in streams.values()]
    try:
        yield
    finally:
        for stream, state in states:
            stream.state = state


def _generators(op: Any, params: Any) -> list[Any]:
    """The generators that an instruction draws from; of a loop those of its steps."""
    loop = getattr(op, "loop", op)
    if isinstance(loop, Loop):
        bodies = [loop.body, *([] if loop.condition is None else [loop.condition])]
        return [g for body in bodies for s in body.steps for g in _generators(s.op, s.params)]
    return [params["generator"]] if getattr(op, "random", False) else []
