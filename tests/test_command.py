"""The commands `train`, `inspect` and `doctor`: their files, their refusals, and how they go on."""

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.__main__ import main
from tinygrad_math.command import pictures
from tinygrad_math.command.tasks import TASKS

PICTURES = {"plane": "boundary.png", "classes": "confusion.png", "numbers": "prediction.png"}
COMMON = {"curves.png", "gradients.png", "graph.svg", "metrics.csv", "checkpoint.npz", "report.html"}


@pytest.fixture
def without_report(monkeypatch):
    """Of the pictures and the page another test speaks; drawing them takes longer than training."""
    monkeypatch.setattr("tinygrad_math.command.report.write", lambda out, r: [])


@pytest.mark.parametrize("task", TASKS)
def test_every_task_trains_and_leaves_a_report(task, tmp_path, capsys):
    assert main(["train", task, "--epochs", "2", "--out", str(tmp_path)]) == 0
    picture = PICTURES.get(TASKS[task].kind)
    assert {p.name for p in tmp_path.iterdir()} == COMMON | ({picture} if picture else set())
    page = (tmp_path / "report.html").read_text()
    assert "<svg" in page
    assert page.count("data:image/png") == 2 + bool(picture)
    assert "http" not in page.replace("http://www.w3.org", "").replace("http-equiv", "")  # readable without a network
    assert (tmp_path / "metrics.csv").read_text().count("\n") == 3
    assert "on the test data" in capsys.readouterr().out


@pytest.mark.parametrize(
    "optimizer", ["sgd", "adam", "adamw", "rmsprop", "nadam", "radam", "adagrad", "adamax", "adadelta"]
)
@pytest.mark.parametrize("schedule", ["none", "cosine", "onecycle", "step", "exponential"])
def test_optimisers_and_schedules_go_together(optimizer, schedule, tmp_path, without_report):
    given = ["--epochs", "2", "--batch", "200", "--hidden", "4", "--out", str(tmp_path)]
    assert main(["train", "moons", "--optimizer", optimizer, "--schedule", schedule, *given]) == 0


def test_a_resumed_training_ends_where_the_unbroken_one_does(tmp_path, without_report):
    whole, parts = str(tmp_path / "whole"), str(tmp_path / "parts")
    given = ["train", "spirals", "--hidden", "8", "--schedule", "exponential", "--seed", "4"]
    main([*given, "--epochs", "4", "--out", whole])
    main([*given, "--epochs", "2", "--out", parts])
    main([*given, "--epochs", "4", "--out", parts, "--resume"])
    a, b = (tm.load(f"{folder}/checkpoint.npz") for folder in (whole, parts))
    for name, array in a["model"].items():
        np.testing.assert_array_equal(array, b["model"][name])
    assert a["random"] == b["random"]
    assert len(b["history"]) == 4


CHANGED = [
    ("cosine", ["--epochs", "6"], "--epochs 4.*schedule"), ("onecycle", ["--epochs", "6"], "--epochs 4"),
    ("step", ["--epochs", "6"], "--epochs 4"), ("none", ["--lr", "0.5"], "--lr"), ("none", ["--seed", "5"], "--seed 4"),
    ("none", ["--batch", "7"], "--batch 100"), ("none", ["--activation", "relu"], "--activation tanh"),
    ("none", ["--optimizer", "sgd"], "--optimizer adam"), ("none", ["--schedule", "step"], "scheduler|--schedule none"),
]  # fmt: skip


