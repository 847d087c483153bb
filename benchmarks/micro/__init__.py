"""What single parts cost: each side of each pair runs in a process of its own and prints its figures as JSON."""
