"""Recurrent networks: a cell is one step; a layer is a cell along a sequence, in one or both directions, stacked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError, describe
from ..core.tensor import rec
from .common import check_layers, generator, shaped, sizes
from .dropout import check_probability, dropout
from .module import Module
from .parameter import Parameter
from .starts import restart_uniform

Step = Any  # (what the input gives, state) -> state, each a tuple of arrays whose first is the output


def _rnn(activation: Any) -> Step:
    def step(x: Any, state: Any, w: Any, b: Any) -> Any:
        return (activation(x + _flow(state[0], w, b)),)

    return step


def _lstm(x: Any, state: Any, w: Any, b: Any) -> Any:
    """c' = f c + i g, h' = o tanh(c'), with gates i, f, o = sigmoid and g = tanh. Hochreiter and Schmidhuber 1997."""
    h, c = state
    i, f, g, o = rec.split(x + _flow(h, w, b), 4, axis=-1)
    c = rec.sigmoid(f) * c + rec.sigmoid(i) * rec.tanh(g)
    return rec.sigmoid(o) * rec.tanh(c), c


def _gru(x: Any, state: Any, w: Any, b: Any) -> Any:
    """h' = (1 - z) n + z h with n = tanh(x_n + r h_n), r, z = sigmoid(x + h). Cho et al. 2014, in PyTorch's form."""
    (h,) = state
    xr, xz, xn = rec.split(x, 3, axis=-1)
    hr, hz, hn = rec.split(_flow(h, w, b), 3, axis=-1)
    z = rec.sigmoid(xz + hz)
    n = rec.tanh(xn + rec.sigmoid(xr + hr) * hn)
    return (n + z * (h - n),)


def _flow(h: Any, w: Any, b: Any) -> Any:
    """What the last state gives; w is turned already."""
    y = rec.matmul(h, w)
    return y if b is None else y + b


_STEPS: dict[str, tuple[Step, int, int]] = {  # step, gates, arrays in the state
    "tanh": (_rnn(lambda x: rec.tanh(x)), 1, 1),
    "relu": (_rnn(lambda x: rec.relu(x)), 1, 1),
    "lstm": (_lstm, 4, 2),
    "gru": (_gru, 3, 1),
}


def _uniform(shape: Any, hidden: int, draw: Any, dtype: Any) -> Parameter:
    bound = 1 / math.sqrt(hidden)
    return Parameter(draw.uniform(-bound, bound, shape), dtype=dtype)


def _nonlinearity(name: str, asker: str) -> str:
    if name not in ("tanh", "relu"):
        raise ArgumentError(f"{asker}: nonlinearity is 'tanh' or 'relu', got {name!r:.40}")
    return name


class _Cell(Module):
    kind: str

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, dtype: Any = np.float64, rng: Any = None
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size = sizes((input_size, hidden_size), 2, type(self).__name__, "its size")
        self.bias, draw, rows = bias, generator(rng), _STEPS[self.kind][1] * hidden_size
        self.weight_ih = _uniform((rows, input_size), hidden_size, draw, dtype)
        self.weight_hh = _uniform((rows, hidden_size), hidden_size, draw, dtype)
        self.bias_ih = _uniform(rows, hidden_size, draw, dtype) if bias else None
        self.bias_hh = _uniform(rows, hidden_size, draw, dtype) if bias else None

    def reset_parameters(self, rng: Any = None) -> None:
        """Draw the parameters anew, as at the start; `rng` as there."""
        restart_uniform(self, self.hidden_size, rng)

    def forward(self, input: Any, hx: Any = None) -> Any:
        x, name = shaped(input), type(self).__name__
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ShapeError(f"{name}: expected (n, {self.input_size}) or ({self.input_size},), got {describe(x)}")
        step, _, count = _STEPS[self.kind]
        shape = (*x.shape[:-1], self.hidden_size)
        state = _states(hx, count, shape, x.dtype, name)
        flow = rec.matmul(x, rec.transpose(self.weight_ih))
        new = step(
            flow if self.bias_ih is None else flow + self.bias_ih, state, rec.transpose(self.weight_hh), self.bias_hh
        )
        return new[0] if count == 1 else new

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}{'' if self.bias else ', bias=False'}"


def _states(given: Any, count: int, shape: tuple[int, ...], dtype: Any, name: str) -> tuple[Any, ...]:
    """The state to start from: zeros unless given."""
    if given is None:
        return (np.zeros(shape, dtype),) * count
    found = tuple(given) if count > 1 and isinstance(given, (tuple, list)) else (given,)
    found = tuple(map(shaped, found))
    if len(found) != count or any(s.shape != shape for s in found):
        what = f"{count} states of shape {shape}" if count > 1 else f"a state of shape {shape}"
        raise ShapeError(f"{name}: expected {what}, got {', '.join(map(describe, found))}")
    return found


