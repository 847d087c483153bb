"""Connections among our own processes: workers to their parent, never to a server under test."""

import trio

OwnStream = trio.SocketStream


async def open_own_stream(host: str, port: int) -> OwnStream:
    """Connect to another process of this run. OSError if it does not listen."""
    return await trio.open_tcp_stream(host, port)
