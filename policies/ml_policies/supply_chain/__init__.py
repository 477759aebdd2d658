"""Where what runs comes from."""
