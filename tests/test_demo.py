"""The main job: its numbers, its files, its refusals."""

import numpy as np
import pytest

from tinygrad_math.__main__ import main
from tinygrad_math.demo import study


@pytest.fixture(scope="module")
def done():
    return study()


def test_two_layers_meet_the_least_squares_map(done):
    normal = np.linalg.solve(done.x.T @ done.x, done.x.T @ done.y).T  # the normal equations, another way
    np.testing.assert_allclose(done.w, normal, atol=1e-6)


def test_the_gradient_meets_finite_differences(done):
    np.testing.assert_allclose(done.gradient, done.differences, atol=1e-10)


def test_the_product_meets_the_dense_hessian(done):
    np.testing.assert_allclose(done.product, done.dense, atol=1e-12)
    np.testing.assert_allclose(done.curvature, done.curvature.T, atol=1e-12)


def test_power_iteration_finds_the_largest_eigenvalue(done):
    assert done.power[-1] == pytest.approx(np.linalg.eigvalsh(done.curvature)[-1], rel=1e-9)


def test_the_command_writes_its_report_and_pictures(tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "new" / "folder")]) == 0
    names = {p.name for p in (tmp_path / "new" / "folder").iterdir()}
    assert names == {"report.html", "graph.svg", "training.png", "unit_circle.png"}
    page = (tmp_path / "new" / "folder" / "report.html").read_text()
    assert "1.7755" in page
    assert "<svg" in page
    assert "W by least squares" in capsys.readouterr().out


def test_an_unwritable_folder_gets_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["demo", "--out", str(tmp_path / "file" / "below")]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "--out" in err


def test_bad_flags_get_one_line(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--nonsense"])
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
