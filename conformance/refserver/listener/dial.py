"""Connections that the server makes, to where it sends mail on."""

import trio


async def dial(hop: str) -> trio.abc.Stream:
    """Connect to `host:port`, an IPv6 address in brackets. Raises OSError."""
    host, _, port = hop.rpartition(":")
    return await trio.open_tcp_stream(host.strip("[]"), int(port))
