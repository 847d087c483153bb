"""What keeps the reference server from starting."""


class ServerSetupError(Exception):
    """The server cannot start as asked. The message is one sentence for the operator."""
