"""A server that only holds sessions, clear or in TLS: it greets, and says 250 to everything but QUIT.

`python -m benchmarks.holder PORT PROCESSES [--tls CHAIN KEY]`. Several processes accept from one socket,
because one may not have as many descriptors as there are sessions to hold.
"""

import asyncio
import os
import resource
import socket
import ssl
import sys

BACKLOG = 4096


async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one session until it says QUIT or goes."""
    try:
        writer.write(b"220 holder.example.test ESMTP\r\n")
        while line := await reader.readline():
            if line.upper().startswith(b"QUIT"):
                writer.write(b"221 2.0.0 Bye\r\n")
                break
            writer.write(b"250 holder.example.test\r\n")
    except (ConnectionError, ssl.SSLError, ValueError):
        pass
    finally:
        writer.close()


async def serve(listening: socket.socket, context: ssl.SSLContext | None) -> None:
    """Serve until killed."""
    # One limit for the lines, not 64 KiB of it for each: here they are short, and many are held.
    server = await asyncio.start_server(hold, sock=listening, ssl=context, limit=1024, backlog=BACKLOG)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Listen, become the processes asked for, and serve in each."""
    port, processes = int(sys.argv[1]), int(sys.argv[2])
    context = None
    if sys.argv[3:4] == ["--tls"]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[4], sys.argv[5])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    listening = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
    listening.setblocking(False)
    for _ in range(processes - 1):
        if os.fork() == 0:
            break
    asyncio.run(serve(listening, context))


if __name__ == "__main__":
    main()
