"""Read this first: the whole library in a dozen small claims."""

import numpy as np
import pytest

import tinygrad_math as tm


def test_a_tensor_is_an_array_that_remembers_how_it_was_made():
    x = tm.tensor([1.0, 2.0], requires_grad=True, name="x")
    y = (x * x).sum()
    assert y.item() == 5.0
    y.backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_a_function_becomes_its_gradient():
    assert tm.grad(lambda x: x**3)(2.0).item() == 12.0
    assert tm.grad(tm.grad(lambda x: x**3))(2.0).item() == 12.0


def test_both_chain_rules_are_one_derivative():
    f, x, t, g = lambda x: tm.tanh(x) * x, np.array([0.3, -1.0]), np.array([1.0, 2.0]), np.array([3.0, -1.0])
    _, jt = tm.jvp(f, (x,), (t,))
    _, pull = tm.vjp(f, x)
    assert (g @ jt.numpy()) == pytest.approx(pull(g)[0].numpy() @ t)


def test_a_hessian_vector_product_needs_no_hessian():
    def f(x):
        return (tm.sin(x) * x).sum() * x[0]

    x, v = np.array([0.5, 1.5, -0.2]), np.array([1.0, 0.0, 2.0])
    np.testing.assert_allclose(tm.hvp(f, x, v).numpy(), tm.hessian(f)(x).numpy() @ v)


def test_trees_go_in_and_trees_come_out():
    g = tm.grad(lambda p: (p["w"] * p["b"][0]).sum())({"w": np.ones(2), "b": [3.0]})
    assert g["w"].tolist() == [3.0, 3.0]
    assert g["b"][0].item() == 2.0


def test_nested_gradients_are_not_confused():
    assert tm.grad(lambda x: tm.grad(lambda y: x * y)(x))(5.0).item() == 1.0


def test_numpy_functions_record():
    x = tm.tensor([1.0, 2.0], requires_grad=True)
    np.sum(np.array([3.0, 4.0]) * np.tanh(x)).backward()
    np.testing.assert_allclose(x.grad.numpy(), [3.0, 4.0] * (1 - np.tanh([1.0, 2.0]) ** 2))


def test_assignment_is_recorded_and_earlier_results_keep_what_they_held():
    x = tm.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    before = y.sum()
    y[0] = 10 * x[1]
    assert before.item() == 12.0
    assert y.tolist() == [20.0, 4.0, 6.0]
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 12.0, 2.0]


def test_two_linear_layers_are_one_matrix():
    net = tm.nn.Sequential(tm.nn.Linear(3, 4, bias=False, rng=0), tm.nn.Linear(4, 2, bias=False, rng=1))
    w = net[1].weight @ net[0].weight
    x = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(net(x).detach().numpy(), w.detach().numpy() @ x)
    rows = [sum(w[i, j].item() * x[j] for j in range(3)) for i in range(2)]
    np.testing.assert_allclose(net(x).detach().numpy(), rows)


def test_a_network_learns():
    x = np.linspace(-1, 1, 20)[:, None]
    net = tm.nn.Sequential(tm.nn.Linear(1, 8, rng=0), tm.nn.Tanh(), tm.nn.Linear(8, 1, rng=1))
    opt = tm.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(300):
        opt.zero_grad()
        loss = tm.nn.functional.mse_loss(net(x), x**2)
        loss.backward()
        opt.step()
    assert loss.item() < 1e-3


def test_your_own_op_is_as_good_as_ours():
    @tm.primitive
    def softabs(x):
        return np.sqrt(x * x + 1e-3)

    softabs.defvjp(lambda g, y, x: g * x / y)
    softabs.defjvp(lambda t, y, x: t * x / y)
    tm.testing.check_grads(softabs, (np.array([0.3, -2.0]),), order=3)


def test_every_graph_can_be_drawn():
    x = tm.tensor(2.0, requires_grad=True, name="x")
    assert "tanh" in tm.graph(tm.tanh(x) * x).text()
