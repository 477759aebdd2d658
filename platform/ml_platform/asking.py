"""The Kubernetes client of dynamic resources: its errors say what the cluster was asked, and who can help.

This module decides what happens when a cluster does not answer: an error. The two environment variables of Pulumi's
Kubernetes plugin turn that error off: one says that the cluster was deleted, the other that it is to be skipped.
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
    """The cluster does not answer, or refuses this user; the message says what it was asked and who can help.

    Pulumi shows this error without a traceback.
    """


class AwayError(ClusterError):
    """The cluster gave no answer at all: it is down, or the kubeconfig does not lead to it."""


@contextmanager
def asked(kubeconfig: str, what: str, *, timeout: float = 30.0, patience: float = 0.0) -> Iterator[Client]:
    """A client of the cluster, for the question `what`, such as "which one it is", which errors quote.

    Args:
        kubeconfig: the text of the kubeconfig.
        what: the question, as it follows "The cluster can't be asked".
        timeout: the seconds that one request may take.
        patience: the seconds that the client waits for a server that is down.

    Raises:
        ClusterError: the cluster does not answer the question.
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
    """Whether the user says that a cluster which does not answer was deleted."""
    return os.environ.get(DELETED) == "true"


def is_skipped() -> bool:
    """Whether the user says that objects on a cluster which does not answer stay in the state unchanged."""
    return os.environ.get(SKIPPED) == "true"
