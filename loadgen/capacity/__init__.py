"""The search for what a target can take: stages, one after the other, each an ordinary run."""
