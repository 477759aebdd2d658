"""What both plugins share of the engine's protocol: serving it, and starting without the SDK around it."""
