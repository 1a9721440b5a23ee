"""The chain rule of a derivative: its paths, their sum, and the text of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..core.errors import IllPosedDerivative
from ..core.op import raw
from ..core.quiet import ignoring, quietly
from ..core.tensor import handle
from ..core.walk import Trail, pullback
from ..formulas.notation import latex
from .document import Block, Document, Heading, Inline, Shown
from .paths import Path, Situation
from .plain import text_of
from .routes import Hop, Route
from .telling import Telling
from .values import short


class Explanation(Shown):
    """The derivative of a result in one of the values that it was made of, path by path: see `explain`.

    `.paths` are the paths, each with its `.value` and `.steps`; `.gradient` is their sum as the walk back computes it;
    `.text()`, `.markdown()`, `.latex()` and `.html()` write all of it, and a notebook shows it.
    """

    def __init__(self, situation: Situation, limit: int, entries: bool, remark: tuple[Inline, ...] = ()) -> None:
        self._situation, self._limit, self._entries, self._remark = situation, limit, entries, remark
        self.gradient = handle(self._walked())
        self.paths = self._found()

    def _walked(self) -> Any:
        """The derivative by the walk back; hooks of the user's, which change gradients, stay out of it."""
        s = self._situation
        trail = Trail([s.root], [s.target])
        if s.target not in trail.reached:
            return s.joined([np.zeros_like(s.target.data)[()] for _ in s.seeds()])
        hooked = any(n.meta is not None and n.meta.hooks for n in trail.nodes)
        rows = []
        for g in s.seeds():
            found = quietly(s.region.flow, g) if hooked else pullback(trail, [(s.root, g)], raw).get(s.target)
            rows.append(np.zeros_like(s.target.data)[()] if found is None else found)
        return s.joined(rows)

    def _found(self) -> tuple[Path, ...]:
        s = self._situation
        if s.target not in s.region.reached:
            return ()
        if s.target is s.root:
            return (Path(s, Route(())),)
        spoilt = not np.isfinite(self.gradient.node.data).all()  # perhaps by a branch that was not taken: 0 times inf
        paths = tuple(Path(s, r) for r in s.region.routes(self._limit, s.pick, untaken=spoilt))
        try:
            _ = [p.value for p in paths]  # computed at the first look
        except IllPosedDerivative:  # where single paths have no derivative, and all together have one
            paths = (Path(s, Route((Hop(s.target, s.root, (), s.region.ways[s.root]),))),)
        return paths

    @property
    def ways(self) -> int:
        """How many paths there are, merged ones counted."""
        return sum(p.ways for p in self.paths)

    @property
    def _total(self) -> Any:
        return sum((np.asarray(p.value.node.data) for p in self.paths), np.zeros(()))

    @property
    def difference(self) -> float:
        """The largest difference between the sum of the paths and the gradient of the walk back."""
        with ignoring("invalid"):
            apart = np.abs(self._total - np.asarray(self.gradient.node.data))
        return float(np.max(apart)) if apart.size else 0.0

    @property
    def agrees(self) -> bool:
        """Whether the paths sum to the gradient, up to the rounding of what flows along them."""
        g = np.asarray(self.gradient.node.data)
        eps = float(np.finfo(g.dtype).eps)
        scale = sum(p.scale for p in self.paths)
        allowed = 1000 * eps * (scale if np.isfinite(scale) and scale else 1)
        return bool(np.isclose(self._total, g, rtol=1000 * eps, atol=allowed, equal_nan=True).all())

    def __repr__(self) -> str:
        names = self._situation.names
        of = " in ".join(text_of(latex(names.formula(n))) for n in (self._situation.root, self._situation.target))
        return f"Explanation of {of}: {self.ways:,} path{'s' * (self.ways != 1)}, {short(self.gradient.node.data)}"

    # -- the text ---------------------------------------------------------------------------------------------------
    def document(self) -> Document:
        said = "the same" if self.agrees else f"they differ by {self.difference:.3g}"
        gradient = self.gradient.node.data
        telling = Telling(self._situation, self.paths, gradient, said, self._limit, self._entries, self._remark)
        return telling.document()


class Explanations(Shown):
    """Several explanations of one result, one for each value that it is differentiated in."""

    def __init__(self, parts: Sequence[Explanation], gradient: Any) -> None:
        self.parts = tuple(parts)
        self.gradient = gradient

    @property
    def paths(self) -> tuple[Path, ...]:
        """All paths, of one target after the other."""
        return tuple(p for part in self.parts for p in part.paths)

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, k: int) -> Explanation:
        return self.parts[k]

    def __iter__(self) -> Iterator[Explanation]:
        return iter(self.parts)

    def document(self) -> Document:
        blocks: list[Block] = []
        for part in self.parts:
            inner = part.document()
            blocks += [Heading(inner.title, part=True), *inner.blocks]
        return Document(("The derivatives by the chain rule",), blocks)

    def __repr__(self) -> str:
        return f"Explanations of {len(self.parts)} derivatives:\n" + "\n".join(f"  {part!r}" for part in self.parts)
