"""Pictures are figures that show the right things, and leave nothing behind."""

import io
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.geometry import Hypercube, Hyperellipsoid, Hyperplane, Hyperrectangle, Hypersphere
from tinygrad_math.linalg import Basis

PICTURES = {
    "vectors": lambda: tm.viz.vectors([3.0, 1.0], [1.0, 2.0]),
    "vectors of an obtuse angle": lambda: tm.viz.vectors([1.0, 2.0], [-3.0, -1.0]),
    "body, a circle": lambda: tm.viz.body(Hypersphere(5.0), points=[[3.0, 4.0], [1.0, 1.0], [5.0, 5.0]]),
    "body, an ellipse": lambda: tm.viz.body(Hyperellipsoid([2.0, 1.0], [1.0, 0.0])),
    "body, a square": lambda: tm.viz.body(Hypercube(2.0), points=[[0.0, 0.5]]),
    "body, a rectangle": lambda: tm.viz.body(Hyperrectangle([0.0, -1.0], [2.0, 0.5])),
    "matrix_map": lambda: tm.viz.matrix_map([[0.0, 3.0], [2.0, 1.0]]),
    "matrix_map of a rotation": lambda: tm.viz.matrix_map([[0.0, -1.0], [1.0, 0.0]]),
    "matrix_map of a projection": lambda: tm.viz.matrix_map([[1.0, 0.0], [0.0, 0.0]]),
    "projection": lambda: tm.viz.projection([2.0, 2.0], [3.0, 0.6]),
    "projection backwards": lambda: tm.viz.projection([-1.0, 2.0], [3.0, 0.6]),
    "hyperplane": lambda: tm.viz.hyperplane(Hyperplane([1.0, 2.0], -2.0), points=[[2.0, 2.0], [-1.0, 0.0], [2.0, 0.0]]),
    "hyperplane alone": lambda: tm.viz.hyperplane([1.0, 2.0], -2.0),
    "unit_balls": lambda: tm.viz.unit_balls([1, 1.5, 2, np.inf]),
    "change_of_basis": lambda: tm.viz.change_of_basis(Basis([[1.0, -0.5], [0.5, 1.0]]), [1.0, 2.0]),
    "dft_basis": lambda: tm.viz.dft_basis(5),
    "four_subspaces 2-D": lambda: tm.viz.four_subspaces([[1.0, 2.0], [2.0, 4.0]]),
    "four_subspaces 3-D": lambda: tm.viz.four_subspaces([[1.0, 0.0], [2.0, 3.0], [1.0, 3.0]]),
    "four_subspaces of full rank": lambda: tm.viz.four_subspaces(np.eye(3)),
    "four_subspaces of a row": lambda: tm.viz.four_subspaces([[1.0, 2.0, 0.0]]),
    "gradient_field": lambda: tm.viz.gradient_field(lambda x: x[0] ** 2 + 3.0 * x[1] ** 2, start=[1.8, 1.2]),
    "curvature": lambda: tm.viz.curvature(lambda x: x[0] ** 2 + x[0] * x[1] + 2.0 * x[1] ** 2, [0.0, 0.0]),
    "curvature of a saddle": lambda: tm.viz.curvature(lambda x: x[0] ** 2 - x[1] ** 2, [0.0, 0.0]),
    "curvature of a valley": lambda: tm.viz.curvature(lambda x: x[0] ** 2 + 0.0 * x[1], [0.0, 0.0]),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_a_figure_of_its_own_with_labelled_axes_of_equal_scale_whose_labels_keep_apart(name):
    from matplotlib import pyplot
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

    before = pyplot.get_fignums()
    figure = PICTURES[name]()
    assert pyplot.get_fignums() == before
    assert isinstance(figure, Figure)
    figure.savefig(io.BytesIO())
    assert figure.axes
    for ax in figure.axes:
        boxes = [t.get_window_extent() for t in ax.texts if isinstance(t, Annotation) and t.get_text()]
        for k, one in enumerate(boxes):
            assert not any(one.overlaps(other) for other in boxes[:k]), [t.get_text() for t in ax.texts]
        if "dft" not in name:  # a picture of time, not of space
            assert ax.get_xlabel()
            assert hasattr(ax, "zaxis") or ax.get_aspect() == 1


def test_signed_distances_of_a_crowd_keep_apart():
    points = np.array([[1.0, 1.0], [1.1, 1.05], [0.9, 1.1], [-1.0, 0.0], [-1.1, 0.1], [2.0, 0.0]])
    figure = tm.viz.hyperplane(Hyperplane([1.0, 2.0], -2.0), points=points)
    figure.savefig(io.BytesIO())
    boxes = [t.get_window_extent() for t in figure.axes[0].texts if t.get_text()]
    assert len(boxes) == 6
    assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[:k])


