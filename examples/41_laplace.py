"""How sure is a network? Laplace's approximation turns the curvature at its minimum into error bars."""

import numpy as np
from gallery import beside, save, title

import tinygrad_math as tm
from tinygrad_math import nn
from tinygrad_math.viz.pictures.canvas import BLACK, BLUE, GREY, figure

NOISE, PRIOR = 0.1, 3.0  # the spread of a measurement, and of a weight before anything was measured


def data(n, rng):
    """Measurements of a wave on both sides of a gap."""
    side = rng.uniform(-2, -0.7, n // 2), rng.uniform(0.6, 2, n - n // 2)
    x = np.concatenate(side)[:, None]
    return x, wave(x) + NOISE * rng.normal(size=x.shape)


def wave(x):
    return np.sin(2.5 * x)


def fit(net, x, y, steps):
    """The most probable weights: least squares in units of the noise, and of the prior."""
    optimizer = tm.optim.LevenbergMarquardt(net.parameters())

    def residuals():
        pieces = [((net(x) - y) / NOISE).ravel(), *(p.ravel() / PRIOR for p in net.parameters())]
        return tm.concat(pieces)

    for _ in range(steps):
        optimizer.step(residuals)


def bars(net, x, y, at):
    """The spread of the output at some points: J H^-1 J', with H the Gauss-Newton matrix and the prior's share."""
    curvature = tm.curvature.GGNOperator(lambda n: n(x), lambda out: 0.5 * ((out - y) ** 2).sum() / NOISE**2, net)
    precision = curvature.to_dense() + np.eye(curvature.shape[0]) / PRIOR**2
    jacobian = tm.curvature.JacobianOperator(lambda n: n(at)[:, 0], net).to_dense()
    return np.sqrt(np.einsum("ij,ji->i", jacobian, np.linalg.solve(precision, jacobian.T)))


def main(short=False):
    rng = np.random.default_rng(0)
    x, y = data(60, rng)
    out = {}
    title("Where the model is linear, it is Bayes' rule itself")
    line = nn.Linear(1, 1, rng=0)
    fit(line, x, y, 30)
    design = np.hstack([x, np.ones_like(x)])
    posterior = np.linalg.inv(design.T @ design / NOISE**2 + np.eye(2) / PRIOR**2)
    out["linear"] = beside(
        "spread of a fitted line at x = 0", float(np.sqrt(posterior[1, 1])), bars(line, x, y, [[0.0]])[0]
    )
    out["bayes"] = float(np.sqrt(posterior[1, 1]))

    title("A network of 20 hidden units, 60 measurements, none between -0.7 and 0.6")
    net = nn.Sequential(nn.Linear(1, 20, rng=1), nn.Tanh(), nn.Linear(20, 1, rng=2))
    fit(net, x, y, 15 if short else 200)
    grid = np.linspace(-3, 3, 241)[:, None]
    mean, spread = net(grid).detach().numpy()[:, 0], bars(net, x, y, grid)
    gap, seen, far = (np.abs(grid[:, 0]) < 0.4), (np.abs(np.abs(grid[:, 0]) - 1.3) < 0.5), (np.abs(grid[:, 0]) > 2.7)
    for name, place in {"among the measurements": seen, "in the gap": gap, "far outside": far}.items():
        out[name] = float(spread[place].mean())
        print(f"spread {name:<23} {out[name]:.3f}")
    new, measured = data(200 if short else 2000, rng)
    off = np.abs(net(new).detach().numpy() - measured)[:, 0]
    out["covered"] = float(np.mean(off < 1.96 * np.sqrt(bars(net, x, y, new) ** 2 + NOISE**2)))
    print(f"{100 * out['covered']:.1f} % of {len(new):,} new measurements lie within their 95 % bars")

    fig, (ax,) = figure(size=4.6)
    fig.set_size_inches(8.5, 4.6)
    for width, alpha in ((1.96, 0.2), (1.0, 0.3)):
        low, high = mean - width * spread, mean + width * spread
        name = "68 and 95 % of what the weights leave open" if width == 1 else None
        ax.fill_between(grid[:, 0], low, high, color=BLUE, alpha=alpha, linewidth=0, label=name)
    ax.plot(grid, mean, color=BLUE, label="the most probable network")
    ax.plot(grid, wave(grid), "--", color=GREY, label="the wave that was measured")
    ax.plot(x, y, ".", color=BLACK, label="60 measurements")
    ax.set(xlabel="$x$", ylabel="$y$", title="error bars from the curvature", ylim=(-3.5, 4.5))
    ax.legend(frameon=False, loc="upper center", ncols=2)
    ax.spines[["top", "right"]].set_visible(False)
    save(fig, "41_laplace")
    return out


if __name__ == "__main__":
    main()
