"""Cases of what no RFC forbids and every server should bear: odd octets, too much of anything, strangers' tricks."""
