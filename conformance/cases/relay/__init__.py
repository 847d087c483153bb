"""Relay control: a stranger cannot send through the server."""
