"""Layers equal PyTorch's, forward, backward and in Hessian-vector products; see references.py."""

import agreement
import numpy as np
import pytest
from cases import each
from reference_layers import LAYERS

import tinygrad_math as tm

X = np.random.default_rng(0).normal(size=(4, 2))


@each("case", LAYERS, parts=8)
def test_outputs_buffers_and_gradients_are_those_of_pytorch(case):
    agreement.check_forward_and_backward(case)


@each("case", LAYERS, parts=8)
def test_grad_and_hvp_over_inputs_and_module_are_those_of_pytorch(case):
    agreement.check_transforms(case)


@each("case", LAYERS, parts=8)
def test_compiled_is_the_same(case):
    agreement.check_compiled(case)


@each("case", LAYERS, parts=8)
def test_float32_stays_float32(case):
    agreement.check_float32(case)


def test_running_values_do_not_leak_out_of_a_trace():
    """Whether the network is an argument of the compiled function, or closed over."""
    net = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.nn.BatchNorm1d(3))
    before = net.state_dict()
    with pytest.raises(tm.TraceError, match="running values"):
        tm.compile(lambda x, net: net(x))(X, net)
    with pytest.raises(tm.TraceError, match="running values"):
        tm.compile(lambda x: net(x))(X)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    net.eval()
    np.testing.assert_allclose(tm.compile(lambda x: net(x))(X).detach().numpy(), net(X).detach().numpy(), rtol=1e-14)


def test_a_tensor_outside_keeps_its_values_when_a_traced_function_assigns_to_it():

    total = tm.zeros(2)

    def add(x):
        total[...] = total + x
        return x * 2.0

    with pytest.raises(tm.TraceError, match="total"):
        tm.compile(add)(np.ones(2))
    assert total.tolist() == [0.0, 0.0]
