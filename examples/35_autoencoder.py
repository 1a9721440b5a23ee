"""Digits through a bottleneck of two numbers: where each kind of digit comes to lie, without having been told."""

import time

import numpy as np
from gallery import save, title

import tinygrad_math as tm
from tinygrad_math import nn
from tinygrad_math.nn import functional as F
from tinygrad_math.viz.pictures.canvas import PALETTE, figure

COLORS = (*PALETTE, "#7A5230", "#8A8A8A", "#5B3FA0")


class Autoencoder(nn.Module):
    """64 pixels -> 2 numbers -> 64 pixels."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(64, 128, rng=0), nn.Tanh(), nn.Linear(128, 32, rng=0), nn.Tanh(), nn.Linear(32, 2, rng=0)
        )
        self.decoder = nn.Sequential(
            nn.Linear(2, 32, rng=1), nn.Tanh(), nn.Linear(32, 128, rng=1), nn.Tanh(), nn.Linear(128, 64, rng=1)
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


def neighbours_agree(codes, labels):
    """The share of digits whose nearest neighbours, five of them, are mostly digits of the same kind."""
    apart = np.hypot(*(column[:, None] - column for column in codes.T))
    np.fill_diagonal(apart, np.inf)
    kinds = labels[np.argpartition(apart, 5)[:, :5]]
    return float(np.mean((kinds == labels[:, None]).sum(axis=1) >= 3))


def main(short=False):
    title("Learn to draw 1,797 digits again from two numbers each")
    x, labels = tm.data.digits()
    x = x.astype(np.float32)
    net = Autoencoder().float()
    optimizer = tm.optim.Adam(net.parameters(), lr=3e-3)
    epochs = 2 if short else 80
    start = time.perf_counter()
    history = tm.train.fit(
        net,
        tm.data.DataLoader(x, batch_size=32, shuffle=True, seed=0),  # a batch of one part is its own target
        F.mse_loss,
        optimizer,
        epochs,
        scheduler=tm.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs),
        compile=True,
        progress=False,
    )
    with tm.no_grad():
        codes = net.eval().encoder(x).numpy()
    out = {"loss": history[-1]["loss"], "plain": float(x.var(axis=0).mean()), "agree": neighbours_agree(codes, labels)}
    seconds = time.perf_counter() - start
    print(f"mean squared error {out['loss']:.4f}, around the mean {out['plain']:.4f}; {seconds:.1f} s")
    print(f"the neighbours of {100 * out['agree']:.0f} % of the codes are digits of their kind (by chance: 10 %)")
    centred = x - x.mean(axis=0)
    flat = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    out["linear"] = neighbours_agree(flat, labels)
    print(f"of a linear map to two numbers, by the SVD: {100 * out['linear']:.0f} %")

    fig, (plane, drawn) = figure(columns=2, size=5.6)
    for kind in range(10):
        for at in codes[labels == kind][: 10 if short else 80]:
            plane.text(*at, str(kind), color=COLORS[kind], fontsize=8, ha="center", va="center", clip_on=True)
    low, high = codes.min(axis=0) - 0.3, codes.max(axis=0) + 0.3
    a, b = (np.linspace(*ends, 29)[1::2] for ends in zip(low, high, strict=True))
    with tm.no_grad():
        tiles = net.decoder(np.stack(np.meshgrid(a, b[::-1]), axis=-1).astype(np.float32)).numpy()
    framed = np.pad(tiles.reshape(14, 14, 8, 8), [(0, 0), (0, 0), (2, 2), (2, 2)])
    image = framed.swapaxes(1, 2).reshape(14 * 12, 14 * 12)
    extent = (low[0], high[0], low[1], high[1])
    drawn.imshow(image, cmap="gray_r", vmin=0, vmax=1, extent=extent, aspect="auto")
    plane.set_title("the codes of digits, each drawn as its digit")
    drawn.set_title("what the decoder draws at each place")
    for ax in (plane, drawn):
        ax.set(xlim=extent[:2], ylim=extent[2:], xlabel="first number", ylabel="second number")
    save(fig, "35_autoencoder")
    return out


if __name__ == "__main__":
    main()