@pytest.mark.parametrize("schedule, more, told", CHANGED)
def test_a_run_is_resumed_with_the_settings_it_was_started_with(schedule, more, told, tmp_path, without_report, capsys):
    given = ["train", "moons", "--hidden", "4", "--batch", "100", "--seed", "4", "--epochs", "4"]
    given += ["--schedule", schedule, "--out", str(tmp_path)]
    assert main(given) == 0
    before = (tmp_path / "checkpoint.npz").read_bytes()
    capsys.readouterr()
    assert main([*given, *more, "--resume"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert re.search(told, err)
    assert (tmp_path / "checkpoint.npz").read_bytes() == before
    assert main([*given, "--resume"]) == 0


def test_compiling_changes_nothing(tmp_path, without_report):
    for flags in ([], ["--compile"]):
        main(["train", "moons", "--epochs", "2", "--out", str(tmp_path / str(len(flags))), *flags])
    a, b = (tm.load(tmp_path / str(k) / "checkpoint.npz")["model"] for k in (0, 1))
    for name, array in a.items():
        np.testing.assert_allclose(array, b[name], rtol=1e-8, atol=1e-10)


def test_ctrl_c_saves_and_says_how_to_resume(tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "tinygrad_math", "train", "moons", "--epochs", "100000", "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if (out / "checkpoint.npz").exists():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert tm.load(out / "checkpoint.npz")["progress"][0] > 0


WRONG = [
    [], ["nonsense"], ["train"], ["train", "mnist"], ["train", "moons", "--epochs", "0"],
    ["train", "moons", "--epochs", "2.5"],
    ["train", "moons", "--lr", "-1"], ["train", "moons", "--lr", "nan"], ["train", "moons", "--hidden", "a"],
    ["train", "moons", "--hidden", "0"], ["train", "moons", "--optimizer", "magic"], ["train", "moons", "--typo"],
    ["train", "moons", "--seed", "-1"], ["train", "moons", "--seed", "a"], ["train", "moons", "--seed", "1.5"],
    ["inspect"], ["inspect", "none.npz"], ["inspect", "."], ["doctor", "x"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_arguments_get_one_line_and_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "--help" in err


def test_help_shows_examples(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", "--help"])
    assert stop.value.code == 0
    assert "train digits --hidden 64,32" in capsys.readouterr().out


def test_failures_get_one_line_and_code_1(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for arguments in (
        ["train", "moons", "--out", str(tmp_path / "file" / "below")],
        ["train", "moons", "--out", str(tmp_path / "empty"), "--resume"],
        ["inspect", str(tmp_path / "file")],
        ["reference", "--out", str(tmp_path / "file")],
        ["train", "linear", "--activation", "relu", "--out", str(tmp_path / "linear")],
        ["train", "chars", "--activation", "tanh", "--out", str(tmp_path / "chars")],
    ):
        assert main(arguments) == 1
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert "Errno" not in err
    assert not (tmp_path / "linear").exists()


def test_a_damaged_file_is_named_once(tmp_path, capsys):
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    assert main(["inspect", str(tmp_path / "bad.npz")]) == 1
    assert capsys.readouterr().err.count("load:") == 1


def test_the_report_says_what_a_network_without_activations_has(tmp_path, capsys):
    assert main(["train", "linear", "--epochs", "1", "--out", str(tmp_path)]) == 0
    assert "<td>activation</td><td>none</td>" in (tmp_path / "report.html").read_text()


def test_huge_losses_are_told_in_few_characters(tmp_path, capsys, without_report):
    assert main(["train", "moons", "--epochs", "1", "--lr", "1e300", "--out", str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()[-2]) < 80


def test_a_gradient_of_zero_is_no_line_at_the_bottom_of_a_logarithmic_picture():
    fig = pictures.gradients([{"dead": 0.0, "live": 0.5}, {"dead": 0.0, "live": 0.25}])
    lines = {line.get_label(): line.get_ydata() for line in fig.axes[0].lines}
    assert np.isnan(lines["dead: 0 throughout"]).all()
    assert list(lines["live"]) == [0.5, 0.25]
    assert fig.axes[0].get_ylim()[0] > 0.1


def test_inspect_tells_what_a_file_holds(tmp_path, capsys, without_report):
    tm.save(
        tmp_path / "a.npz", {"w": np.array([1.0, np.nan, 0.0, 0.0]), "deep": [np.arange(3), {"n": None}], "t": "text"}
    )
    assert main(["inspect", str(tmp_path / "a.npz")]) == 0
    out = capsys.readouterr().out
    assert "1 NaN or infinite" in out
    assert "50% zeros" in out
    assert "deep.0" in out
    main(["train", "linear", "--epochs", "1", "--out", str(tmp_path)])
    main(["inspect", str(tmp_path / "checkpoint.npz")])
    assert "a checkpoint of a run: 1 epochs" in capsys.readouterr().out


def test_the_doctor_says_what_is_there(capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert f"NumPy {np.__version__}" in out
    assert "ok       gradient" in out
    assert str(os.cpu_count()) in out


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (["--epochs", "0"], "--epochs: this is a whole number above 0, got '0'"),
        (["--batch", "2.5"], "--batch: this is a whole number above 0, got '2.5'"),
        (["--lr", "nan"], "--lr: this is a number above 0, got 'nan'"),
        (["--seed", "-1"], "--seed: this is a whole number from 0 on, got '-1'"),
        (["--hidden", "8,0"], "--hidden: this is a list of widths like 32,32, got '8,0'"),
        (["--hidden", ","], "--hidden: this is a list of widths like 32,32, got ','"),
    ],
)
def test_a_wrong_number_is_told_in_one_line(option, told, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", "moons", *option])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


def test_pictures_of_few_epochs_have_whole_numbers_and_counts_can_be_read():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    history = tm.train.History([{"epoch": k, "loss": 1.0 / k, "val_loss": 2.0 / k, "lr": 0.1} for k in (1, 2)])
    for ax in pictures.curves(history).axes:
        assert all(float(t).is_integer() for t in ax.xaxis.get_major_locator().tick_values(1, 2))
    net = tm.nn.Identity()
    right, wrong = np.eye(2)[[0] * 3 + [1] * 3], np.eye(2)[[1] * 9 + [0] * 1]
    labels = np.array([0] * 3 + [1] * 3 + [0] * 9 + [1])
    fig = pictures.confusion(net, (np.concatenate([right, wrong]), labels), ["a", "b"])
    shades = {t.get_text(): sum(pyplot.matplotlib.colors.to_rgb(t.get_color())) / 3 for t in fig.axes[0].texts}
    assert shades["9"] > 0.9  # on the darkest red
    assert shades["1"] < 0.2  # on the palest
    pyplot.close("all")
