"""Which step size and which width? One network for each pair, and a map of where learning goes well."""

import time

import numpy as np
from gallery import save, title

import tinygrad_math as tm
from tinygrad_math import nn
from tinygrad_math.nn import functional as F
from tinygrad_math.viz.pictures.canvas import PALETTE, figure


def train(width, lr, data, test, epochs):
    """The loss and the share of right answers on new points of a network of one hidden layer."""
    net = nn.Sequential(nn.Linear(2, width, rng=0), nn.Tanh(), nn.Linear(width, 3, rng=1))
    optimizer = tm.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    loader = tm.data.DataLoader(data, batch_size=100, shuffle=True, seed=0)
    tm.train.fit(net, loader, F.cross_entropy, optimizer, epochs, compile=True, progress=False)
    found = tm.train.evaluate(net, test, F.cross_entropy, {"accuracy": tm.train.accuracy})
    return found["loss"], found["accuracy"]


def main(short=False):
    title("Three arms of a spiral, networks of many widths, SGD of many step sizes")
    data, test = tm.data.spirals(600, noise=0.03, rng=0), tm.data.spirals(600, noise=0.03, rng=1)
    widths = [2, 16] if short else [2, 4, 8, 16, 32, 64]
    rates = [0.01, 1.0] if short else [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]
    start = time.perf_counter()
    found = np.array([[train(width, lr, data, test, 2 if short else 80) for lr in rates] for width in widths])
    losses, right = found[..., 0], found[..., 1]
    seconds = time.perf_counter() - start
    print(f"{losses.size} networks in {seconds:.1f} s, each compiled")
    row, column = np.unravel_index(right.argmax(), right.shape)
    out = {"best": (widths[row], rates[column]), "right": float(right.max()), "narrow": float(right[0].max())}
    out["far"], out["slow"] = float(right[:, -1].mean()), float(right[:, 0].mean())
    print(f"best: width {widths[row]}, step size {rates[column]}: {100 * right.max():.1f} % of new points right")
    print(f"width {widths[0]} never gets beyond {100 * out['narrow']:.1f} %")
    print(f"step size {rates[0]}: {100 * out['slow']:.0f} % right on average, {rates[-1]}: {100 * out['far']:.0f} %")

    fig, (left, middle) = figure(columns=2, size=4.8)
    picture = left.imshow(100 * right, cmap="viridis", vmin=100 / 3, vmax=100, origin="lower", aspect="auto")
    for (k, j), share in np.ndenumerate(right):
        left.text(j, k, f"{100 * share:.0f}", ha="center", va="center", color="black" if share > 0.75 else "white")
    left.set_xticks(np.arange(len(rates)), [f"{lr:g}" for lr in rates])
    left.set_yticks(np.arange(len(widths)), widths)
    left.set(xlabel="step size", ylabel="width", title="% of new points right")
    fig.colorbar(picture, ax=left)
    for k, width in enumerate(widths):
        middle.plot(rates, losses[k], marker=".", color=PALETTE[k], label=f"width {width}")
    middle.set(xscale="log", xlabel="step size", ylabel="cross-entropy", title="loss on new points")
    middle.legend(frameon=False)
    middle.spines[["top", "right"]].set_visible(False)
    save(fig, "37_sweep")
    return out


if __name__ == "__main__":
    main()
