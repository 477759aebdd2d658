"""The one error of this package."""


class BundleError(Exception):
    """A bundle that can't be used as asked; the message names the bundle, what was found and the way out."""
