"""A summary counts right and changes nothing; a Tensor of any size shows itself, quickly."""

import io
import re
import time

import numpy as np
import pytest

import tinygrad_math as tm

F = tm.nn.functional


def net():
    return tm.nn.Sequential(
        tm.nn.Linear(4, 8, rng=0), tm.nn.BatchNorm1d(8), tm.nn.ReLU(), tm.nn.Dropout(0.5), tm.nn.Linear(8, 2, rng=1)
    )


def test_each_layer_has_a_row_with_shape_parameters_and_totals():
    s = tm.inspect.summary(net(), np.ones((5, 4)))
    assert [(r.name, r.kind, r.shape, r.parameters) for r in s.layers] == [
        ("0", "Linear", (5, 8), 40),
        ("1", "BatchNorm1d", (5, 8), 16),
        ("2", "ReLU", (5, 8), 0),
        ("3", "Dropout", (5, 8), 0),
        ("4", "Linear", (5, 2), 18),
    ]
    assert (s.parameters, s.trainable) == (74, 74)
    assert s.nbytes == 8 * 74 + sum(b.nbytes for b in net().buffers())
    assert "74 parameters, 74 of them learn" in str(s)


def test_without_an_input_there_are_no_shapes_and_zeros_are_of_the_parameters():
    model = tm.nn.Linear(2, 2, rng=0)
    with tm.no_grad():
        model.bias[...] = 0.0
        model.weight[...] = [[1.0, np.nan], [0.0, 2.0]]
    (row,) = tm.inspect.summary(model).layers
    assert (row.name, row.shape, row.zeros, row.nan) == ("(itself)", None, 0.5, 1)
    assert "output" not in tm.inspect.summary(model).columns


def test_gradients_and_their_ratio_are_those_of_the_parameters():
    model = net()
    assert all(r.grad is None for r in tm.inspect.summary(model).layers)
    F.mse_loss(model(np.arange(20.0).reshape(5, 4)), np.zeros((5, 2))).backward()
    row = tm.inspect.summary(model).layers[0]
    w, b = model[0].weight, model[0].bias
    grad = np.linalg.norm(np.r_[w.grad.numpy().ravel(), b.grad.numpy()])
    assert row.grad == pytest.approx(grad)
    assert row.ratio == pytest.approx(grad / np.linalg.norm(np.r_[w.detach().numpy().ravel(), b.detach().numpy()]))


def test_zeros_are_those_of_the_output_and_nan_is_counted():
    model = tm.nn.Sequential(tm.nn.ReLU())
    (row,) = tm.inspect.summary(model, np.array([[-1.0, 2.0, np.nan, -3.0]])).layers
    assert row.zeros == 0.5
    assert row.nan == 1


