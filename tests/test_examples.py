"""Every script of the gallery runs, fast; its numbers are the lecture's, or its network learns what it says."""

import math
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

import tinygrad_math as tm

ROOT = Path(__file__).parents[1] / "examples"
SCRIPTS = sorted(p.stem for p in ROOT.glob("[0-9][0-9]_*.py"))
TRAINING = [name for name in SCRIPTS if name >= "30"]
COS, SIN = 1 / math.sqrt(2), 1 / math.sqrt(3)

# what each main() must return: a number, or a claim about it
EXPECTED = {
    "01_linear_equations": {"b": 4, "gradient": [2, -1, 3], "linear": 0},
    "02_distance": {
        "1-D": 3,
        "2-D": 5,
        "3-D": 3,
        "n-D": 4,
        "gradient": [0.6, 0.8],
        "coincident": [0, 0],
        "L1": 7,
        "Linf": 4,
    },
    "03_vector_operations": {
        "sum": [4, 11, 15],
        "difference": [-2, 3, 1],
        "dot": 87,
        "dot with itself": 114,
        "cross": [17, 17, -17],
        "cross is orthogonal": [0, 0],
        "angle": math.acos(87 / math.sqrt(114 * 74)),
        "right angle": 90,
        "orthogonal": True,
        "arccos": 0,
        "tiny angle": 1,
        "slope": [0, 1],
    },
    "04_hadamard_product": {
        "product": [[3, 30, 21], [0, 18, 72]],
        "three": [[6, 0, 21], [0, 18, 36]],
        "gradient": [[2, 0, 3], [0, 2, 4.5]],
        "refused": True,
    },
    "05_lstm_cell": {
        "step": lambda out: out["expected"],
        "slope": lambda out: out["forget gate"],
        "bias 0": lambda out: out["bias 0"] < 1e-6,
        "bias 5": lambda out: out["bias 5"] > 1,
    },
    "06_projection": {
        "scalar": 2,
        "by angle": 2,
        "vector": [2, 0],
        "rest": [0, 2],
        "orthogonal": 0,
        "matrix": [[1, 0, 0], [0, 1, 0], [0, 0, 0]],
        "plane": [2, 2, 0],
        "twice": 0,
        "jacobian": [[1, 0], [0, 0]],
    },
    "07_neuron": {
        "response": 1.5,
        "law": 1.5,
        "x": lambda out: out["w/|w|"],
        "best": lambda out: out["|w|"],
        "tangent": 0,
        "layer": [7, 3],
    },
    "08_unit_vector": {
        "unit": [0.6, 0.8],
        "length": 1,
        "scale": [0.6, 0.8],
        "jacobian": [[0.128, -0.096], [-0.096, 0.072]],
        "along a": [0, 0],
        "refused": True,
    },
    "09_hyperplane": {
        "side": [1, -1, 0],
        "distance": 4,
        "foot": [0.6, 0.8],
        "origin": 0,
        "through": lambda out: np.allclose(out["through"][0], [1, 1, 1]) and np.isclose(out["through"][1], -1),
        "right": lambda out: out["right"] > 0.95,
    },
    "10_spheres": {
        "circle": [-1, 0, 1],
        "sphere": 0,
        "hypersphere": 0,
        "disc": 4 * math.pi,
        "ball": 32 / 3 * math.pi,
        "ellipse": 6 * math.pi,
        "cube": 8,
        "box": 6,
        "surface": 16 * math.pi,
        "fit": lambda out: np.allclose(out["fit"], [3, 1, -2], atol=0.05),
    },
    "11_matrices_as_maps": {
        "stretch": [5, 5],
        "rotate": [-1, 1],
        "reflect": [0, 1],
        "project": [1, 0],
        "shear": [3.5, 3],
        "squeeze": [2, 0.5],
        "det": lambda out: np.allclose(list(out["det"].values()), [25, 1, -1, 0, 1, 1]),
        "derivative": 0,
        "theta": 1.2,
    },
    "12_eigenvectors": {
        "column view": [3, 5],
        "eigen": [3, 3],
        "eigenvalues": [-2, 3],
        "eigenvectors": [[-1.5, 1], [1, 1]],
        "sum": 1,
        "product": -6,
        "slope": [[0.4, 0.4], [0.6, 0.6]],
        "scaled": math.sqrt(34 / 5),
    },
    "13_linear_systems": {
        "dim": 2,
        "origin": True,
        "closed": True,
        "outside": lambda out: out["outside"][0] == "none",
        "meet, join": [1, 3],
        "inside": lambda out: out["inside"][0] == "unique" and np.allclose(out["inside"][1], [1, 1]),
        "residual": [0, 0],
        "off": SIN,
        "slope": [SIN, -SIN, SIN],
    },
    "14_independence_and_basis": {
        "two": True,
        "three": False,
        "relation": [1, -1, 1],
        "basis": [[1, 0, 1], [0, 1, 0]],
        "dimension": 2,
        "is basis": True,
        "too few": False,
        "coordinates": [1, 1],
        "refused": True,
    },
    "15_change_of_basis": {
        "standard": [2, 2, 2],
        "turned": [1 + math.sqrt(3), math.sqrt(3) - 1, 2],
        "length": 2 * math.sqrt(3),
        "projections": lambda out: out["turned"],
        "back": [2, 2, 2],
        "skew": [2, 0, 2],
        "to": [2, 0, 2],
        "theta": 45,
    },
    "16_fourier_basis": {
        "unitary": 0,
        "fft": 0,
        "spectrum": [1, 0.5, 0, 0.25, 0, 0.25, 0, 0.5],
        "energy": 0,
        "back": 0,
        "slope": [1, COS, 0, -COS, -1, -COS, 0, COS],
    },
    "17_four_subspaces": {
        "rank": 2,
        "row rank": 2,
        "relation": [1, 3],
        "dims": [2, 0, 2, 1],
        "larger": [2, 3, 2, 2],
        "null": 0,
        "orthogonal": 0,
        "left": 0,
        "seen": 0,
        "scale": 0,
    },
    "18_network_jacobian": {
        "losses": lambda out: out["losses"][1] < 0.3 * out["losses"][0],
        "dims": [2, 3, 2, 2],
        "blind": 0,
        "sees": lambda out: out["sees"] > 0.1,
        "weight": lambda out: min(out["weight"][:2]) > 0.9 and max(out["weight"][2:]) < 0.2,
        "closed": 0,
    },
    "19_inverse": {
        "inverse": [[0.6, -0.2], [-0.2, 0.4]],
        "identity": 0,
        "product": 0,
        "transpose": 0,
        "solution": [0.8, 1.4],
        "derivative": [[0.12, -0.24], [-0.04, 0.08]],
        "law": 0,
        "refused": True,
    },
    "20_least_squares": {
        "over": [3 / 7, 1 / 7],
        "over, descent": [3 / 7, 1 / 7],
        "normal equations": [0, 0],
        "under": [4 / 14, -1 / 14, 5 / 14],
        "under, descent": [4 / 14, -1 / 14, 5 / 14],
        "other": [0, 0],
        "longer": lambda out: out["longer"] > 0.1,
        "along null": 0,
        "slope": 0,
    },
    "21_derivatives": {
        "first": 6,
        "second": 2,
        "third": 0,
        "partial": 2,
        "gradient": [2, 4],
        "hessian": [[2, 0], [0, 2]],
        "symmetric": 0,
        "jacobian of grad": 0,
    },
    "22_chain_rule": {
        "product": 36,
        "product rule": 36,
        "quotient": 1 / 3,
        "quotient rule": 1 / 3,
        "dz/du": lambda out: out["by hand"][0],
        "dz/dv": lambda out: out["by hand"][1],
        "total": lambda out: out["paths"],
    },
    "23_matrix_algebra": {
        "transpose": [[1, 3], [2, 2], [3, 1]],
        "AB": [[2, 3], [2, 5]],
        "BA": [[6, 4, 2], [-2, 0, 2], [3, 2, 1]],
        "identity": [5, 6, 7],
        "refused": True,
        "in A": 0,
        "in B": 0,
        "broadcast back": [[2, 2, 2]],
    },
    "24_norms": {
        "L1": 7,
        "L2": 5,
        "L3": 91 ** (1 / 3),
        "Linf": 4,
        "frobenius": math.sqrt(30),
        "by trace": math.sqrt(30),
        "spectral": np.linalg.svd([[1, 2], [3, 4]], compute_uv=False)[0],
        "nuclear": np.linalg.svd([[1, 2], [3, 4]], compute_uv=False).sum(),
        "slope L2": [0.6, -0.8],
        "slope L1": [1, -1],
        "slope Linf": [0, -1],
        "slope F": [[1, 2], [3, 4]],
        "at 0": [0, 0],
    },
    "25_rotations": {
        "x": [0, 0, 1],
        "y": [1, 0, 0],
        "z": [0, 1, 0],
        **{f"laws {k}": [0, 0, 0] for k in "xyz"},
        "order": lambda out: out["order"] > 0.1,
        "generator x": [0, -3, 2],
        "generator y": [3, 0, -1],
        "generator z": [-2, 1, 0],
    },
}


