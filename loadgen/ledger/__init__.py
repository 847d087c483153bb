"""The delivery ledger: what was accepted, joined with what came out of the maildrops, at any size."""
