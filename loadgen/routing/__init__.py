"""Where a domain's mail goes: MX, aliases, addresses, asked for once, before anything is sent."""
