"""A cluster as dynamic resources ask it: a client whose errors say what was asked, and who can help.

It owns what becomes of a cluster that does not answer: an error, and where the user says, by the switches of the
Kubernetes plugin, that the cluster was deleted or is to be left out, no error.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pulumi

from ml_platform.kube import Client, KubeconfigError, KubeError, Unreachable

DELETED, SKIPPED = "PULUMI_K8S_DELETE_UNREACHABLE", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE"
_IF_DELETED = (
    f"If it was deleted: {DELETED}=true pulumi destroy drops all that was on it from the state; where data are "
    "protected, pulumi state unprotect --all comes first"
)
_BY_STATUS = {
    401: "Its API server does not take the kubeconfig's credentials: they are wrong, or have expired. Log in to the "
    "cluster again, or ask whoever runs it for a new kubeconfig; `kubectl auth whoami` says whether one is good",
    403: "The kubeconfig's user may not do that. Ask whoever runs the cluster for that right; whoever installs a "
    "platform needs those of an administrator (ClusterRole cluster-admin)",
}
_BY_ITSELF = "Its API server could not answer: try again, and look at its log if that does not help"


class ClusterError(pulumi.RunError):
    """A cluster that does not answer, or not this user; the message says what it was asked and who can help.

    Pulumi shows it without a traceback.
    """


class AwayError(ClusterError):
    """There was no answer at all: the cluster is away, or nothing leads to it."""


@contextmanager
def asked(kubeconfig: str, what: str, *, timeout: float = 30.0, patience: float = 0.0) -> Iterator[Client]:
    """A client that waits for a server that is away for `patience` seconds, to ask `what`: "which one it is".

    Raises:
        ClusterError: the cluster does not say.
    """
    begun = f"The cluster can't be asked {what}"
    try:
        yield Client.from_kubeconfig(kubeconfig, timeout=timeout, patience=0.0 if was_deleted() else patience)
    except KubeconfigError as unusable:
        raise AwayError(f"{begun}: {str(unusable).rstrip('.')}. {_IF_DELETED}") from unusable
    except Unreachable as away:
        raise AwayError(
            f"{begun}: {away.message}. Is it up, is its API reached from here (a VPN, a list of allowed addresses), "
            f"and is the address in the kubeconfig still its own? {_IF_DELETED}"
        ) from away
    except KubeError as refused:
        way_out = _BY_STATUS.get(refused.status) or (_BY_ITSELF if refused.passes else "")
        raise ClusterError(f"{begun}: {refused.message}" + (f". {way_out}." if way_out else "")) from refused


def was_deleted() -> bool:
    """Whether the user says that a cluster that does not answer is gone for good."""
    return os.environ.get(DELETED) == "true"


def is_skipped() -> bool:
    """Whether the user says that what is on a cluster that does not answer stays in the state as it is."""
    return os.environ.get(SKIPPED) == "true"