# of the scripts that train: what a short run shows already, and what a full one reaches
SHORT = {
    "30_moons": lambda out: out["accuracy"] > 0.8,
    "31_digits": lambda out: out["eager"] == out["compiled"] > 0.8 and out["apart"] < 1e-12,
    "32_convolution": lambda out: out["accuracy"] > 0.4,
    "33_characters": lambda out: out["losses"][1] < out["losses"][0],
    "34_sorting": lambda out: out["right"] > 0.15,
    "35_autoencoder": lambda out: out["loss"] < 0.9 * out["plain"],
    "36_newton": lambda out: abs(out["condition"] - 2508.009601) < 1e-4 and out["NewtonCG"] < 30 < out["SGD"],
    "37_sweep": lambda out: out["right"] > 0.4,
    "40_newton_spectrum": lambda out: out["negative"][0] > 10 and out["steps"] == 8,
    "41_laplace": lambda out: (
        abs(out["linear"] - out["bayes"]) < 1e-9 and out["in the gap"] > 2 * out["among the measurements"]
    ),
    "42_influence": lambda out: out["correlation"] > 0.95 and (out["harmful"], out["helpful"]) == (2, 8),
    "43_soap_film": lambda out: abs(out["order"] - 2) < 0.1 and out["slope"] < 1e-9,
    "44_edge_of_stability": lambda out: out["falls"] < 1 < out["grows"] and abs(out[0.2] - 1) < 0.1,
    "45_physics_informed": lambda out: out["losses"][1] < 0.3 * out["losses"][0],
    "46_trajectories": lambda out: out["branch"] and 1.8 < out["drift"] / out["drift, half the step"] < 2.2,
    "47_seeds": lambda out: out["apart"] < 1e-10 and out["best"] > 0.7,
    "48_chaos": lambda out: abs(out["ln 2"] - math.log(2)) < 0.02 and out["negative"] == 1.0,
    "50_many_rows": lambda out: out["off"] < 4 and out["losses"][6] < out["losses"][1] < out["losses"][0],
}
FULL = {
    "30_moons": lambda out: out["accuracy 1"] < out["accuracy 10"] < 0.95 and out["accuracy"] > 0.98,
    "31_digits": lambda out: out["eager"] > 0.97 and out["compiled"] > 0.97 and out["apart"] < 1e-6,
    "32_convolution": lambda out: out["accuracy"] > 0.98,
    "33_characters": lambda out: out["known"] > 0.8,
    "34_sorting": lambda out: out["right"] > 0.99 and out["answer"] == [0, 1, 2, 4, 5, 7, 8, 9],
    "35_autoencoder": lambda out: out["loss"] < 0.5 * out["plain"] and out["agree"] > 0.8 > 0.6 > out["linear"],
    "36_newton": lambda out: out["NewtonCG"] < 30 and out["LBFGS"] < 60 and out["SGD"] > 10000,
    "37_sweep": lambda out: out["right"] > 0.95 and max(out["narrow"], out["slow"], out["far"]) < 0.7,
    "40_newton_spectrum": lambda out: out["negative"][1] == 0 and out["slope"] < 1e-10 < 1e-4 < out["adam"],
    "41_laplace": lambda out: out["in the gap"] > 10 * out["among the measurements"] and 0.92 < out["covered"] < 0.98,
    "42_influence": lambda out: (
        out["correlation"] > 0.99 and (out["harmful"], out["helpful"]) == (out["guess"], out["answer"])
    ),
    "43_soap_film": lambda out: out["unknowns"] == 99856 and out["error"] < 5e-6 and out["steps"] < 15,
    "44_edge_of_stability": lambda out: all(abs(out[rate] - 1) < 0.05 for rate in (0.05, 0.1, 0.2)),
    "45_physics_informed": lambda out: out["error"] < 2e-3 and out["energy"] < 2e-3,
    "46_trajectories": lambda out: out["arrived"] > 0.99 and out["branch"] and np.allclose(out["saddle"], [-1, 1]),
    "47_seeds": lambda out: out["median"][0] < 0.9 < 0.95 < out["median"][1] and out["spread"][1] > 0.05,
    "48_chaos": lambda out: abs(out["ln 2"] - math.log(2)) < 0.005 and abs(out["chaotic"]) > 1e3 > abs(out["stable"]),
    "50_many_rows": lambda out: out["off"] < 4 and out["apart"] < 0.01 and out["right"] > 0.77,
}