def test_a_notebook_shows_a_picture_by_itself():
    figure = tm.viz.projection([2.0, 2.0], [3.0, 0.6])
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_importing_the_package_does_not_import_matplotlib():
    code = "import sys, tinygrad_math as tm; tm.viz.matrix_map; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_matplotlib_a_picture_names_the_extra(monkeypatch):
    for name in [m for m in sys.modules if m.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(tm.MissingExtra, match=r"\.\[viz\]"):
        tm.viz.matrix_map([[1.0, 0.0], [0.0, 1.0]])


def test_the_image_of_the_circle_is_the_ellipse_of_the_singular_values():
    a = np.array([[0.0, 3.0], [2.0, 1.0]])
    after = tm.viz.matrix_map(a).axes[1]
    ellipse = next(line for line in after.lines if line.get_label() == "unit circle and its image").get_xydata()
    lengths = np.linalg.norm(ellipse, axis=1)
    sigma = np.linalg.svd(a, compute_uv=False)
    assert lengths.max() == pytest.approx(sigma[0], rel=1e-3)
    assert lengths.min() == pytest.approx(sigma[1], rel=1e-3)
    assert "det = -6" in after.get_title()


def test_signed_distances_stand_beside_their_points():
    line = Hyperplane([1.0, 2.0], -2.0)
    points = np.array([[2.0, 2.0], [-1.0, 0.0]])
    (ax,) = tm.viz.hyperplane(line, points=points).axes
    texts = {text.get_text() for text in ax.texts}
    assert {f"{d:+.2f}" for d in (np.array([4.0, -3.0]) / np.sqrt(5))} <= texts


def test_gradients_in_the_picture_of_norms_are_those_of_numpy():
    (ax,) = tm.viz.unit_balls([2]).axes
    (arrows,) = [c for c in ax.collections if hasattr(c, "U")]
    slopes = np.stack([arrows.U, arrows.V], axis=1)
    np.testing.assert_allclose(slopes, 0.42 * arrows.XY, atol=1e-12)


def test_descent_in_the_picture_follows_the_closed_form():
    (ax,) = tm.viz.gradient_field(lambda x: x[0] ** 2 + 3.0 * x[1] ** 2, start=[1.8, 1.2], rate=0.1, steps=10).axes
    path = next(line for line in ax.lines if str(line.get_label()).startswith("descent")).get_xydata()
    steps = np.arange(11)
    np.testing.assert_allclose(path, np.stack([1.8 * 0.8**steps, 1.2 * 0.4**steps], axis=1), atol=1e-12)


def test_the_curvature_ellipse_has_the_axes_of_the_hessian():
    (ax,) = tm.viz.curvature(lambda x: 2.0 * x[0] ** 2 + 0.5 * x[1] ** 2, [1.0, -1.0]).axes
    ellipse = next(line for line in ax.lines if "d^" in str(line.get_label())).get_xydata() - [1.0, -1.0]
    width, height = np.abs(ellipse).max(axis=0)
    assert height / width == pytest.approx(np.sqrt(4.0 / 1.0), rel=1e-6)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: tm.viz.matrix_map(np.eye(3)),
        lambda: tm.viz.vectors([1.0, 2.0, 3.0], [1.0, 0.0, 0.0]),
        lambda: tm.viz.body(Hypersphere(1.0, [0.0, 0.0, 0.0])),
        lambda: tm.viz.projection([1.0, 2.0, 3.0], [1.0, 0.0, 0.0]),
        lambda: tm.viz.hyperplane(Hyperplane([1.0, 2.0, 3.0])),
        lambda: tm.viz.four_subspaces(np.ones((4, 2))),
        lambda: tm.viz.change_of_basis(np.eye(3), [1.0, 2.0, 3.0]),
        lambda: tm.viz.curvature(lambda x: x[0], [1.0]),
    ],
)
def test_what_does_not_fit_on_the_plane_is_refused(bad):
    with pytest.raises(tm.ShapeError):
        bad()


