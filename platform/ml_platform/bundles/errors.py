"""The errors of this package."""

import pulumi


class BundleError(pulumi.RunError):
    """A bundle that can't be used as asked; the message names the bundle, what was found and the way out.

    Pulumi shows it without a traceback: the fault is in what was asked for, not in the program.
    """


class UnobtainableError(BundleError):
    """What a source needs, a tool or the network, is not there; somebody else may have it."""
