"""The mail that is sent: composed from (seed, arrival, index), stamped so that the ledger knows it again."""
