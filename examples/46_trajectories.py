"""Where 1,000 runs of the 2-layer linear network go: down to a curve of minima, along hyperbolas that never cross."""

import time

import numpy as np
from gallery import beside, save, title

import tinygrad_math as tm
from tinygrad_math.viz.pictures.canvas import BLACK, BLUE, GREY, RED, figure


def loss(w):
    """y = w2 w1 x is to be y = x: any w1 w2 = 1 will do."""
    return 0.5 * (w[1] * w[0] - 1) ** 2


def trajectories(starts, rate, steps):
    """The points that gradient descent visits from each start: all together, one compiled step after another."""
    optimizer = tm.optim.SGD(lr=rate)

    def step(w, state):
        return optimizer.update(tm.grad(loss)(w), state, w)

    state = optimizer.init(starts[0])
    together = tm.compile(tm.vmap(step, in_axes=(0, None), out_axes=(0, None)))
    paths = [starts]
    for _ in range(steps):
        w, state = together(paths[-1], state)
        paths.append(w.numpy())
    return np.array(paths)


def main(short=False):
    title("1,000 starts, drawn at random")
    runs, steps = (100, 200) if short else (1000, 1000)
    starts = np.random.default_rng(0).normal(scale=1.2, size=(runs, 2))
    begin = time.perf_counter()
    paths = trajectories(starts, 0.02, steps)
    print(f"{runs} runs of {steps} steps in {time.perf_counter() - begin:.2f} s")
    w1, w2 = paths[-1].T
    out = {"arrived": float(np.mean(np.abs(w1 * w2 - 1) < 1e-2)), "side": float(np.mean(w1 * (w1 + w2) > 0))}
    print(f"{100 * out['arrived']:.1f} % have arrived, each on the branch that its start w1 + w2 points to")
    out["branch"] = bool(np.all((starts.sum(1) > 0) == (w1 + w2 > 0)))

    title("What gradient descent keeps: w1^2 - w2^2, but for terms of the step size squared")
    kept = paths[..., 0] ** 2 - paths[..., 1] ** 2
    out["drift"] = beside("largest change of w1^2 - w2^2", "near 0", np.abs(kept[-1] - kept[0]).max())
    half = trajectories(starts, 0.01, 2 * steps)
    kept = half[..., 0] ** 2 - half[..., 1] ** 2
    out["drift, half the step"] = beside(
        "the same with half the step size", "half of that", np.abs(kept[-1] - kept[0]).max()
    )
    saddle = tm.hessian(loss)(np.zeros(2)).numpy()
    out["saddle"] = beside("eigenvalues of the Hessian at (0, 0)", [-1, 1], tm.linalg.eigvalsh(saddle))

    fig, _ = figure(columns=2, size=5.0)
    left, right = (fig.axes[0], fig.axes[1])
    left.remove()
    left = fig.add_subplot(1, 2, 1, projection="3d")
    a = np.linspace(-2.4, 2.4, 121)
    heights = np.asarray(loss(np.stack(np.meshgrid(a, a))))
    b = np.linspace(-2.0, 2.0, 41)
    valley = np.asarray(loss(np.stack(np.meshgrid(b, b))))
    left.plot_wireframe(*np.meshgrid(b, b), np.where(valley <= 4, valley, np.nan), color=GREY, linewidth=0.4)
    inside = np.flatnonzero((np.asarray(loss(starts.T)) < 3) & (np.abs(starts) < 2).all(1))[:40]
    for k in inside:
        left.plot(*paths[:, k].T, np.asarray(loss(paths[:, k].T)) + 0.03, color=BLUE, linewidth=0.8)
    left.set(
        xlabel="$w_1$",
        ylabel="$w_2$",
        zlabel="loss",
        zlim=(0, 4),
        xticks=(-2, 0, 2),
        yticks=(-2, 0, 2),
        zticks=(0, 2, 4),
        title="40 of them on the loss surface, cut at 4",
    )
    left.view_init(elev=40, azim=-75)
    left.computed_zorder = False  # the runs are drawn over the surface
    right.imshow(np.log10(heights + 1e-2), cmap="Greys_r", alpha=0.3, origin="lower", extent=(-2.4, 2.4) * 2)
    right.plot(*paths.transpose(2, 0, 1), color=BLUE, linewidth=0.35, alpha=0.5)
    t = np.linspace(0.3, 2.6, 200)
    for sign in (1, -1):
        right.plot(sign * t, sign / t, color=RED, linewidth=2, label="minima: $w_1 w_2 = 1$" if sign == 1 else None)
    right.plot(a, -a, "--", color=GREY, linewidth=1, label="the way to the saddle")
    right.plot(0, 0, "x", color=BLACK, label="saddle")
    right.set(
        xlabel="$w_1$", ylabel="$w_2$", title=f"{runs:,} runs of gradient descent", xlim=(-2.4, 2.4), ylim=(-2.4, 2.4)
    )
    right.set_aspect("equal")
    fig.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    save(fig, "46_trajectories")
    return out


if __name__ == "__main__":
    main()
