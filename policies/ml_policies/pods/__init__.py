"""What pods may do, and what they may take."""
