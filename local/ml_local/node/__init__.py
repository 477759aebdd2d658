"""A real one-machine Kubernetes: its network, certificates, daemons and data."""
