"""What several policies look at, in the words of Kubernetes and of the clouds."""
