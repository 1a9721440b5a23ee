"""Gradient descent makes the valley steeper until it can hardly step in it: the edge of stability, at 2 / step size."""

import numpy as np
from gallery import beside, save, title

import tinygrad_math as tm
from tinygrad_math import nn
from tinygrad_math.nn import functional as F
from tinygrad_math.viz.pictures.canvas import BLUE, GREEN, RED, figure

# Cohen, Kaur, Li, Kolter, Talwalkar 2021, arXiv 2103.00065


def descend(net, loss, rate, steps, every):
    """(step, loss, sharpness) along plain gradient descent: the sharpness is the largest eigenvalue of the Hessian."""
    optimizer = tm.optim.SGD(lr=rate)

    @tm.compile
    def step(params):
        value, grads = tm.value_and_grad(loss)(params)
        return optimizer.update(grads, optimizer.init(params), params)[0], value

    params = {name: p.detach() for name, p in net.named_parameters()}
    rows = []
    for k in range(steps + 1):
        if k % every == 0:
            hessian = tm.curvature.HessianOperator(loss, params)
            sharpness = tm.curvature.eigenvalues(hessian, k=1, which="LA")[-1]
            rows.append((k, float(loss(params)), float(sharpness)))
        params, _ = step(params)
    return np.array(rows).T


def main(short=False):
    title("20 points of a cubic, a network of two hidden layers of 32")
    x = np.linspace(-1, 1, 20)[:, None]
    y = 4 * x**3 - 3 * x  # the Chebyshev polynomial of degree 3
    rng = np.random.default_rng(0)
    net = nn.Sequential(
        nn.Linear(1, 32, rng=rng), nn.Tanh(), nn.Linear(32, 32, rng=rng), nn.Tanh(), nn.Linear(32, 1, rng=rng)
    )

    def loss(params):
        return F.mse_loss(net.with_tensors(params)(x), y)

    title("A parabola of that bend: descent diverges where its sharpness is above 2 / step size")
    out = {}
    for bend, word in ((9.9, "falls"), (10.1, "grows")):
        out[word] = beside(f"|x| after 200 steps of 0.2, bend {bend}", word, abs(1 - 0.2 * bend) ** 200)

    title("The network")
    steps, every = (600, 50) if short else (3000, 10)
    runs = {rate: descend(net, loss, rate, steps, every) for rate in (0.05, 0.1, 0.2)}
    for rate, (_, losses, sharpness) in runs.items():
        late = sharpness[len(sharpness) // 2 :]
        out[rate] = float(np.median(late)) * rate / 2
        rises = float(np.mean(np.diff(losses) > 0))
        print(
            f"step size {rate:<5} sharpness {sharpness[0]:.1f} at the start, then about {np.median(late):.1f}, ", end=""
        )
        print(f"2 / step size is {2 / rate:.0f}; the loss ends at {losses[-1]:.1e}, and rose in {100 * rises:.0f} %")
        out[f"loss {rate}"] = float(losses[-1] / losses[0])

    fig, (left, right) = figure(columns=2, size=4.6)
    for (rate, (steps, losses, sharpness)), color in zip(runs.items(), (GREEN, BLUE, RED), strict=True):
        left.plot(steps, sharpness, color=color, linewidth=1, label=f"step size {rate}")
        left.axhline(2 / rate, color=color, linestyle="--", linewidth=1)
        left.text(steps[-1], 2 / rate + 0.6, f"2 / {rate} = {2 / rate:.0f}", color=color, ha="right", va="bottom")
        right.semilogy(steps, losses, color=color, linewidth=1, label=f"step size {rate}")
    left.set(xlabel="step", ylabel="largest eigenvalue of the Hessian", title="sharpness", ylim=(0, 58))
    right.set(xlabel="step", ylabel="mean squared error", title="the loss falls all the same, in jerks")
    for ax in (left, right):
        ax.legend(frameon=False, loc="upper right", ncols=1)
        ax.spines[["top", "right"]].set_visible(False)
    save(fig, "44_edge_of_stability")
    return out


if __name__ == "__main__":
    main()
