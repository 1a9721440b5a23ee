"""What we take and NumPy or SciPy refuse, or answer otherwise, by intent: (path, argument, value) -> why."""

EXTENSIONS = {}
