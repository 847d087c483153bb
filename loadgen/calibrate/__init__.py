"""The tool's own ceiling: our client against a sink that does nothing."""
