"""What served models may take, and how they change."""