def run(name, monkeypatch, tmp_path, **options):
    """What a script's main() returns; its pictures go to a folder of the test's own."""
    monkeypatch.syspath_prepend(ROOT)
    import gallery

    monkeypatch.setattr(gallery, "OUTPUT", tmp_path)
    return runpy.run_path(str(ROOT / f"{name}.py"))["main"](**options)


def draws(printed, tmp_path):
    """Whether every picture that was told of is there, and is more than an empty page."""
    pictures = re.findall(r"picture: \S+/(\S+)\.png", printed)
    return all((tmp_path / f"{p}.png").stat().st_size > 5000 for p in pictures) and bool(pictures)


def test_every_script_has_its_numbers_here():
    assert sorted(EXPECTED) + sorted(SHORT) == SCRIPTS
    assert sorted(FULL) == TRAINING


@pytest.mark.parametrize("name", EXPECTED)
def test_a_script_runs_and_its_numbers_are_the_lectures(name, monkeypatch, tmp_path, capsys):
    out = run(name, monkeypatch, tmp_path)
    printed = capsys.readouterr().out
    for key, want in EXPECTED[name].items():
        if callable(want):
            want = want(out)
            if isinstance(want, (bool, np.bool_)):
                assert want, f"{name}: {key} is {out[key]}"
                continue
        np.testing.assert_allclose(out[key], want, rtol=0, atol=1e-9, err_msg=f"{name}: {key}")
    assert "computed" in printed
    assert "picture: " not in printed or draws(printed, tmp_path)


