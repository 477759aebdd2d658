"""Who may do what, and who gets in."""
