"""Which failures a wait may mend, and that the waiting ends."""

from __future__ import annotations

from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from ml_runtime import command, patience
from ml_runtime.errors import RunError
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

    with pytest.raises(RunError, match=r"MLflow was away for 0 s.*refused.*run this again"):
        patience.patiently("MLflow", 0.05, action)


def test_a_crash_ends_with_its_traceback_in_the_containers_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = tmp_path / "termination-log"
    monkeypatch.setattr(command, "TERMINATION_LOG", message)

    def crash() -> None:
        raise ZeroDivisionError("a bug")

    def refuse() -> None:
        raise RunError("no such bucket")

    assert command.finish(crash) == 1
    assert message.read_text().endswith("ZeroDivisionError: a bug")
    assert "Traceback" in capsys.readouterr().err
    assert command.finish(refuse) == 1
    assert message.read_text() == "error: no such bucket"
    assert command.finish(lambda: None) == 0
