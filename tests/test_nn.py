"""Modules, layers, losses and optimisers."""

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.nn import functional as F


def network():
    return tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.nn.Tanh(), tm.nn.Linear(3, 1, rng=1))


def test_parameters_are_found_once_with_their_paths():
    net = network()
    assert [n for n, _ in net.named_parameters()] == [
        "0.weight",
        "0.bias",
        "2.weight",
        "2.bias",
    ]

    class Tied(tm.nn.Module):
        def __init__(self):
            self.a = tm.nn.Linear(2, 2)
            self.b = self.a

    assert len(list(Tied().parameters())) == 2


def test_linear_is_x_times_w_transposed_plus_b():
    layer = tm.nn.Linear(3, 2, rng=0)
    x = np.arange(12.0).reshape(2, 2, 3)
    w, b = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    np.testing.assert_allclose(layer(x).detach().numpy(), x @ w.T + b)
    assert layer(x[0, 0]).shape == (2,)


def test_linear_refuses_another_width_and_names_itself():
    with pytest.raises(tm.ShapeError, match=r"\(\.\.\., 2\).*\(4, 3\).*0\.weight"):
        network()(np.ones((4, 3)))


def test_a_batch_that_is_overwritten_after_use_does_not_spoil_the_gradient():
    layer, x, y = tm.nn.Linear(2, 1, rng=0), np.ones((3, 2)), np.zeros((3, 1))
    loss = F.mse_loss(layer(x), y)
    want = tm.grad_of(loss, layer.weight)
    x[:], y[:] = 100.0, 50.0
    np.testing.assert_array_equal(tm.grad_of(loss, layer.weight).numpy(), want.numpy())


def test_a_loss_never_broadcasts():
    with pytest.raises(tm.ShapeError, match=r"mse_loss.*\(5,\).*\(5, 1\)"):
        F.mse_loss(np.ones(5), np.ones((5, 1)))


@pytest.mark.parametrize("reduction, want", [("mean", 2.5), ("sum", 5.0), ("none", [1.0, 4.0])])
def test_mse_loss_reduces_as_asked(reduction, want):
    assert F.mse_loss([1.0, 2.0], [0.0, 0.0], reduction=reduction).tolist() == want


def test_relu_has_derivative_zero_at_zero():
    g = tm.grad(lambda x: F.relu(x).sum())(np.array([-1.0, 0.0, 2.0]))
    assert g.tolist() == [0.0, 0.0, 1.0]


def test_sgd_follows_its_recurrence():
    p0, g, lr, m, d = np.array([1.0, -2.0]), np.array([0.5, 0.25]), 0.1, 0.9, 0.01
    p = tm.tensor(p0, requires_grad=True)
    opt = tm.optim.SGD([p], lr=lr, momentum=m, weight_decay=d, nesterov=True)
    want, v = p0.copy(), np.zeros(2)
    for _ in range(4):
        p.grad = g
        opt.step()
        step = g + d * want
        v = m * v + step
        want = want - lr * (step + m * v)
    np.testing.assert_allclose(p.detach().numpy(), want)


def test_the_pure_update_is_the_same_maths():
    p = tm.tensor([1.0, 2.0], requires_grad=True)
    opt, pure = tm.optim.SGD([p], lr=0.1, momentum=0.9), tm.optim.SGD(lr=0.1, momentum=0.9)
    params = {"p": tm.tensor([1.0, 2.0])}
    state = pure.init(params)
    for _ in range(3):
        opt.zero_grad()
        (p**3).sum().backward()
        opt.step()
        grads = tm.grad(lambda t: (t["p"] ** 3).sum())(params)
        params, state = pure.update(grads, state, params)
    np.testing.assert_array_equal(params["p"].numpy(), p.detach().numpy())


def test_an_update_can_be_differentiated_through():
    opt = tm.optim.SGD(lr=0.1, momentum=0.5)

    def after_two_steps(x):
        params, state = [x], opt.init([x])
        for _ in range(2):
            grads = tm.grad(lambda p: (p[0] ** 2).sum())(params)
            params, state = opt.update(grads, state, params)
        return params[0].sum()

    tm.testing.check_grads(after_two_steps, (np.array([1.0, 2.0]),))


def test_sgd_refuses_what_cannot_be_meant():
    with pytest.raises(tm.ArgumentError, match="momentum"):
        tm.optim.SGD(momentum=1.5)
    with pytest.raises(tm.ArgumentError, match="leaf"):
        tm.optim.SGD([tm.tensor(1.0)])


def test_state_dict_round_trip_and_refusal_leave_the_network_whole():
    a, b = network(), network()
    for p in b.parameters():
        p.data += 1.0
    b.load_state_dict(a.state_dict())
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())
    state = a.state_dict()
    state["2.bias"] = np.ones(7)
    before = b.state_dict()
    with pytest.raises(tm.ShapeError, match=r"2\.bias"):
        b.load_state_dict(state)
    assert all(np.array_equal(before[k], v) for k, v in b.state_dict().items())