def test_a_picture_takes_an_ax_a_title_a_size_and_labels():
    from matplotlib.figure import Figure

    own = Figure()
    ax = own.add_subplot()
    assert tm.viz.vectors([3.0, 1.0], [1.0, 2.0], ax=ax, title="mine", labels=("u", "v")) is own
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("mine", "u", "v")
    wide = tm.viz.four_subspaces([[1.0, 2.0], [2.0, 4.0]], figsize=(9.0, 3.0), title="both")
    assert tuple(wide.get_size_inches()) == (9.0, 3.0)
    assert wide.get_suptitle() == "both"
    with pytest.raises(tm.ArgumentError, match="2 parts"):
        tm.viz.matrix_map(np.eye(2), ax=ax)
    with pytest.raises(tm.ArgumentError, match="colour"):
        tm.viz.projection([1.0, 2.0], [1.0, 0.0], colour="red")


def test_vectors_draws_any_number_of_them_tip_to_tail():
    fig = tm.viz.vectors([1.0, 0.0], [0.0, 2.0], [1.0, 1.0], names=["u", "v", "w"])
    (ax,) = fig.axes
    assert ax.get_title() == "u + v + w = (2, 3)"
    assert {t.get_text() for t in ax.texts} >= {"u", "v", "w", "sum"}
    assert "(1, 2)" in tm.viz.vectors([1.0, 2.0]).axes[0].get_title()
    for wrong in ({"vs": ()}, {"vs": ([1.0, 2.0, 3.0],)}, {"vs": ([1.0, 2.0],), "names": ["a", "b"]}):
        with pytest.raises(tm.MathError):
            tm.viz.vectors(*wrong["vs"], names=wrong.get("names"))


def test_the_two_halves_of_a_rotation_have_one_scale():
    before, after = tm.viz.matrix_map([[0.0, -1.0], [1.0, 0.0]]).axes[:2]
    assert before.get_xlim() == after.get_xlim()


def test_a_plane_in_space_stays_inside_its_box():
    fig = tm.viz.four_subspaces([[1.0, 2.0, 0.0]])
    (patch,) = (c for ax in fig.axes if hasattr(ax, "zaxis") for c in ax.collections)
    assert np.abs(np.asarray(patch._faces)).max() < 1.5


def test_a_symmetric_matrix_is_said_to_have_one_row_and_column_space():
    assert "both sides are alike" in tm.viz.four_subspaces([[1.0, 2.0], [2.0, 4.0]]).get_suptitle()
    assert "alike" not in tm.viz.four_subspaces([[1.0, 2.0], [3.0, 6.0]]).get_suptitle()


def test_a_field_has_no_arrows_where_the_function_is_not_defined():
    fig = tm.viz.gradient_field(lambda x: tm.log(x[0]) + x[1] ** 2)
    (ax,) = fig.axes
    (quiver,) = (c for c in ax.collections if type(c).__name__ == "Quiver")
    assert len(quiver.X) == 55
    assert quiver.X.min() > 0
    assert "no finite value" in [t.get_text() for t in ax.get_legend().get_texts()]


def test_level_lines_are_smooth_and_a_plane_is_flat_along_both_axes():
    fig = tm.viz.curvature(lambda x: x[0] ** 2 + 3.0 * x[1] ** 2, [0.0, 0.0])
    (lines,) = (c for c in fig.axes[0].collections if type(c).__name__ == "QuadContourSet")
    level = lines.levels[0]
    ring = np.concatenate([p.vertices for p in lines.get_paths()[:1]])
    np.testing.assert_allclose(ring[:, 0] ** 2 + 3.0 * ring[:, 1] ** 2, level, rtol=0.02)
    flat = tm.viz.curvature(lambda x: x[0] + 2.0 * x[1], [0.0, 0.0])
    assert any("both axes" in t.get_text() for t in flat.axes[0].get_legend().get_texts())


def valley(x):
    return 0.5 * (1.0 - x[0]) ** 2 + 2.0 * (x[1] - x[0] ** 2) ** 2


