"""The third namespace: each op on a whole batch of its arguments at once, along a leading axis."""