def test_train_and_eval_reach_every_module():
    net = network().eval()
    assert not any(m.training for m in net.modules())
    assert all(m.training for m in net.train().modules())


def test_sequential_is_a_sequence_of_its_layers():
    net = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.tanh, tm.nn.Linear(3, 1, rng=1))
    assert len(net) == len(list(net)) == 3
    assert net[0] is next(iter(net))
    front = net[:2]
    assert isinstance(front, tm.nn.Sequential)
    assert front[0].weight is net[0].weight
    x = np.ones((4, 2))
    assert net[2](front(x)).tolist() == net(x).tolist()
    gradient = tm.grad(lambda net: net(x).sum())(net)
    assert gradient[0].weight.shape == (3, 2)
    with pytest.raises(tm.ArgumentError, match="number 1"):
        tm.nn.Sequential(tm.nn.Tanh(), 3.0)


def test_a_frozen_parameter_is_left_alone():
    net = tm.nn.Sequential(tm.nn.Linear(2, 2, rng=0), tm.nn.Linear(2, 1, rng=1))
    net[0].requires_grad_(False)
    before = net[0].weight.tolist()
    optimizer = tm.optim.SGD(net.parameters(), lr=0.1)
    net(np.ones((3, 2))).sum().backward()
    optimizer.step()
    assert net[0].weight.tolist() == before
    assert net[0].weight.grad is None
    assert list(net.children())[1].weight.grad is not None


def test_a_module_without_forward_and_an_optimiser_without_rule_say_so():
    with pytest.raises(NotImplementedError, match="forward"):
        tm.nn.Module()(1.0)
    x = tm.tensor(1.0, requires_grad=True)
    x.backward()
    with pytest.raises(NotImplementedError, match="rule"):
        tm.optim.Optimizer([x]).step()


def test_a_step_takes_a_closure_and_gradients_are_forgotten_or_zeroed():
    x = tm.tensor([2.0], requires_grad=True)
    optimizer = tm.optim.SGD([x], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 4.0
    assert x.tolist() == [1.0]
    optimizer.zero_grad(set_to_none=False)
    assert x.grad.tolist() == [0.0]
    optimizer.zero_grad()
    assert x.grad is None
    for nothing in ([], iter(())):
        with pytest.raises(ValueError, match="no parameters"):
            tm.optim.SGD(nothing)
    with pytest.raises(tm.ArgumentError, match=r"\[p\]"):
        tm.optim.SGD(x)


def test_a_step_inside_a_traced_function_names_the_pure_form():
    p = tm.tensor([1.0], requires_grad=True)
    p.grad = [1.0]
    opt = tm.optim.SGD([p], lr=0.1)

    def step(x):
        opt.step()
        return x

    with pytest.raises(tm.TraceError, match=r"opt\.update"):
        tm.compile(step)(np.ones(1))
    assert p.tolist() == [1.0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, "float32"])
def test_a_module_goes_to_another_dtype_and_its_whole_numbers_stay(dtype):
    net = tm.nn.Sequential(tm.nn.Linear(3, 4, rng=0), tm.nn.BatchNorm1d(4), tm.nn.LSTM(4, 2, rng=1))
    before = {name: p.numpy() for name, p in ((n, p.detach()) for n, p in net.named_parameters())}
    first = next(net.parameters())
    first.grad = np.ones((4, 3))
    assert net.to(dtype) is net
    assert next(net.parameters()) is first
    assert {p.dtype for p in net.parameters()} == {np.dtype(dtype)}
    assert {b.dtype for b in net.buffers()} == {np.dtype(dtype), np.dtype(np.int64)}
    assert (first.grad is None) == (np.dtype(dtype) != np.float64)
    for name, p in net.named_parameters():
        np.testing.assert_array_equal(p.detach().numpy(), before[name].astype(dtype))
        assert p.requires_grad


def test_what_was_computed_before_a_change_of_dtype_gives_no_wrong_gradient():
    net = tm.nn.Linear(3, 1, rng=0)
    y = net(np.ones((2, 3))).sum()
    net.float()
    with pytest.raises(tm.ChangedAfterUse):
        y.backward()
    assert net(np.ones((2, 3), np.float32)).dtype == np.float32
    assert net.double().to("cpu")(np.ones((2, 3))).dtype == np.float64


def test_a_compiled_module_sees_the_new_dtype():
    net = tm.nn.Linear(3, 1, rng=0)
    fast = tm.compile(net)
    x = np.arange(6.0).reshape(2, 3)
    want = fast(x).detach().numpy()
    net.float()
    found = fast(x.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.detach().numpy(), want, rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.int64, "gpu", None, complex, "cuda"])
