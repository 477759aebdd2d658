"""What a cluster needs before any ML work: settings, bundles, components and the Kubernetes client they share."""
