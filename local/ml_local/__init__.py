"""The embedded default: a real one-machine Kubernetes, the engine, and the commands behind `make`."""
