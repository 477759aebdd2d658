"""What the project promises in figures, measured: `make bench`. A user runs none of it."""
