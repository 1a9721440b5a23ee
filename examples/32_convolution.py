"""A small convolutional network reads digits to 98 %: the filters that it found, and what they see in a digit."""

import time

import numpy as np
from gallery import save, title

import tinygrad_math as tm
from tinygrad_math import nn
from tinygrad_math.nn import functional as F
from tinygrad_math.viz.pictures.canvas import figure


class Net(nn.Module):
    """Two convolutions, each followed by the largest of 2 x 2, and a linear layer on what is left."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1, rng=0)
        self.conv2 = nn.Conv2d(8, 32, 3, padding=1, rng=1)
        self.dropout = nn.Dropout(0.25)
        self.linear = nn.Linear(32 * 2 * 2, 10, rng=2)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.linear(self.dropout(x.flatten(1)))


def main(short=False):
    title("Two convolutions and a linear layer")
    x, y = tm.data.digits()
    images = x.reshape(-1, 1, 8, 8).astype(np.float32)
    data, test = tm.data.random_split(tm.data.TensorDataset(images, y), [1400, 397], rng=0)
    net = Net().float()
    out = {"parameters": sum(p.size for p in net.parameters())}
    print(f"{out['parameters']} parameters")
    optimizer = tm.optim.Adam(net.parameters(), lr=4e-3)
    epochs = 1 if short else 25
    start = time.perf_counter()
    history = tm.train.fit(
        net,
        tm.data.DataLoader(data, batch_size=32, shuffle=True, seed=0),
        F.cross_entropy,
        optimizer,
        epochs,
        validation=test,
        scheduler=tm.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs),
        compile=True,
        metrics={"accuracy": tm.train.accuracy},
        progress=False,
    )
    out["accuracy"] = history[-1]["val_accuracy"]
    print(f"{100 * out['accuracy']:.2f} % of 397 new digits right, after {time.perf_counter() - start:.1f} s")

    with tm.no_grad():
        digit = images[:1]
        seen = F.relu(net.conv1(digit))[0].numpy()
    filters = net.conv1.weight.detach().numpy()[:, 0]
    fig, axes = figure(columns=9, rows=2, size=1.3)
    fig.set_size_inches(12.5, 3.6)
    axes[0].set_axis_off()
    axes[9].imshow(digit[0, 0], cmap="gray_r")
    axes[9].set_title("the digit", fontsize=9)
    reach = np.abs(filters).max()
    for k in range(8):
        axes[1 + k].imshow(filters[k], cmap="RdBu", vmin=-reach, vmax=reach)
        axes[1 + k].set_title(f"filter {k + 1}", fontsize=9)
        axes[10 + k].imshow(seen[k], cmap="gray_r", vmin=0, vmax=seen.max())
        axes[10 + k].set_title("sees", fontsize=9)
    for ax in axes[1:]:
        ax.set(xticks=[], yticks=[])
    fig.suptitle(
        f"The filters of the first convolution (blue: positive, red: negative), {100 * out['accuracy']:.1f} % right",
        fontsize=11,
    )
    save(fig, "32_convolution")
    return out


if __name__ == "__main__":
    main()
