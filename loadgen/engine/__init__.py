"""Start sessions when the schedule says, end them when they must, and keep the books."""