@pytest.mark.parametrize(
    "draw",
    [
        lambda: tm.viz.gradient_field(valley, start=[-1.2, 1.2], rate=0.05, steps=80, limit=1.6),
        lambda: tm.viz.curvature(valley, [1.0, 1.0]),
        lambda: tm.viz.curvature(lambda x: x[0] ** 2 - x[1] ** 2, [0.0, 0.0]),
    ],
    ids=["descent", "ellipse", "saddle"],
)
def test_the_heights_of_level_lines_stand_on_them_within_the_picture_and_on_nothing_else(draw):
    fig = draw()
    (ax,) = fig.axes
    fig.canvas.draw()
    box = ax.get_window_extent()
    (lines,) = (c for c in ax.collections if type(c).__name__ == "QuadContourSet")
    words = lines.labelTexts
    assert len(words) >= 6
    drawn = [
        p for line in ax.lines if line.get_linewidth() > 1 for p in dense(ax.transData.transform(line.get_xydata()))
    ]
    for w in words:
        # its middle line and its ends, as it is turned
        at = np.array(w.get_window_extent().corners()).mean(axis=0)
        turn, half = np.radians(w.get_rotation()), 1.2 * len(w.get_text()) * w.get_fontsize() * fig.dpi / 72 / 4
        ends = [at + t * half * np.array([np.cos(turn), np.sin(turn)]) for t in (-1, -0.5, 0, 0.5, 1)]
        assert all(box.x0 < x < box.x1 and box.y0 < y < box.y1 for x, y in ends), w
        assert min(np.linalg.norm(e - p) for e in ends for p in drawn) > 4.0, w


def dense(line):
    return np.concatenate([line[:-1] + t * np.diff(line, axis=0) for t in np.linspace(0, 1, 9)] or [line])


def test_of_a_crowd_of_points_the_outermost_distances_are_told():
    rng = np.random.default_rng(0)
    fig = tm.viz.hyperplane([1.0, 2.0], -1.0, points=rng.normal(size=(60, 2)))
    told = sorted(float(t.get_text()) for t in fig.axes[0].texts if t.get_text()[:1] in "+-" and t.get_text())
    assert len(told) == 4
    d = (np.random.default_rng(0).normal(size=(60, 2)) @ [1.0, 2.0] - 1.0) / np.sqrt(5.0)
    assert told[0] == pytest.approx(d.min(), abs=0.01)
    assert told[-1] == pytest.approx(d.max(), abs=0.01)


def test_show_is_no_error_without_a_screen(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    import matplotlib

    before = matplotlib.get_backend()
    matplotlib.use("agg")
    try:
        assert tm.viz.vectors([1.0, 2.0]).show() is None
    finally:
        matplotlib.use(before)


@pytest.mark.parametrize(
    ("asker", "draw"),
    [
        ("vectors", lambda bad: tm.viz.vectors([bad, 1.0])),
        ("matrix_map", lambda bad: tm.viz.matrix_map([[bad, 1.0], [1.0, 1.0]])),
        ("projection", lambda bad: tm.viz.projection([1.0, bad], [1.0, 0.0])),
        ("change_of_basis", lambda bad: tm.viz.change_of_basis(np.eye(2), [bad, 1.0])),
        ("four_subspaces", lambda bad: tm.viz.four_subspaces([[bad, 1.0]])),
        ("hyperplane", lambda bad: tm.viz.hyperplane([1.0, 1.0], 0.0, points=[[bad, 1.0]])),
        ("curvature", lambda bad: tm.viz.curvature(lambda x: (x * x).sum(), [bad, 1.0])),
        ("gradient_field", lambda bad: tm.viz.gradient_field(lambda x: (x * x).sum(), [bad, 1.0])),
    ],
    ids=lambda p: p if isinstance(p, str) else "",
)
def test_what_has_no_place_in_a_picture_is_refused_by_name(asker, draw):
    for bad in (np.nan, np.inf):
        with pytest.raises(tm.errors.ArgumentError, match=f"{asker} draws finite numbers"):
            draw(bad)
    with pytest.raises(tm.errors.DTypeError, match=f"{asker} draws real numbers, got complex"):
        draw(2j)


def test_a_descent_that_leaves_where_the_function_is_defined_ends_there():
    fig = tm.viz.gradient_field(lambda x: tm.log(x[0]) + x[1], [0.5, 0.5], rate=0.1, steps=30)
    path = next(line for line in fig.axes[0].lines if str(line.get_label()).startswith("descent"))
    x, _ = path.get_data()
    steps = 1 + next(k for k, v in enumerate(x) if v <= 0) if min(x) <= 0 else len(x)
    assert 2 < len(x) == steps < 31
    assert f"after {len(x) - 1} steps, $f$ = nan" in [line.get_label() for line in fig.axes[0].lines]
