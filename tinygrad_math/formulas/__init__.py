"""Formulas as data, how they are written, and how the rules of ops are read as formulas."""
