"""The trace of a message: its Received fields, read whatever they look like, and held against each other. Pure."""
