"""Who owns what, what must not be lost, and what will not work tomorrow."""
