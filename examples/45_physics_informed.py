"""A network that obeys a differential equation: the pendulum, learnt from y'' = -sin y alone, without a solution."""

import time

import numpy as np
from gallery import beside, save, title
from scipy.special import ellipj, ellipk

import tinygrad_math as tm
from tinygrad_math import nn
from tinygrad_math.viz.pictures.canvas import BLACK, BLUE, GREY, RED, figure

START, END = 2.5, 8.0  # the first angle, from which it is let go, and the last time


def exact(t):
    """The swing by Jacobi's elliptic function sn (DLMF 22.19.2)."""
    k = np.sin(START / 2)
    return 2 * np.arcsin(k * ellipj(t + ellipk(k**2), k**2)[0])


def main(short=False):
    title(f"The pendulum, let go at {START} rad")
    net = nn.Sequential(
        nn.Linear(1, 24, rng=0), nn.Tanh(), nn.Linear(24, 24, rng=1), nn.Tanh(), nn.Linear(24, 1, rng=2)
    )
    t = np.linspace(0, END, 80)[:, None]

    def angle(t):
        """START + t^2 net(t) starts at rest, whatever the network says."""
        return START + t * t * net(t / END * 2 - 1)

    def residuals():
        """y'' + sin y at all times: each y depends on its own t, so one jet along (1, ..., 1) holds them all."""
        y, _, half = tm.jet(angle, t, np.ones_like(t), order=2)
        return (2 * half + tm.sin(y)).ravel() / np.sqrt(len(t))

    optimizer = tm.optim.LevenbergMarquardt(net.parameters())
    begin, losses, early = time.perf_counter(), [], None
    for k in range(6 if short else 150):
        losses.append(float(optimizer.step(residuals)))
        if k == 5:
            early = angle(t).detach().numpy().copy()
    seconds = time.perf_counter() - begin
    y = angle(t).detach().numpy()
    out = {"losses": (losses[0], losses[-1]), "error": float(np.abs(y - exact(t)).max())}
    print(f"{len(losses)} steps of Levenberg and Marquardt in {seconds:.1f} s")
    print(f"the mean square of y'' + sin y fell from {2 * losses[0]:.2g} to {2 * losses[-1]:.2g}")
    beside("largest distance from the elliptic function", 0, out["error"])
    _, first, _ = tm.jet(angle, t, np.ones_like(t), order=2)
    energy = 0.5 * first.detach().numpy() ** 2 - np.cos(y)
    out["energy"] = float(np.ptp(energy))
    beside("how far its energy strays, never asked for", 0, out["energy"])

    fig, (left, right) = figure(columns=2, size=4.6)
    left.plot(t, exact(t), color=GREY, linewidth=5, alpha=0.6, label="elliptic function")
    left.plot(t, early, "--", color=RED, label="network, after 6 steps")
    left.plot(t, y, color=BLUE, label=f"network, after {len(losses)} steps")
    left.set(xlabel="time", ylabel="angle (rad)", title="the pendulum", ylim=(-4, 5.5))
    left.legend(frameon=False, loc="upper right")
    right.semilogy(np.arange(1, len(losses) + 1), 2 * np.array(losses), color=BLACK)
    right.set(xlabel="step", ylabel="mean square of $y'' + \\sin y$", title="how well the equation holds")
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    save(fig, "45_physics_informed")
    return out


if __name__ == "__main__":
    main()
