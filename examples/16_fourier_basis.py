"""The discrete Fourier transform as a change of basis: from time to frequency."""

import numpy as np
from gallery import beside, save, title

import tinygrad_math as tm
from tinygrad_math.linalg import Basis


def main():
    n = 8
    f = Basis.fourier(n)
    title("The Fourier basis is orthonormal")
    gram = tm.conj(f.matrix).T @ f.matrix
    out = {"unitary": beside("F*F - I", 0, tm.abs(gram - np.eye(n)).max())}

    title("Coordinates in it are the DFT")
    t = np.arange(n)
    x = tm.tensor(1.0 + np.cos(2 * np.pi * t / n) + 0.5 * np.sin(2 * np.pi * 3 * t / n))
    c = f.coordinates(x)
    out["fft"] = beside("coordinates - fft(x, norm='ortho')", 0, tm.abs(c - tm.fft.fft(x, norm="ortho")).max())
    out["spectrum"] = beside("|c_k| / sqrt(n)", "1 .5 0 .25 0 .25 0 .5", tm.abs(c) / np.sqrt(n))
    out["energy"] = beside("|x|² - |c|² (Parseval)", 0, tm.sum(x * x) - tm.sum(tm.abs(c) ** 2))
    out["back"] = beside("back to time, minus x", 0, tm.abs(f.vector(c) - x).max())

    title("The gradient of the energy of one frequency is that frequency, in time")
    slope = tm.grad(lambda x: tm.abs(f.coordinates(x)[1]) ** 2)(x)
    expected = np.cos(2 * np.pi * t / n)
    out["slope"] = beside("d|c_1|²/dx", np.round(expected, 2), slope)
    save(tm.viz.dft_basis(n), "16_fourier_basis")
    return out


if __name__ == "__main__":
    main()
