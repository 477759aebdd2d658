"""What a stack costs at most."""
