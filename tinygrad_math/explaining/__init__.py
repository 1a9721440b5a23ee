"""Explaining: the chain rule of a computation path by path, and computations that can be edited."""
