"""Functions of functions: grad, vjp, jvp, jacobian, hessian, hvp and their kin, all over trees."""
