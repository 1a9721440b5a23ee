"""The text of an explanation."""

from __future__ import annotations

import re
from collections import deque
from typing import Any

import numpy as np

from ..core.quiet import quietly
from ..formulas.notation import brackets, latex, write_number
from ..formulas.terms import ONE, ZERO, Formula, add, symbol
from ..formulas.tracing import branch_of, opened, shape_of
from .document import Block, Document, Equation, Equations, Heading, Inline, Math, Paragraph
from .naming import width
from .paths import STEPS, Path, Situation, Step, quotient
from .plain import text_of
from .routes import Hop, arrived, operands
from .rules import is_choice
from .values import entries_latex, matrix_latex, short, value_is_short, value_latex, valued

_ROWS = 24  # values that are listed
_SMALL = 6  # elements of a constant that is shown in full


class Telling:
    """Writes what paths say about a derivative."""

    def __init__(
        self,
        situation: Situation,
        paths: tuple[Path, ...],
        gradient: Any,
        said: str,
        limit: int,
        entries: bool,
        remark: tuple[Inline, ...],
    ) -> None:
        self._situation, self.paths, self.gradient, self._said = situation, paths, gradient, said
        self._limit, self._entries, self._remark = limit, entries, remark

    def document(self) -> Document:
        s = self._situation
        root, target = (Math(latex(s.names.formula(n))) for n in (s.root, s.target))
        blocks: list[Block] = [Paragraph(self._remark)] if self._remark else []
        if np.iscomplexobj(s.target.data):
            direction = r"\frac{\partial}{\partial a} + \mathrm{i} \frac{\partial}{\partial b}"
            number = Math(r"a + \mathrm{i} b")
            blocks.append(Paragraph(("The derivative in a complex number ", number, " is ", Math(direction), ".")))
        if not self.paths:
            blocks.append(
                Paragraph((root, " was not made of ", target, ": no path leads there, and the derivative is 0."))
            )
            return Document((Math(self._situation.whole), " by the chain rule"), blocks)
        if s.root is s.target:
            blocks.append(Paragraph((root, " is ", target, " itself: the derivative is 1.")))
            return Document((Math(self._situation.whole), " by the chain rule"), blocks)
        paths: list[Block] = []
        for k, p in enumerate(self.paths):
            paths += self._told(k, p)
        total = self._sum()
        blocks += self._given()
        blocks.append(self._counted(root, target))
        blocks += [*paths, *total, *self._laws()]
        return Document((Math(self._situation.whole), " by the chain rule"), blocks)

    def _counted(self, root: Math, target: Math) -> Paragraph:
        count, shown = sum(p.ways for p in self.paths), len(self.paths)
        if count == 1:
            return Paragraph(("One path leads from ", target, " to ", root, "."))
        start = (f"{number_word(count)} paths lead from ", target, " to ", root)
        if shown == count:
            return Paragraph((*start, "; the derivative is the sum over them."))
        where = "at the values that all of them pass" if shown == 1 else "by their last step"
        return Paragraph((*start, f". They are merged {where}."))

    def _given(self) -> list[Block]:
        """What was computed, as far as it is spoken of."""
        names = self._situation.names
        spoken = [n for p in self.paths for step in self._shown(p) for n in (step.start, step.end)]
        found = dict.fromkeys(spoken)
        queue = deque(found)
        reached = self._situation.region.reached
        elided = any(len(p.told) > len(self._shown(p)) for p in self.paths)
        while queue and len(found) < 3 * _ROWS:
            n = queue.popleft()
            for i in operands(n) if n.op is not None else ():
                left_out = elided and i in names.letters and i in reached  # a step of a path that is not shown
                if i not in found and (i.op is not None or i in names.known) and not left_out:
                    found[i] = None
                    if i not in names.named or i.op is None:
                        queue.append(i)
        rows = []
        for n in sorted(found, key=lambda n: n.tick):
            if n not in names.named and n not in names.letters:
                continue
            made = names.definition(n)
            rights = [] if made is None else [latex(made)]
            value = value_latex(n.data) if not isinstance(n.data, tuple) else ""
            if np.ndim(n.data) and value.startswith(r"\text{shape"):
                rows.append(Equation(latex(names.formula(n)), tuple(rights), short(n.data)))
            else:
                rows.append(Equation(latex(names.formula(n)), tuple(dict.fromkeys((*rights, value)))))
        for data, formula in names.constants:
            if not np.size(data):  # nothing is seen of it
                continue
            rows.insert(
                0, Equation(latex(formula), () if np.size(data) > _SMALL else (value_latex(data),), short(data))
            )
        if len(rows) > _ROWS:
            left = len(rows) - _ROWS
            rows = [*rows[: _ROWS // 2], Equation(r"\vdots", (), f"{left:,} more"), *rows[-_ROWS // 2 :]]
        return [Heading(("What was computed",)), Equations(tuple(rows))] if rows else []

    def _shown(self, p: Path) -> list[Step]:
        steps = list(p.told)
        return steps if len(steps) <= STEPS + 2 else [*steps[: STEPS // 2], *steps[-STEPS // 2 :]]

    def _told(self, k: int, p: Path) -> list[Block]:
        ways = (f" ({p.ways:,} ways)",) if p.ways > 1 else ()
        several = len(self.paths) > 1
        heading = Heading((f"Path {k + 1}: " if several else "The path: ", Math(r" \to ".join(p.latex_names)), *ways))
        rows = self._numbers(p) if p.single else self._cotangents(p)
        blocks: list[Block] = [heading, Equations(tuple(rows))]
        if self._entries:
            blocks += self._tables(p)
        for step in reversed(self._shown(p)[-3:]):
            for hop in step.hops:
                if not hop.positions and hop.ways > 1 and self._situation.scalar:
                    blocks += self._inside(p, hop)
        return blocks

    def _numbers(self, p: Path) -> list[Equation]:
        """For numbers: each local derivative in symbols and in numbers, and their product."""
        rows, left = [], len(p.told) - len(self._shown(p))
        for j, step in enumerate(reversed(self._shown(p))):
            if left and j == STEPS // 2:
                rows.append(Equation(r"\vdots", (), f"{left:,} more steps"))
            if not step.single:
                rows.append(Equation(step.symbol, (p.unit or "",), step.rule))
                continue
            number, told = write_number(step.value), step.latex
            rights = (number,) if told is None or told == number else (told, number)
            rows.append(Equation(step.symbol, rights, step.rule))
        value = value_latex(p.value.node.data)
        if left:
            rows.append(Equation(self._situation.whole, (value,), "the product of all steps"))
        elif len(p.told) > 1:
            symbols = r" \cdot ".join(step.symbol for step in reversed(p.told))
            note = "" if width(symbols) <= 40 else "their product"
            numbers = [write_number(step.value) for step in reversed(p.factors)] + ([p.unit] if p.unit else [])
            product = r" \cdot ".join(f"({n})" if n.startswith("-") and j else n for j, n in enumerate(numbers))
            written = self._product(p)
            rights = (product,) if written is None or written == product else (written, product)
            if note:
                symbols = self._situation.whole if len(self.paths) == 1 else r"\text{product}"
            rows.append(Equation(symbols, (*rights, value), note, len(p.told) > 2))
        return rows

    def _product(self, p: Path) -> str | None:
        """The local derivatives of a path as a product of formulas; None where one of them has none."""
        if len(p.factors) > 6 or not p.single or any(step.latex is None for step in p.factors):
            return None
        factors = [_factor(step) for step in reversed(p.factors)] + ([p.unit] if p.unit else [])
        factors = [*map(_closed, factors[:-1]), factors[-1]]
        product = r" \cdot ".join(factors)
        return product if width(product) <= 60 else None

    def _cotangents(self, p: Path) -> list[Equation]:
        """For arrays: what arrives at each value, in matrices."""
        s = self._situation
        rows, shown = [], self._shown(p)
        left, flow = len(p.steps) - len(shown), p.flows[0] if s.scalar else None
        if not s.scalar:
            note = f"a cotangent of {text_of(latex(s.names.formula(s.root)))}, 1 at one element and 0 at the others"
            rows.append(Equation("g", (), note))
        position = len(p.hops)
        for j, step in enumerate(reversed(p.told)):
            position -= len(step.hops)
            if step not in shown:
                if j == STEPS // 2:
                    rows.append(Equation(r"\vdots", (), f"{left:,} more steps"))
                continue
            symbol_of = quotient(s.names.formula(s.root), s.names.formula(step.start))
            told = step.carried
            notes = [step.rule, f"Jacobian {step.shape}"]
            if step.norm is not None:
                notes[-1] += f" of norm {step.norm:.4g}"
            if flow is not None:
                cotangent = np.ravel(flow[len(p.hops) - position])
                notes.append(f"cotangent of norm {float(np.linalg.norm(cotangent)):.4g}")
            rows.append(Equation(symbol_of, () if told is None else (told,), "; ".join(notes)))
        whole = self._whole(p)
        if whole is not None and len(p.steps) > 1 and len(self.paths) > 1:
            rows.append(Equation(r"\text{together}", (latex(whole),)))
        return rows

    def _whole(self, p: Path) -> Formula | None:
        """The formula of a path, put together."""
        s = self._situation
        if len(p.steps) > 8:
            return None
        g = ONE if s.scalar else symbol("g", shape_of(s.root.data))
        for step in reversed(p.told):
            onward = step.formula(g, np.ones_like(step.end.data)[()])
            if onward is None:
                return None
            g = onward
        found = opened(g)
        return found if width(latex(found)) <= 90 else None

    def _tables(self, p: Path) -> list[Block]:
        rows = []
        for step in self._shown(p):
            size = np.size(step.start.data) * np.size(step.end.data)
            if size <= 64 and not step.single:
                flat = step.jacobian().reshape(np.size(step.end.data), np.size(step.start.data))
                rows.append(Equation(step.symbol, (matrix_latex(flat),)))
            elif size > 64:
                rows.append(Equation(step.symbol, (), f"{size:,} entries: step.jacobian() has them"))
        rows.append(Equation(self._situation.whole, (entries_latex(p.value.node.data),), "what this path adds"))
        return [Paragraph(("Entries, the elements of arrays in one row or column each:",)), Equations(tuple(rows))]

    def _inside(self, p: Path, hop: Hop) -> list[Block]:
        """The ways that a merged step stands for, by their last step where they are many."""
        s = self._situation
        within = Situation(hop.end, hop.start, s.names)
        single = np.size(hop.end.data) == np.size(hop.start.data) == 1
        arriving = p.flows[0][len(p.hops) - 1 - p.hops.index(hop)]  # at the end of this step
        if single:
            arriving = np.ones_like(arriving)[()]
        rows = []
        for route in within.region.routes(self._limit)[: self._limit]:
            inner = Path(within, route)
            value = quietly(arrived, route.hops, arriving, within.regions)
            left = r" \cdot ".join(step.symbol for step in reversed(self._shown(inner)))
            if not single or width(left) > 40:
                left = r" \to ".join(inner.latex_names)
            ways = f"{inner.ways:,} ways" if inner.ways > 1 else ""
            rows.append(valued(left, value, ways))
        over, target = latex(s.names.formula(hop.end)), latex(s.names.formula(hop.start))
        total = quietly(within.region.flow, arriving)
        left = s.derivative(hop.end, hop.start) if single else s.derivative(s.root, hop.start)
        rows.append(valued(left, total, "their sum"))
        what = "The ways" if single else "What the ways"
        told = f"{what} from ", Math(target), " to ", Math(over), ":" if single else " bring:"
        return [Paragraph(told), Equations(tuple(rows))]

    def _sum(self) -> list[Block]:
        """The sum over the paths, and whether it is the gradient."""
        gradient = self.gradient
        whole = value_latex(gradient)
        rights: list[str] = []
        formulas = [self._whole(p) for p in self.paths]
        if len(self.paths) > 1 or len(self.paths[0].told) > 1:
            total = None
            if all(f is not None for f in formulas) and not any(p.unit for p in self.paths):
                total = add([f for f in formulas if f is not None], shape_of(gradient))
            products = [self._product(p) for p in self.paths]
            if len(self.paths) > 1 and all(products):
                written = " + ".join(brackets(f) if f.startswith("-") and j else f for j, f in enumerate(products) if f)
                if width(written) <= 90:
                    rights.append(written)
            if total == ZERO and not np.isfinite(gradient).all():  # 0 times inf, which no formula shows
                total = None
            if total is not None and width(latex(total)) <= 90 and latex(total) not in rights:
                rights.append(latex(total))
            if np.ndim(gradient) == 0 and 1 < len(self.paths) <= 8:
                numbers = [value_latex(p.value.node.data) for p in self.paths]
                rights.append(" + ".join(f"({n})" if n.startswith("-") and j else n for j, n in enumerate(numbers)))
        value = whole if not whole.startswith(r"\text{shape") else None
        if value is not None and value not in rights:
            rights.append(value)
        shown = text_of(whole) if value_is_short(gradient) else f"a gradient of {short(gradient)}"
        note = f"Reverse mode gives {shown}: {self._said}."
        title = "The sum over the paths" if len(self.paths) > 1 else "The derivative"
        return [
            Heading((title,)),
            Equations(
                (
                    Equation(
                        self._situation.whole,
                        tuple(rights),
                        "" if value is not None else short(gradient),
                        len(rights) > 1,
                    ),
                )
            ),
            Paragraph((note,)),
            *self._trap(),
        ]

    def _trap(self) -> list[Block]:
        """Of a NaN that a branch made which was not taken."""
        steps = [step for p in self.paths if np.isnan(p.value.node.data).any() for step in p.steps]
        if not any(
            is_choice(hop.end) and branch_of(hop.end) not in (None, *hop.positions) for s in steps for hop in s.hops
        ):
            return []
        said = (
            "The NaN is 0 times infinity: a branch that was not taken gets the cotangent 0, and its derivative is not "
        )
        said += (
            "finite there. tm.piecewise computes each branch at its own elements alone, and has the right derivative."
        )
        return [Paragraph((said,))]

    def _laws(self) -> list[Block]:
        found = dict.fromkeys(r for p in self.paths for step in self._shown(p) for r in step.rules)
        rows = [Equation(*_sides(r.law), r.name) for r in found if r.law]
        return [Heading(("Rules",)), Equations(tuple(rows))] if rows else []


def _sides(law: str) -> tuple[str, tuple[str, ...]]:
    left, _, right = law.partition(" = ")
    return left, (right,)


def _factor(step: Step) -> str:
    """A local derivative as a factor of a product."""
    text = step.latex
    if text is None:
        return step.symbol
    loose = any(sign in text for sign in (" + ", " - ")) or text.startswith("-") or r"\," in text
    return brackets(text) if loose else text


_GROUP = re.compile(r"\((?:[^(){}]|\{\})*\)|\{(?:[^(){}]|\(\))+\}")  # one that holds no other
_OPEN = re.compile(  # the name of a function that no bracket follows
    r"\\(?:operatorname\{\}|(?:arc)?(?:sin|cos|tan)h?(?![a-z])|(?:ln|log|exp|min|max|det)(?![a-z]))"
    r"(?:[_^](?:\{\}|.))* *(?![_^ (]|\\left\()"
)


def _closed(factor: str) -> str:
    """A factor that another one follows: `(\\ln x)`, for `\\ln x \\cdot y` may be read as the logarithm of x y."""
    bare, before = factor, ""
    while bare != before:
        bare, before = _GROUP.sub(lambda found: "()" if found[0][0] == "(" else "{}", bare), bare
    return brackets(factor) if _OPEN.search(bare) else factor


def number_word(count: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")
    return words[count] if count < len(words) else f"{count:,}" if count < 10**12 else f"Some {float(count):.3g}"
