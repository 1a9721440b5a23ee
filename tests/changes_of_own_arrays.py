"""Changes of what Tensors and arrays of somebody's own classes hold beside their numbers."""

import changes_of_arguments
import numpy as np
from changes_of_arguments import changed, of_net, to

import tinygrad_math as tm


class OwnTensor(tm.Tensor):
    rate = 2.0

    def times(self, x):
        return self * x * changes_of_arguments.FACTOR


class OwnParameter(tm.nn.Parameter):
    __slots__ = ("scale",)


class OwnArray(np.ndarray):
    rate = 2.0
    __slots__ = ("scale",)


class OpenArray(np.ndarray):
    def times(self, x):
        return x * np.asarray(self) * self.scale


def owned(kind, **attributes):
    own = np.ones(3).view(kind) if issubclass(kind, np.ndarray) else kind(np.ones(3))
    for name, value in attributes.items():
        setattr(own, name, value)
    return own


def by_an_attribute_of_a_parameter():
    net = of_net(lambda self, x: x * self.w.scale)[1][0]
    net.w = owned(OwnParameter, scale=2.0)
    return net, lambda: to("scale", 7.0)(net.w)


def by_an_attribute_of_a_tensor():
    own = owned(OwnTensor, scale=2.0)
    return lambda x: x * own * own.scale, lambda: to("scale", 7.0)(own)


def by_an_attribute_that_a_tensor_had_not():
    own = owned(OwnTensor)
    return lambda x: x * getattr(own, "late", 1.0), lambda: to("late", 7.0)(own)


def by_a_method_of_a_tensor():
    own = owned(OwnTensor)
    return own.times, changed


def by_an_attribute_of_a_class_of_tensors():
    own = owned(OwnTensor)
    return lambda x: x * own.rate, lambda: setattr(OwnTensor, "rate", OwnTensor.rate + 1.0)


def by_an_attribute_of_an_array():
    own = owned(OpenArray, scale=2.0)
    return own.times, lambda: to("scale", 7.0)(own)


def by_an_attribute_of_a_locked_array_in_a_list():
    rows = [np.ones(3).view(OpenArray).copy()]
    rows[0].scale, rows[0].flags.writeable = 2.0, False
    return lambda x: x * rows[0].scale, lambda: to("scale", 7.0)(rows[0])


def by_a_slot_of_an_array():
    own = owned(OwnArray, scale=2.0)
    return lambda x: x * own.scale, lambda: to("scale", 7.0)(own)


def by_the_numbers_of_an_array_of_a_class_of_its_own():
    own = owned(OpenArray, scale=2.0)
    return lambda x: x * np.asarray(own), lambda: own.__setitem__(0, 9.0)


def by_an_attribute_of_a_class_of_arrays():
    rows = (owned(OwnArray),)
    return lambda x: x * rows[0].rate, lambda: setattr(OwnArray, "rate", OwnArray.rate + 1.0)
