"""What a worker does: the function of each of its shards, by a program compiled once, and sums in a fixed order."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..compiler import compile
from ..core.errors import ArgumentError, ShardError, describe
from ..core.mode import no_grad
from ..core.tensor import as_tensor
from ..core.tree import Structure, flatten, unflatten
from ..random import own_stream
from ..transforms.derivatives import value_and_grad
from ..transforms.products import ggnvp, hvp
from .keeping import Kept, Recent
from .picking import Pick
from .shards import Shard, count, told

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Part:  # no tuple, since Dask would look into it
    """What some shards give together: their examples, the means or sums over these, and the tree that they are of.

    `weight` is what a mean counts by: the examples, or the weights that the function gives them.
    """

    examples: int
    weight: float = 0
    arrays: list[Any] | None = None
    structure: Structure | None = None
    dtypes: tuple[Any, ...] = ()  # in which the results are to be given
    mean: bool = True
    drew: bool = False  # whether random numbers were drawn on the way
    seconds: float = 0.0  # of computing


Nodes = dict[tuple[int, int], Part]  # (level, place) of a binary tree over the numbers of the shards


# -- what is computed of a batch -------------------------------------------------------------------------------
def _value_and_grad(functions: Sequence[Any]) -> Callable[..., Any]:
    return value_and_grad(functions[0])


def _hvp(functions: Sequence[Any]) -> Callable[..., Any]:
    (loss,) = functions

    def product(params: Any, vector: Any, batch: Any) -> Any:
        return hvp(lambda p: loss(p, batch), (params,), (vector,))[0]

    return product


def _ggnvp(functions: Sequence[Any]) -> Callable[..., Any]:
    model, loss = functions

    def product(params: Any, vector: Any, batch: Any) -> Any:
        if not isinstance(batch, (tuple, list)) or len(batch) < 2:
            raise ArgumentError(f"a batch of ggnvp is (inputs, targets, ...), got {describe(batch)}")
        inputs, targets = batch[0], tuple(batch[1:])
        return ggnvp(lambda p: model(p, inputs), lambda y: loss(y, *targets), (params,), (vector,))[0]

    return product


def _evaluate(functions: Sequence[Any]) -> Callable[..., Any]:
    (f,) = functions

    def value(params: Any, batch: Any) -> Any:
        with no_grad():
            return f(params, batch)

    return value


KINDS = {"value_and_grad": _value_and_grad, "hvp": _hvp, "ggnvp": _ggnvp, "evaluate": _evaluate}
KINDS["fit"] = lambda functions: value_and_grad(functions[0].reaching, has_aux=True)
KINDS["product"] = lambda functions: functions[0]  # of (params, v, batch) as it stands


_PROGRAMS = Recent()
_LOCK = threading.Lock()


class Sent:
    """Arrays on their way to a worker, as one thing that Dask does not look into."""

    def __init__(self, arrays: Sequence[Any]) -> None:
        self.arrays = list(arrays)

    def __dask_tokenize__(self) -> str:
        return uuid.uuid4().hex  # Dask would pickle it several times for a name that nobody asks for

    def __setstate__(self, state: dict[str, Any]) -> None:
        # what arrives lies in a buffer at whatever address, and products of such arrays may differ in the last bit
        self.arrays = [np.array(a) for a in state["arrays"]]


class Work:
    """What is asked of each shard, for parameters of one structure."""

    def __init__(
        self, kind: str, functions: Sequence[Any], structure: Structure, shards: Sequence[Shard], mean: bool, fast: bool
    ) -> None:
        self.kind, self.functions, self.structure, self.mean, self.fast = kind, tuple(functions), structure, mean, fast
        self.shards = [s.told_apart() for s in shards]
        self.token = uuid.uuid4().hex

    def program(self) -> Callable[..., Any]:
        """The function of parameters and a batch, compiled once in each process, whoever asks."""

        def made() -> Callable[..., Any]:
            plain = KINDS[self.kind](self.functions)
            return compile(plain, threads=1) if self.fast else plain

        found: Callable[..., Any] = _PROGRAMS.get(self.token, made)
        return found

    def part(self, number: int, trees: Sequence[Any], batch: Any, pick: Pick) -> Part:
        """The means or sums over one shard, or over some of its rows. Raises ShardError."""
        start = time.perf_counter()
        try:
            examples = count(batch)
            with own_stream([pick.seed, number, 1]) as rows_drew:  # a data set may draw, too
                if examples:
                    batch, examples = pick.rows(number, len(self.shards), batch)
            if not examples:
                return Part(0)
            program = self.program()
            weight: float = examples
            if self.kind == "fit":  # whose function knows of its loss; another one may have whatever attributes
                self._suits(trees, batch, examples)
                weight = self.functions[0].weight(batch, examples) if self.mean else examples
            if not weight:
                return Part(examples)
            with own_stream([pick.seed, number]) as drew:
                out = program(*trees, batch)
            leaves, structure = flatten(out)
            arrays = [np.asarray(as_tensor(leaf).detach().numpy()) for leaf in leaves]
            carried = [_carried(a.dtype, self.mean) for a in arrays]
            given = tuple(_given(a.dtype, self.mean) for a in arrays)
            return Part(
                examples,
                weight,
                [np.array(a, d) for a, d in zip(arrays, carried, strict=True)],
                structure,
                given,
                self.mean,
                drew() or rows_drew(),
                time.perf_counter() - start,
            )
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a worker would end with the function, or wait for ever
            raise told(error, self.shards[number], f"in {self.kind}{_columns(error, batch)}") from error

    def _suits(self, trees: Sequence[Any], batch: Any, examples: int) -> None:
        """The function is asked whether it suits the batch; a costly look is taken a few times."""
        with _LOCK:
            looks = _LOOKS.get(self.token, 0)
            _LOOKS[self.token] = looks + (examples > 1)
            while len(_LOOKS) > 256:
                del _LOOKS[next(iter(_LOOKS))]
        self.functions[0].suits(*trees, batch, examples, closely=looks < _FEW)


_LOOKS: dict[str, int] = {}  # with how many batches a program's function has been tried
_FEW = 8


def _given(dtype: Any, mean: bool) -> Any:
    """The dtype of a mean or a sum: as NumPy's."""
    if dtype.kind in "biu":
        return np.dtype(np.float64) if mean else np.add.reduce(np.zeros(1, dtype)).dtype
    return dtype


