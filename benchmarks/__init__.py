"""Measure mailproof against its peers, in turn, on one machine: `make bench`. Never installed."""
