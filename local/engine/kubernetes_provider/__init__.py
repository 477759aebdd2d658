"""Stand-in for the official Kubernetes provider plugin, where that one cannot be downloaded.

It serves objects of every kind, Patch resources and provider configuration as the official plugin of
the same version documents them, and keeps the same state, so that either can go on where the other
stopped. It does not serve Helm, Kustomize and YAML resources or functions, `pulumi import` of code,
or rendering to a directory: those answer with the name of the plugin that does.
"""

VERSION = "4.32.0"