def test_shared_and_frozen_parameters_are_told_and_counted_once():
    class Tied(tm.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = tm.nn.Linear(3, 3, rng=0)
            self.b = tm.nn.Linear(3, 3, bias=False, rng=1)
            self.b.weight = self.a.weight
            self.again = self.a
            self.frozen = tm.nn.Linear(3, 1, rng=2).requires_grad_(False)
            self.scale = tm.nn.Parameter(1.0)

        def forward(self, x):
            return self.frozen(self.again(self.b(self.a(x)))) * self.scale

    s = tm.inspect.summary(Tied(), np.ones((2, 3)))
    rows = {r.name: r for r in s.layers}
    assert (s.parameters, s.trainable) == (12 + 4 + 1, 13)
    assert rows["b"].note == "weight is of a"
    assert rows["again"].note.startswith("the same as a")
    assert "called 2 times" in rows["a"].note
    assert rows["frozen"].note == "frozen"
    assert rows["(itself)"].parameters == 1
    assert "4 are frozen" in str(s)


class Counting(tm.nn.Module):
    """Whose forward changes all that a forward can change."""

    def __init__(self):
        super().__init__()
        self.calls, self.log = 0, tm.random.default_rng(0)
        self.linear = tm.nn.Linear(2, 2, rng=0)
        self.register_buffer("total", np.zeros(2))

    def forward(self, x):
        self.calls += 1
        self.total[...] = self.total + 1.0
        return self.linear(x) + self.log.normal(size=2) + tm.random.normal(size=2)


def test_nothing_is_changed_by_it():
    model, calls = tm.nn.Sequential(tm.nn.BatchNorm1d(2), Counting()), []
    model[1].linear.register_forward_hook(lambda *a: calls.append(1))
    model.train()
    before = {k: v.copy() for k, v in model.state_dict().items()}
    state, own = tm.random.shared.state, model[1].log.state
    tm.inspect.summary(model, np.ones((3, 2)))
    assert model[1].calls == 0
    assert calls == []
    assert all(m.training for m in model.modules())
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    assert (tm.random.shared.state, model[1].log.state) == (state, own)
    assert model[1].linear._hooks
    assert not model[1]._hooks


def test_a_forward_that_fails_leaves_everything_as_it_was():
    model = net().train()
    with pytest.raises(tm.ShapeError):
        tm.inspect.summary(model, np.ones((5, 3)))
    assert all(m.training and not m._hooks for m in model.modules())


def test_networks_with_several_inputs_outputs_containers_and_compiled_parts_are_summed_up():
    class Pair(tm.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = tm.nn.LSTM(3, 4, rng=0)
            self.heads = [tm.nn.Linear(4, 1, rng=1), tm.compile(tm.nn.Linear(4, 2, rng=2))]

        def forward(self, x, scale):
            y, _ = self.lstm(x)
            return [head(y) * scale for head in self.heads]

    s = tm.inspect.summary(Pair(), (np.ones((5, 2, 3)), 2.0))
    rows = {r.name.rpartition(".")[2]: r for r in s.layers}
    assert rows["lstm"].shape[0] == (5, 2, 4)
    assert (rows["0"].shape, rows["1"].shape) == ((5, 2, 1), (5, 2, 2))
    assert s.parameters == sum(p.size for p in Pair().parameters())
    assert tm.inspect.summary(tm.compile(net()), np.ones((1, 4))).parameters == 74


def test_it_shows_itself_in_a_terminal_and_in_a_notebook_and_names_are_text():
    class Odd(tm.nn.Module):
        def __init__(self):
            super().__init__()
            setattr(self, "<b>x</b>", tm.nn.Linear(1, 1, rng=0))

    s = tm.inspect.summary(Odd())
    assert "<b>x</b>" in str(s)
    page = s._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<b>x" not in page
    rich = pytest.importorskip("rich")
    console = rich.get_console().__class__(width=100, record=True, file=io.StringIO())
    console.print(s)
    assert "<b>x</b>" in console.export_text()


def test_it_is_text_and_markdown():
    class Odd(tm.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = tm.nn.ModuleDict({"a|b": tm.nn.Linear(2, 3)})

    table = tm.inspect.summary(Odd())
    assert table.text() == str(table)
    lines = [line for line in table.markdown().splitlines() if line.startswith("|")]
    assert len(lines) == len(table) + 2
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(table.columns) + 1}
    assert r"a\|b" in table.markdown()


def test_what_is_no_module_is_refused_by_name():
    with pytest.raises(tm.ArgumentError, match="a module"):
        tm.inspect.summary(np.ones(3))


# -- how a Tensor shows itself ----------------------------------------------------------------------------
def test_a_small_tensor_shows_as_numpy_prints_it():
    assert repr(tm.tensor([1.0, 2.5])) == "tensor([1. , 2.5])"
    assert repr(tm.tensor(2.0, requires_grad=True, name="x")) == "tensor(2., name='x', requires_grad=True)"
    assert repr(tm.tensor([1 + 2j])) == "tensor([1.+2.j], dtype=complex128)"
    assert repr(tm.tensor([True])) == "tensor([ True])"
    assert repr(tm.tensor(np.zeros(3, np.float32))) == "tensor([0., 0., 0.], dtype=float32)"
    assert repr(tm.tensor([])) == "tensor([])"
    assert repr(tm.zeros((0, 3))) == "tensor([], shape=(0, 3))"


def test_a_large_tensor_tells_shape_range_and_what_is_not_finite():
    a = np.linspace(-1.0, 3.0, 2000).reshape(40, 50)
    assert repr(tm.tensor(a)).endswith("shape=(40, 50), from -1 to 3)")
    a[1, 1], a[2, 2], a[3, 3] = np.nan, np.inf, np.nan
    assert repr(tm.tensor(a, name="w")).endswith("shape=(40, 50), from -1 to 3, 2 NaN, 1 infinite, name='w')")
    assert "all 0" in repr(tm.zeros(3000))
    assert "2,000 NaN" in repr(tm.tensor(np.full(2000, np.nan)))
    assert "from 0 to 1999" in repr(tm.tensor(np.arange(2000)))
    assert "667 of 2,000 True" in repr(tm.tensor(np.arange(2000) % 3 == 0))
    assert "of size from 0 to 5" in repr(tm.tensor(np.linspace(0, 3 + 4j, 2000)))
    assert "dtype=float16" in repr(tm.tensor(np.zeros(2000, np.float16)))


@pytest.mark.parametrize("transposed", [False, True])
def test_a_huge_tensor_shows_itself_quickly(transposed):
    a = np.broadcast_to(np.float32(1.0), (10_000, 10_000))
    x = tm.core.tensor.wrap(tm.core.node.Node(a.T if transposed else a))
    start = time.perf_counter()
    text = repr(x)
    assert time.perf_counter() - start < 1.0
    assert "shape=(10000, 10000), all 1 (of 1,000,000 elements looked at)" in text


@pytest.mark.parametrize(
    "value",
    [
        2.0,
        [],
        [1.0, np.nan],
        np.eye(3),
        np.ones((30, 40)),
        np.ones((2, 2, 2)),
        [1 + 1j],
        [True],
        np.zeros((0, 4)),
        [1, 2],
    ],
)
def test_a_notebook_shows_any_tensor(value):
    x = tm.tensor(np.array(value), name="<x>")
    page = x._repr_mimebundle_(include=None, exclude=None)["text/html"]
    assert "&lt;x&gt;" in page
    assert str(x.dtype) in page
    assert page.count("<tr>") == page.count("</tr>")


def test_a_notebook_cell_never_fails():
    x = tm.tensor([1.0, 2.0])

    def bad(_):
        raise RuntimeError("a formatter that fails")

    with np.printoptions(formatter={"float": bad}):
        assert tm.tensor(np.ones((2, 2, 2)))._repr_mimebundle_() == {"text/plain": "<Tensor>"}
    seen = []
    tm.compile(lambda x: seen.append(x._repr_mimebundle_()) or x * 2.0)(x)
    assert seen[0]["text/plain"] == "tensor([1., 2.])"  # a text that is kept is that of the call, as uncompiled


def test_numbers_that_are_all_the_same_but_for_a_few_are_not_called_all():
    assert "shape=(2001,), all 1 but 1 NaN" in repr(tm.tensor(np.r_[np.ones(2000), np.nan]))
    assert "all 0 but 2 infinite" in repr(tm.tensor(np.r_[np.zeros(2000), np.inf, -np.inf]))
    assert "from 0 to 1, 1 NaN" in repr(tm.tensor(np.r_[np.zeros(2000), 1.0, np.nan]))
    assert "shape=(2000,), 2,000 NaN" in repr(tm.tensor(np.full(2000, np.nan)))
