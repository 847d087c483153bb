"""The shipped scenario files, found by `importlib.resources` from a checkout and from a wheel alike."""
