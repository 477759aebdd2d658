"""The errors of this package."""

import pulumi


class BundleError(pulumi.RunError):
    """A bundle can't be used as asked; the message names the bundle, what was found and what to do.

    Pulumi shows it without a traceback: its cause is in the settings, the release or the cluster.
    """


class UnobtainableError(BundleError):
    """A source needs a tool or the network, which this machine lacks; another machine may have it."""