def test_a_dtype_that_parameters_cannot_have_is_refused_and_nothing_has_changed(dtype):
    net = tm.nn.Linear(3, 1, rng=0)
    with pytest.raises(tm.MathError, match="dtype"):
        net.to(dtype)
    assert net.weight.dtype == np.float64


@pytest.mark.parametrize("size", [(2, None), [2, None], (None, 1), None])
def test_a_length_of_none_is_kept_by_adaptive_averages(size):
    x = np.arange(80.0).reshape(1, 2, 8, 5)
    rows, columns = size if size is not None else (None, None)
    want = x if rows is None else x.reshape(1, 2, rows, 8 // rows, 5).mean(axis=3)
    want = want if columns is None else want.mean(axis=3, keepdims=True)
    np.testing.assert_allclose(tm.nn.AdaptiveAvgPool2d(size)(x).numpy(), want, rtol=1e-12)
    np.testing.assert_allclose(tm.nn.functional.adaptive_avg_pool2d(x, size).numpy(), want, rtol=1e-12)


@pytest.mark.parametrize("size", [(2, 2.5), "2", (1, 2, 3), 0])
def test_what_is_no_size_of_regions_is_refused(size):
    with pytest.raises(tm.MathError, match=r"output_size|adaptive_avg_pool2d"):
        tm.nn.functional.adaptive_avg_pool2d(np.ones((1, 2, 8, 5)), size)


def test_copies_of_a_transformers_layer_begin_alike_and_learn_apart():
    layer = tm.nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, batch_first=True, rng=0)
    net = tm.nn.TransformerEncoder(layer, 2)
    assert len({id(p) for p in net.parameters()} | {id(p) for p in layer.parameters()}) == 3 * len(
        list(layer.parameters())
    )
    a, b = (one.linear1.weight for one in net.layers)
    np.testing.assert_array_equal(a.data, b.data)
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    (net(x) ** 3).sum().backward()
    tm.optim.SGD(net, lr=0.1).step()
    assert (a.data != b.data).any()
    with pytest.raises(tm.ArgumentError, match="a layer to copy"):
        tm.nn.TransformerEncoder("relu", 2)
    with pytest.raises(tm.ArgumentError, match="num_layers"):
        tm.nn.TransformerDecoder(layer, 0)


def test_a_decoder_under_a_causal_mask_sees_no_later_position():
    net = tm.nn.Transformer(4, 2, 1, 2, 6, dropout=0.0, batch_first=True, rng=0)
    src, tgt = (np.random.default_rng(k).normal(size=(1, 5, 4)) for k in range(2))
    later = tgt.copy()
    later[:, 3:] += 1.0
    mask = net.generate_square_subsequent_mask(5)
    for odd in (b"5", 1.5, -1):
        with pytest.raises(tm.ArgumentError, match="sz is a"):
            net.generate_square_subsequent_mask(odd)
    for given in ({"tgt_mask": mask}, {"tgt_is_causal": True}):
        one, two = net(src, tgt, **given).data, net(src, later, **given).data
        np.testing.assert_array_equal(one[:, :3], two[:, :3])
        assert (one[:, 3:] != two[:, 3:]).any()


@pytest.mark.parametrize(
    ("dim", "sizes", "shape"),
    [(1, (2, 3), (2, 5)), (1, (-1, -1), (2, 4)), (1, (-1, 3), (2, 4)), (2, (1,), (2, 1)), (1, (2, 0), (2, 4))],
)
def test_an_axis_that_does_not_split_so_is_named(dim, sizes, shape):
    with pytest.raises(tm.ShapeError, match=r"Unflatten\(.*axis"):
        tm.nn.Unflatten(dim, sizes)(np.ones(shape))


IN_PLACE = ["ReLU", "ReLU6", "SiLU", "Mish", "LeakyReLU", "ELU", "SELU", "CELU", "Hardtanh", "Dropout"]


@pytest.mark.parametrize("kind", IN_PLACE)
def test_inplace_of_a_layer_changes_nothing_and_of_a_function_is_refused(kind):
    make, x = getattr(tm.nn, kind), tm.tensor([-2.0, 0.5])
    for given in (True, False):
        assert repr(make(inplace=given)) == repr(make())
        assert make(inplace=given).eval()(x).tolist() == make().eval()(x).tolist()
    assert x.tolist() == [-2.0, 0.5]
    f = getattr(tm.nn.functional, {"LeakyReLU": "leaky_relu"}.get(kind, kind.lower()))
    assert f(x, inplace=False).shape == (2,)
    with pytest.raises(tm.ArgumentError, match=f"{f.__name__}: nothing writes.*leave inplace=True out"):
        f(x, inplace=True)