@pytest.mark.parametrize("name", TRAINING)
def test_a_network_of_the_gallery_learns_within_a_second_or_two(name, monkeypatch, tmp_path, capsys):
    pytest.importorskip("sklearn")
    out = run(name, monkeypatch, tmp_path, short=True)
    assert SHORT[name](out), out
    assert draws(capsys.readouterr().out, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", TRAINING)
def test_a_network_of_the_gallery_learns_what_its_script_says(name, monkeypatch, tmp_path, capsys):
    pytest.importorskip("sklearn")
    out = run(name, monkeypatch, tmp_path)
    assert FULL[name](out), out
    assert draws(capsys.readouterr().out, tmp_path)


def test_the_main_example_meets_the_least_squares_map(capsys):
    out = runpy.run_path(str(ROOT / "two_layer_linear.py"))["main"]()
    flowers = tm.data.iris()
    x, y = (np.asarray(part) - np.asarray(part).mean(axis=0) for part in (flowers.sepal, flowers.petal))
    np.testing.assert_allclose(out["w"], np.linalg.lstsq(x, y, rcond=None)[0].T, atol=2e-6)
    assert "row view" in capsys.readouterr().out


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_one_idea_of_under_100_lines(name):
    lines = (ROOT / f"{name}.py").read_text().splitlines()
    assert len(lines) < 100
    assert lines[0].startswith('"""')


def test_the_readme_maps_every_script():
    text = (ROOT / "README.md").read_text()
    assert [s for s in [*SCRIPTS, "two_layer_linear"] if f"{s}.py" not in text] == []
