"""How a subject is reached."""

import trio

from conformance.subject import over_the_network
from loadgen.endpoint import Endpoint


async def test_where_tls_is_implicit_the_connection_is_made_without_it() -> None:
    async def speak(stream: trio.SocketStream) -> None:
        await stream.send_all(b"hello")

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listener.socket.getsockname()[1]
        nursery.start_soon(trio.serve_listeners, speak, [listener])
        endpoint = Endpoint("smtp", "127.0.0.1", port, None, implicit_tls=True)
        async with await over_the_network(endpoint, trio.current_time() + 5) as transport:
            assert transport.tls is None
            assert await transport.receive(trio.current_time() + 5) == b"hello"
        nursery.cancel_scope.cancel()
