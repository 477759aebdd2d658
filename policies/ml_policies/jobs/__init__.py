"""What runs may take, and when they end."""
