"""The generator's own condition: whether what it measured can be believed. One module for each nature of evidence."""
