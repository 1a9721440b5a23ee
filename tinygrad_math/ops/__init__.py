"""The calculus table: one file a family, one declaration an op."""