class RNNCell(_Cell):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu. x (n, input_size), h (n, hidden_size), zeros unless given.

    Arguments: PyTorch's; `dtype`, `rng` a NumPy Generator or a seed for the start, uniform in +-1/sqrt(hidden_size).
    Parameters: `weight_ih` (hidden, input), `weight_hh` (hidden, hidden), `bias_ih`, `bias_hh` (hidden,).

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.RNNCell(3, 4)(np.ones((2, 3))).shape
    (2, 4)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        dtype: Any = np.float64,
        rng: Any = None,
    ) -> None:
        self.kind = _nonlinearity(nonlinearity, "RNNCell")
        super().__init__(input_size, hidden_size, bias, dtype, rng)


class LSTMCell(_Cell):
    """One step of an LSTM: (h', c') from x (n, input_size) and (h, c), zeros unless given.

    c' = f c + i g and h' = o tanh(c'), with gates i, f, g, o = W_ih x + b_ih + W_hh h + b_hh under sigmoid (g: tanh).
    Parameters: `weight_ih` (4 hidden, input), `weight_hh` (4 hidden, hidden), `bias_ih`, `bias_hh` (4 hidden,).

    >>> import numpy as np, tinygrad_math as tm
    >>> h, c = tm.nn.LSTMCell(3, 4)(np.ones((2, 3)))
    >>> h.shape, c.shape
    ((2, 4), (2, 4))
    """

    kind = "lstm"


class GRUCell(_Cell):
    """One step of a GRU: h' = (1 - z) n + z h from x (n, input_size) and h, zeros unless given.

    With gates r, z = sigmoid(W_ih x + b_ih + W_hh h + b_hh) and n = tanh(W_in x + b_in + r (W_hn h + b_hn)).
    Parameters: `weight_ih` (3 hidden, input), `weight_hh` (3 hidden, hidden), `bias_ih`, `bias_hh` (3 hidden,).

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.GRUCell(3, 4)(np.ones((2, 3))).shape
    (2, 4)
    """

    kind = "gru"


class _Recurrent(Module):
    """The layers: PyTorch's arguments, and parameters named as there, `weight_ih_l0_reverse` and so on."""

    kind: str

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        dtype: Any = np.float64,
        rng: Any = None,
    ) -> None:
        super().__init__()
        given = input_size, hidden_size, num_layers
        self.input_size, self.hidden_size, self.num_layers = sizes(given, 3, type(self).__name__, "its size")
        self.bias, self.batch_first, self.bidirectional = bias, batch_first, bidirectional
        self.dropout = check_probability(dropout, type(self).__name__)
        draw, rows = generator(rng), _STEPS[self.kind][1] * hidden_size
        check_layers(num_layers, type(self).__name__)
        for layer in range(num_layers):
            width = input_size if layer == 0 else hidden_size * (2 if bidirectional else 1)
            for end in self._ends(layer):
                setattr(self, f"weight_ih_{end}", _uniform((rows, width), hidden_size, draw, dtype))
                setattr(self, f"weight_hh_{end}", _uniform((rows, hidden_size), hidden_size, draw, dtype))
                if bias:
                    setattr(self, f"bias_ih_{end}", _uniform(rows, hidden_size, draw, dtype))
                    setattr(self, f"bias_hh_{end}", _uniform(rows, hidden_size, draw, dtype))

    def _ends(self, layer: int) -> list[str]:
        return [f"l{layer}", f"l{layer}_reverse"] if self.bidirectional else [f"l{layer}"]

    def reset_parameters(self, rng: Any = None) -> None:
        """Draw the parameters anew, as at the start; `rng` as there."""
        restart_uniform(self, self.hidden_size, rng)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """(outputs, last states) of a sequence (length, n, input_size), or with batch_first (n, length, input_size).

        Without n, of a single one. The outputs are (length, n, directions * hidden_size); states (layers *
        directions, n, hidden_size), a pair for the LSTM.
        """
        x, name = shaped(input), type(self).__name__
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            order = "(n, length, {})" if self.batch_first else "(length, n, {})"
            raise ShapeError(f"{name}: expected {order.format(self.input_size)}, or without n, got {describe(x)}")
        single = x.ndim == 2
        if single:
            x = rec.expand_dims(x, axis=1)
        elif self.batch_first:
            x = rec.swapaxes(x, 0, 1)
        if not x.shape[0]:
            raise ShapeError(f"{name}: a sequence has at least one step, got {describe(x)}")
        _, _, count = _STEPS[self.kind]
        ends = [end for layer in range(self.num_layers) for end in self._ends(layer)]
        shape = (len(ends), *(() if single else x.shape[1:2]), self.hidden_size)
        states = _states(hx, count, shape, x.dtype, name)
        if single:
            states = tuple(s[:, None] for s in states)
        last: list[Any] = []
        for layer in range(self.num_layers):
            outputs = []
            for end in self._ends(layer):
                start = tuple(s[len(last)] for s in states)
                output, state = self._run(x, start, end)
                outputs.append(output)
                last.append(state)
            x = outputs[0] if len(outputs) == 1 else rec.concat(outputs, axis=-1)
            if self.dropout and layer + 1 < self.num_layers:
                x = dropout(x, self.dropout, self.training)
        final = tuple(rec.stack([state[k] for state in last]) for k in range(count))
        if single:
            x, final = rec.squeeze(x, axis=1), tuple(rec.squeeze(s, axis=1) for s in final)
        elif self.batch_first:
            x = rec.swapaxes(x, 0, 1)
        return x, final[0] if count == 1 else final

    def _run(self, x: Any, state: Any, end: str) -> tuple[Any, Any]:
        """One direction of one layer. What the inputs give is one product for all steps."""
        step = _STEPS[self.kind][0]
        w, b_in, b = (getattr(self, f"{part}_{end}", None) for part in ("weight_hh", "bias_ih", "bias_hh"))
        flow = rec.matmul(x, rec.transpose(getattr(self, f"weight_ih_{end}")))
        if b_in is not None:
            flow = flow + (b_in if self.kind == "gru" else b_in + b)
        turned, b = rec.transpose(w), b if self.kind == "gru" else None
        steps = rec.unstack(flow)
        outputs: list[Any] = [None] * len(steps)
        for t in reversed(range(len(steps))) if end.endswith("reverse") else range(len(steps)):
            state = step(steps[t], state, turned, b)
            outputs[t] = state[0]
        return rec.stack(outputs), state

    def extra_repr(self) -> str:
        given = {
            "num_layers": (self.num_layers, 1),
            "bias": (self.bias, True),
            "batch_first": (self.batch_first, False),
            "dropout": (self.dropout, 0.0),
            "bidirectional": (self.bidirectional, False),
        }
        more = "".join(f", {k}={v}" for k, (v, usual) in given.items() if v != usual)
        return f"{self.input_size}, {self.hidden_size}{more}"