def _carried(dtype: Any, mean: bool) -> Any:
    """In which it is put together: half precision has too few digits and too small a range for it."""
    given = _given(dtype, mean)
    return np.result_type(given, np.float32) if given.kind == "f" else given


def _columns(error: BaseException, batch: Any) -> str:
    """A word on batches that are columns by name, for functions that expect a tuple."""
    if not isinstance(batch, dict) or not isinstance(error, (KeyError, TypeError, AttributeError, ArgumentError)):
        return ""
    names = ", ".join(map(str, batch))
    return f", whose batch is a dict of {names} (D.Shards(shards, client, columns=[...]) makes a tuple of these)"


def computed(work: Any, first: int, given: Sequence[Any], pick: Pick, *batches: Any) -> Nodes:
    """The sums over the shards from `first` on, as far as their fixed order allows."""
    work, *given = (t.value() if isinstance(t, Kept) else t for t in (work, *given))
    trees = [unflatten(work.structure, [as_tensor(a) for a in sent.arrays]) for sent in given]
    nodes: Nodes = {}
    for number, batch in enumerate(batches, first):
        _enter(nodes, len(work.shards), 0, number, work.part(number, trees, batch, pick))
    return nodes


# -- the fixed order -------------------------------------------------------------------------------------------
def merged(total: int, *found: Nodes) -> Nodes:
    """The sums of several workers together. Which sums are added to which is a matter of the shards' numbers alone."""
    nodes: Nodes = {}
    for some in found:
        for (level, place), part in some.items():
            _enter(nodes, total, level, place, part)
    return nodes


def _enter(nodes: Nodes, total: int, level: int, place: int, part: Part) -> None:
    """Add a sum to its neighbour's, if that is there, and the sum of both to theirs."""
    while (1 << level) < total:
        other = place ^ 1
        if (other << level) < total:
            if (level, other) not in nodes:
                break
            pair = sorted([(place, part), (other, nodes.pop((level, other)))], key=lambda pair: pair[0])
            _suit(total, level, pair)
            part = _added(pair[0][1], pair[1][1])
        level, place = level + 1, place >> 1
    nodes[level, place] = part


def _suit(total: int, level: int, pair: Sequence[tuple[int, Part]]) -> None:
    """Raise ShardError where two sums are of different shapes."""
    a, b = (part for _, part in pair)
    if a.arrays is None or b.arrays is None:
        return
    if a.structure == b.structure and [x.shape for x in a.arrays] == [y.shape for y in b.arrays]:
        return
    ends = [(place << level, min(total, (place + 1) << level) - 1) for place, _ in pair]
    named = [f"shard {first}" if first == last else f"shards {first} to {last}" for first, last in ends]
    shapes = [", ".join(map(describe, part.arrays or ())) for _, part in pair]
    error = ShardError(
        f"the result of {named[1]} is {shapes[1]:.80}, that of {named[0]} is {shapes[0]:.80}; they cannot be added: "
        "reduce over the examples"
    )
    error.shard = ends[1][0]
    raise error


def _added(a: Part, b: Part) -> Part:
    if a.arrays is None or b.arrays is None:
        full = b if a.arrays is None else a
        return replace(full, examples=a.examples + b.examples, seconds=a.seconds + b.seconds)
    n = a.weight + b.weight
    if a.mean:  # of means, since a sum can overflow where the mean does not
        arrays = [x * (a.weight / n) + y * (b.weight / n) for x, y in zip(a.arrays, b.arrays, strict=True)]
    else:
        arrays = [x + y for x, y in zip(a.arrays, b.arrays, strict=True)]
    dtypes = tuple(np.result_type(*pair) for pair in zip(a.dtypes, b.dtypes, strict=True))
    seconds = a.seconds + b.seconds
    return Part(a.examples + b.examples, n, arrays, a.structure, dtypes, a.mean, a.drew or b.drew, seconds)