def test_a_layer_without_arguments_says_so_as_the_others_do():
    with pytest.raises(tm.ArgumentError, match=r"Tanh.__init__\(\) takes 1 positional argument but 2 were given"):
        tm.nn.Tanh(1)

    class Plain(tm.nn.Module):  # of a user: nothing is put into it
        pass

    assert Plain.__init__ is object.__init__


@pytest.mark.parametrize("shape", [(50, 40, 3), (50, 40, 2, 3)])
def test_dropout_of_channels_takes_them_whole_and_keeps_the_mean(shape):
    tm.random.seed(3)
    y = tm.nn.Dropout2d(0.25)(np.ones(shape)).numpy().reshape(2000, -1)
    assert (y == y[:, :1]).all()
    assert set(y[:, 0]) == {0.0, 1 / 0.75}
    assert abs(y[:, 0].mean() - 1) < 4 * np.sqrt(1 / 3 / 2000)
    with pytest.raises(tm.ShapeError, match="dropout2d"):
        tm.nn.functional.dropout2d(np.ones((4, 2)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda F, x: F.interpolate(x), "either size or scale_factor"),
        (lambda F, x: F.interpolate(x, size=2, scale_factor=2), "either size or scale_factor"),
        (lambda F, x: F.interpolate(x, scale_factor=0.1), "leave nothing"),
        (lambda F, x: F.interpolate(x, scale_factor=(2, "a")), "scale_factor is a number above 0"),
        (lambda F, x: F.interpolate(x, size=2, mode="bicubic"), "mode is 'nearest', 'linear' or 'bilinear'"),
        (lambda F, x: F.interpolate(x, size=2, align_corners=True), "align_corners goes with"),
        (lambda F, x: F.interpolate(x, size=2, mode="linear"), r"expected \(n, channels, lengths\)"),
        (lambda F, x: F.pad(x, (1,)), "before and after each axis"),
        (lambda F, x: F.pad(x, (1, -1)), "a width is a whole number from 0 on"),
        (lambda F, x: F.pad(x, (1, 1), mode="mirror"), "mode is 'constant'"),
        (lambda F, x: F.pad(x, (1, 1), mode="reflect", value=1.0), "a value goes with mode='constant'"),
        (lambda F, x: F.pixel_shuffle(x, 2), "multiple of 2 x 2"),
        (lambda F, x: F.instance_norm(x[..., :1, :1]), "several places"),
        (lambda F, x: tm.nn.InstanceNorm2d(5)(x), "another number of channels"),
        (lambda F, x: tm.nn.InstanceNorm2d(3, track_running_stats=True), "leave track_running_stats out"),
    ],
)
def test_what_images_cannot_be_turned_into_is_said(call, message):
    with pytest.raises(tm.MathError, match=message):
        call(tm.nn.functional, np.ones((2, 3, 4, 4)))


def test_a_nearest_place_that_is_no_number_stays_on_its_own():
    x = np.array([[[1.0, np.nan, 3.0, 4.0]]])
    up = tm.nn.functional.interpolate(x, scale_factor=2).numpy()[0, 0]
    np.testing.assert_array_equal(up, np.repeat(x[0, 0], 2))
    line = tm.nn.functional.interpolate(x, scale_factor=2, mode="linear").numpy()[0, 0]
    assert np.flatnonzero(np.isnan(line)).tolist() == [1, 2, 3, 4]


def test_numbers_like_an_array_have_its_shape_and_dtype():
    for kind in (np.float32, np.float64):
        for f in (tm.randn_like, tm.rand_like):
            y = f(tm.zeros((2, 3), dtype=kind))
            assert (y.shape, y.dtype) == ((2, 3), kind)
    assert tm.randn_like(np.zeros(3, int), dtype=tm.float32).dtype == np.float32
    tm.random.seed(1)
    x = tm.randn_like(np.zeros((2, 3)))
    tm.random.seed(1)
    np.testing.assert_array_equal(x.numpy(), tm.randn(2, 3).numpy())
    with pytest.raises(tm.ArgumentError, match="float32 or float64"):
        tm.randn_like(np.zeros(3, int))


def test_transformers_without_end_are_refused():
    encoder, decoder = tm.nn.TransformerEncoderLayer(4, 2, 4), tm.nn.TransformerDecoderLayer(4, 2, 4)
    for call in (
        lambda: tm.nn.TransformerEncoder(encoder, 10**12),
        lambda: tm.nn.TransformerDecoder(decoder, 10**12),
        lambda: tm.nn.Transformer(4, 2, 10**12, 1, 4),
    ):
        with pytest.raises(tm.ArgumentError, match="at most"):
            call()
    with pytest.raises(tm.OutOfMemory):
        tm.nn.Transformer.generate_square_subsequent_mask(10**9)
    with pytest.raises(tm.MathError, match="generate_square_subsequent_mask"):
        tm.nn.Transformer.generate_square_subsequent_mask(10**12)
