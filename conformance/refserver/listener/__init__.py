"""Everything of the reference server that knows a socket: the machines do not."""