class RNN(_Recurrent):
    """A layer of RNNCells along a sequence: h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), or relu.

    Arguments: PyTorch's; `dtype`, `rng` a NumPy Generator or a seed for the start, uniform in +-1/sqrt(hidden_size).
    `forward(x, h)` returns (outputs, last h); see there for the shapes. Parameters of layer k: `weight_ih_lk`,
    `weight_hh_lk`, `bias_ih_lk`, `bias_hh_lk`, and the same with `_reverse`.

    >>> import numpy as np, tinygrad_math as tm
    >>> y, h = tm.nn.RNN(3, 4)(np.ones((5, 2, 3)))
    >>> y.shape, h.shape
    ((5, 2, 4), (1, 2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        *args: Any,
        **more: Any,
    ) -> None:
        self.kind = _nonlinearity(nonlinearity, "RNN")
        super().__init__(input_size, hidden_size, num_layers, *args, **more)


class LSTM(_Recurrent):
    """A layer of LSTMCells along a sequence; see LSTMCell for the step.

    Arguments: PyTorch's; `dtype`, `rng` a NumPy Generator or a seed for the start, uniform in +-1/sqrt(hidden_size).
    `forward(x, (h, c))` returns (outputs, (last h, last c)). Parameters as for RNN, with 4 hidden_size rows: i, f, g,
    o.

    >>> import numpy as np, tinygrad_math as tm
    >>> y, (h, c) = tm.nn.LSTM(3, 4, bidirectional=True, batch_first=True)(np.ones((2, 5, 3)))
    >>> y.shape, h.shape
    ((2, 5, 8), (2, 2, 4))
    """

    kind = "lstm"


class GRU(_Recurrent):
    """A layer of GRUCells along a sequence; see GRUCell for the step.

    Arguments: PyTorch's; `dtype`, `rng` a NumPy Generator or a seed for the start, uniform in +-1/sqrt(hidden_size).
    `forward(x, h)` returns (outputs, last h). Parameters as for RNN, with 3 hidden_size rows: r, z, n.

    >>> import numpy as np, tinygrad_math as tm
    >>> y, h = tm.nn.GRU(3, 4, num_layers=2)(np.ones((5, 2, 3)))
    >>> y.shape, h.shape
    ((5, 2, 4), (2, 2, 4))
    """

    kind = "gru"
