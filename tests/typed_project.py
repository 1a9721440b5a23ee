"""A user's project as a strict type checker sees it; every line runs, too."""

from collections.abc import Callable
from typing import assert_type

import numpy as np

import tinygrad_math as tm
from tinygrad_math import Tensor

x = tm.tensor([1.0, 2.0])
assert_type(tm.sin(x), Tensor)
assert_type(tm.sum(x, axis=0), Tensor)
assert_type(x.sum(axis=0, keepdims=True), Tensor)
assert_type(x + 1, Tensor)
assert_type(x == 1.0, Tensor)
assert_type((x != x).any(), Tensor)
assert_type(x.reshape(2, 1).mean().exp(), Tensor)
assert_type(tm.linalg.norm(x), Tensor)
assert_type(tm.linalg.eigh(tm.eye(2)).eigenvalues, Tensor)
assert_type(tm.special.erf(x), Tensor)
assert_type(tm.fft.fft(x), Tensor)
assert_type(tm.nn.functional.relu(x), Tensor)
assert_type(tm.concat([x, x]), Tensor)
assert_type(tm.where(x > 0, x, 0.0), Tensor)
assert_type(tm.linspace(0, 1, 5), Tensor)
assert_type(x.shape, tuple[int, ...])
assert_type(tm.sum(a=x, axis=0, where=x > 1.0, initial=0.5), Tensor)
assert_type(tm.max(a=x, initial=0.0), Tensor)
assert_type(tm.flip(m=x, axis=0), Tensor)
assert_type(tm.tile(A=x, reps=2), Tensor)
assert_type(tm.pad(array=x, pad_width=1), Tensor)
assert_type(tm.array_split(ary=x, indices_or_sections=2), tuple[Tensor, ...])
assert_type(tm.percentile(a=x, q=30.0), Tensor)
assert_type(tm.interp(x=0.5, xp=x, fp=x), Tensor)
assert_type(tm.linspace(start=0.0, stop=1.0, num=3), Tensor)
assert_type(tm.linalg.norm(x=x, ord=1), Tensor)
assert_type(tm.linalg.eigvalsh(a=tm.eye(2), UPLO="U"), Tensor)
assert_type(tm.add(x, 1.0, out=tm.zeros(2)), Tensor)
assert_type(tm.asarray(a=[1.0, 2.0]), Tensor)
assert_type(tm.zeros((2, 3), tm.float32), Tensor)
assert_type(tm.arange(3, dtype="int32").astype(float).astype(x.dtype), Tensor)
assert_type(tm.integrate.odeint(lambda y, t: -y, 1.0, [0.0, 1.0]), Tensor)
assert_type(tm.quantile(a=x, q=0.5, weights=[1.0, 2.0], method="inverted_cdf"), Tensor)


def loss(w: Tensor) -> Tensor:
    return tm.tanh(w).sum()


assert_type(tm.grad(loss)(x), Tensor)
assert_type(tm.value_and_grad(loss)(x), tuple[Tensor, Tensor])
assert_type(tm.hessian(loss)(x), Tensor)


def of_tree(p: dict[str, Tensor]) -> Tensor:
    return p["w"].sum()


assert_type(tm.grad(of_tree)({"w": x}), dict[str, Tensor])


@tm.compile
def step(w: Tensor, rate: float) -> Tensor:
    return w - rate * tm.grad(loss)(w)


assert_type(step(x, 0.1), Tensor)
assert_type(step.source, str)


class Net(tm.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = tm.nn.Linear(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        return tm.tanh(self.layer(x))


net = Net()
assert_type(net(x), Tensor)
assert_type(tm.nn.Linear(2, 3)(x), Tensor)
assert_type(tm.nn.Sequential(net, tm.nn.ReLU())(x), Tensor)
fast = tm.compile(net)
assert_type(fast(x), Tensor)
optimizer = tm.optim.Adam(net.parameters(), lr=0.1)
f: Callable[[Tensor], Tensor] = tm.sin
tm.grad(lambda w: (w * w).sum())(np.ones(2))
