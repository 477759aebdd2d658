"""Machine learning work as typed resources of a stack. They see a platform through its PlatformHandle only."""
