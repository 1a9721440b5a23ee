"""What a Tensor is, what an op is, and the two chain rules. Read: op, tensor, walk, declare."""
