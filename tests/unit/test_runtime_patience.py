"""Which failures a wait may mend, and that the waiting ends."""

from __future__ import annotations

import errno
import socket
import ssl
from http.client import RemoteDisconnected
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest
import requests
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from ml_platform import pods
from ml_runtime import command, patience
from ml_runtime.errors import AwayError, RunError, SpecError
from mlflow.exceptions import MlflowException, RestException


def answered(status: int) -> ClientError:
    return ClientError({"Error": {"Code": "X"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")  # type: ignore[typeddict-item]


def refused_by_mlflow(code: str) -> RestException:
    return RestException({"error_code": code, "message": "no"})  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("failure", "away"),
    [
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (URLError("no route"), True),
        (HTTPError("http://x", 503, "away", None, None), True),  # type: ignore[arg-type]
        (HTTPError("http://x", 404, "no", None, None), False),  # type: ignore[arg-type]
        (EndpointConnectionError(endpoint_url="http://x"), True),
        (answered(503), True),
        (answered(403), False),
        (NoCredentialsError(), False),
        (MlflowException("API request to http://x failed with exception"), True),
        (MlflowException("The saved sklearn model references untrusted types"), False),
        (refused_by_mlflow("INTERNAL_ERROR"), True),
        (refused_by_mlflow("RESOURCE_DOES_NOT_EXIST"), False),
        (socket.gaierror("no such name yet"), True),
        (OSError(errno.EHOSTUNREACH, "no route"), True),
        (RemoteDisconnected(), True),
        (requests.ConnectionError("reset"), True),
        (URLError(ConnectionRefusedError()), True),
        (OSError(errno.ENOSPC, "no space left on device"), False),
        (OSError("libnothing.so: cannot open shared object file"), False),
        (URLError(ssl.SSLCertVerificationError("self-signed")), False),
        (FileNotFoundError(), False),
        (ValueError(), False),
        (RunError("no such bucket"), False),
    ],
)
def test_only_an_absent_service_is_waited_for(failure: Exception, away: bool) -> None:
    assert away is patience.is_away(failure)


def test_a_service_that_comes_back_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.001)
    answers = iter([ConnectionRefusedError(), ConnectionRefusedError()])

    def action() -> str:
        if failure := next(answers, None):
            raise failure
        return "done"

    assert patience.patiently("MLflow", 5, action) == "done"


def test_a_service_that_stays_away_fails_with_its_name_and_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.001)

    def action() -> None:
        raise ConnectionRefusedError("refused")

    with pytest.raises(AwayError, match=r"MLflow was away for 0 s.*refused.*run this again"):
        patience.patiently("MLflow", 0.05, action)


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (ZeroDivisionError("a bug"), command.FAILURE, "Traceback"),
        (AwayError("MLflow was away"), command.FAILURE, "error: MLflow was away"),
        (RunError("no such bucket"), command.USER_ERROR, "error: no such bucket"),
        (SpecError("seed is 1.5"), command.USER_ERROR, "error: seed is 1.5"),
    ],
)
def test_the_exit_code_says_whether_another_try_may_help_and_the_containers_message_why(
    failure: Exception, code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "TERMINATION_LOG", tmp_path / "termination-log")

    def fail() -> None:
        raise failure

    assert command.finish(fail) == code
    written = (tmp_path / "termination-log").read_text()
    assert written.startswith(message)
    assert str(failure) in written


def test_what_succeeds_leaves_no_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "TERMINATION_LOG", tmp_path / "termination-log")
    assert command.finish(lambda: None) == 0
    assert not (tmp_path / "termination-log").exists()


def test_a_job_ends_at_once_by_the_code_of_a_users_error() -> None:
    spec = pods.job("a", "b", {}, {"containers": [{"name": "train"}]}, run="c")["spec"]
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert rule["action"] == "FailJob"
    assert rule["onExitCodes"] == {"containerName": "train", "operator": "In", "values": [command.USER_ERROR]}
    assert spec["template"]["spec"]["restartPolicy"] == "Never"  # Kubernetes takes such a policy with no other
