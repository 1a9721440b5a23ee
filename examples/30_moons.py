"""Two half circles that no line parts: a network bends its boundary around them while it learns."""

import numpy as np
from gallery import save, title
from matplotlib.colors import LinearSegmentedColormap

import tinygrad_math as tm
from tinygrad_math import nn
from tinygrad_math.nn import functional as F
from tinygrad_math.viz.pictures.canvas import BLACK, BLUE, RED, figure


def probability(net, points):
    """How sure the network is that points belong to moon 1."""
    with tm.no_grad():
        return F.softmax(net.eval()(points), axis=-1)[..., 1].numpy()


def draw(ax, net, x, y, name):
    """The plane, coloured by what the network says of each point, and the examples."""
    a, b = np.linspace(-1.6, 2.6, 120), np.linspace(-1.2, 1.7, 120)
    p = probability(net, np.stack(np.meshgrid(a, b), axis=-1))
    colors = LinearSegmentedColormap.from_list("moons", [RED, "white", BLUE])
    ax.imshow(p, cmap=colors, vmin=0, vmax=1, alpha=0.5, origin="lower", extent=(a[0], a[-1], b[0], b[-1]))
    if p.min() < 0.5 < p.max():
        ax.contour(a, b, p, levels=[0.5], colors=BLACK, linewidths=1.8)
    for moon, color, marker in ((0, RED, "s"), (1, BLUE, "o")):
        edge = {"markeredgecolor": "white", "markeredgewidth": 0.4}
        ax.plot(*x[y == moon].T, marker, color=color, markersize=4, label=f"moon {moon}", **edge)
    ax.set(xlabel="$x_1$", ylabel="$x_2$", title=name)


def main(short=False):
    title("A network of two hidden layers on 400 points")
    x, y = tm.data.moons(400, noise=0.15, rng=0)
    test = tm.data.moons(1000, noise=0.15, rng=1)
    net = nn.Sequential(
        nn.Linear(2, 16, rng=0), nn.Tanh(), nn.Linear(16, 16, rng=1), nn.Tanh(), nn.Linear(16, 2, rng=2)
    )
    optimizer = tm.optim.Adam(net.parameters(), lr=0.01)
    fig, axes = figure(columns=3, size=4.0)
    fig.set_size_inches(12.5, 3.9)
    out, done = {}, 0
    for ax, epochs in zip(axes, (1, 2, 3) if short else (1, 10, 100), strict=True):
        tm.train.fit(net, (x, y), F.cross_entropy, optimizer, epochs - done, compile=True, progress=False)
        done = epochs
        found = tm.train.evaluate(net, test, F.cross_entropy, {"accuracy": tm.train.accuracy})
        right = f"{100 * found['accuracy']:.1f} % of new points right"
        print(f"epoch {epochs:3}: loss {found['loss']:.4f}, {right}")
        draw(ax, net, x, y, f"epoch {epochs}: {right}")
        out[f"accuracy {epochs}"] = out["accuracy"] = found["accuracy"]
    axes[0].plot([], [], color=BLACK, label="boundary: both moons as likely")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    save(fig, "30_moons")
    return out


if __name__ == "__main__":
    main()
