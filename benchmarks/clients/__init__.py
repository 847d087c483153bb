"""What people write by hand who have no load tester: each a program that prints its figures as JSON."""
