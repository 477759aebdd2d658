"""A cluster that does not answer, or not this user: what that is called, and who can help."""

from collections.abc import Iterator
from contextlib import contextmanager

from ml_platform.bundles.errors import BundleError
from ml_platform.kube import KubeconfigError, KubeError, Unreachable

_BY_STATUS = {
    401: "Its API server does not take the kubeconfig's credentials: they are wrong, or have expired. Log in to the "
    "cluster again, or ask whoever runs it for a new kubeconfig; `kubectl auth whoami` says whether one is good",
    403: "The kubeconfig's user may not look. Ask whoever runs the cluster for the rights of an administrator "
    "(ClusterRole cluster-admin): CRDs and cluster roles can't be installed with less",
}


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Around requests that only look.

    Raises:
        BundleError: the cluster does not say `what`.
    """
    try:
        yield
    except KubeconfigError as unusable:
        raise BundleError(f"The cluster can't be asked {what}: {unusable}") from unusable
    except Unreachable as away:
        raise BundleError(
            f"The cluster can't be asked {what}: {away.message}. Is it up, is its API reached from here (a VPN, a list "
            "of allowed addresses), and is the address in the kubeconfig still its own?"
        ) from away
    except KubeError as refused:
        way_out = _BY_STATUS.get(refused.status)
        raise BundleError(
            f"The cluster can't be asked {what}: {refused.message}" + (f". {way_out}." if way_out else "")
        ) from refused
