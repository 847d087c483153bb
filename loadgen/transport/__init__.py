"""Sockets, TLS and deadlines: the only package of loadgen that names `socket` or `ssl`."""
