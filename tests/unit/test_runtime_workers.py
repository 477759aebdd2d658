"""The processes of a worker: what each is told, how they end together, and which error says that one is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest
from ml_runtime import checkpoints, worker, workers
from ml_runtime.errors import AwayError, RunError
from ml_runtime.learning_spec import TrainSpec, parse
from support import s3

TRAINER = {"PET_NODE_RANK": "1", "PET_MASTER_ADDR": "first", "PET_MASTER_PORT": "29400", "RANK": "7"}
BEFORE = {"RANK": "1", "MASTER_ADDR": "first", "MASTER_PORT": "23456"}
RANKS = [{"RANK": "2", "LOCAL_RANK": "0", "WORLD_SIZE": "6"}, {"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "6"}]


def spec(**changes: Any) -> TrainSpec:
    data = {"uri": "sklearn:iris", "target": "species", "task": "classification"}
    return parse({"run": "a", "experiment": "a", "data": data, **changes})


@pytest.mark.parametrize(("given", "port"), [(TRAINER, "29400"), (BEFORE, "23456")], ids=["trainer", "before"])
def test_each_process_is_told_its_number_among_all(given: dict[str, str], port: str) -> None:
    found = [*worker.environments(spec(workers=3, processes=2), given)]
    assert [{key: each[key] for key in RANKS[0]} for each in found] == RANKS
    assert {(each["MASTER_ADDR"], each["MASTER_PORT"]) for each in found} == {("first", port)}


def test_a_worker_without_an_operator_says_what_is_missing() -> None:
    with pytest.raises(RunError, match="neither PET_NODE_RANK nor RANK is set"):
        [*worker.environments(spec(workers=2), {})]


@pytest.mark.parametrize(
    ("codes", "code"),
    [((0, 0), 0), ((0, 3), 3), ((1, 3), 3), ((1, 0), 129), ((-9, 0), 137)],
    ids=str,
)
def test_a_worker_ends_as_its_processes_do(codes: tuple[int, ...], code: int) -> None:
    assert worker.wait([_ends(each) for each in codes]) == code


def test_where_one_process_fails_the_others_are_ended() -> None:
    waits = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    begun = time.monotonic()
    assert worker.wait([_ends(3), waits], grace=0.2) == 3
    assert time.monotonic() - begun < 30
    assert waits.returncode == -9


def _ends(code: int) -> subprocess.Popen[bytes]:
    how = f"os.kill(os.getpid(), {-code})" if code < 0 else f"sys.exit({code})"
    return subprocess.Popen([sys.executable, "-c", f"import os, sys; {how}"])


def test_a_training_in_one_process_is_the_first_of_its_group_and_needs_no_torch() -> None:
    with workers.joined({}) as group:
        assert (group.first, group.told(True), group.agree("the data", "a")) == (True, True, None)


def test_several_processes_without_torch_say_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(RunError, match="python3-torch"), workers.joined({"WORLD_SIZE": "2", "RANK": "0"}):
        pass


class DistNetworkError(Exception):
    """Named as one of torch."""


@pytest.mark.parametrize(
    ("failure", "lost"),
    [
        (RuntimeError("[../gloo/transport/tcp/pair.cc:598] Connection closed by peer [10.0.0.7]:1234"), True),
        (RuntimeError("NCCL error in: ProcessGroupNCCL.cpp"), True),
        (DistNetworkError("the client socket has timed out"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("gloo/"), False),
    ],
    ids=str,
)
def test_the_loss_of_another_process_is_no_error_of_ones_own(failure: Exception, lost: bool) -> None:
    assert workers.is_lost(failure) is lost
    with pytest.raises(RunError) as above:
        raise RunError("fit failed") from failure
    assert workers.is_lost(above.value) is lost


class Sent(list[int]):
    """A tensor, as far as it is needed here."""

    def clone(self) -> Sent:
        return Sent(self)

    def tolist(self) -> list[int]:
        return [*self]

    def item(self) -> int:
        return self[0]


class Group:
    """torch.distributed in one of two processes, of which the other one sends this."""

    def __init__(self, other: bytes = b"") -> None:
        self.other = Sent(other)

    def all_gather(self, found: list[Sent], mine: Sent) -> None:
        found[:] = [mine, self.other]

    def broadcast(self, said: Sent, src: int) -> None:
        said[:] = self.other

    def destroy_process_group(self) -> None:
        pass


def joined(monkeypatch: pytest.MonkeyPatch, other: bytes) -> None:
    """The other process sends this."""
    torch = SimpleNamespace(
        distributed=Group(other), tensor=lambda numbers, device: Sent(numbers), cuda=SimpleNamespace(is_available=bool)
    )
    monkeypatch.setitem(sys.modules, "torch", torch)


def test_processes_that_read_other_data_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    joined(monkeypatch, b"b")
    with pytest.raises(RunError, match="process 0 has a, and process 1 has b"):
        workers.Workers(rank=0, size=2).agree("the data", "a")
    workers.Workers(rank=0, size=2).agree("the data", "b")


@pytest.mark.parametrize("first", [0, 1])
def test_what_the_first_process_says_counts_for_all(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    joined(monkeypatch, bytes([first]))
    for mine in (True, False):
        assert workers.Workers(rank=1, size=2).told(mine) is bool(first)


def test_a_process_that_has_lost_another_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_distributed", lambda _: Group())
    monkeypatch.setattr(workers, "GRACE", 0)
    alone = {"WORLD_SIZE": "2", "RANK": "1"}
    with pytest.raises(AwayError, match="another process of this training has gone"), workers.joined(alone):
        raise RunError("fit failed") from RuntimeError("Connection closed by peer")
    with pytest.raises(RunError, match="fit failed"), workers.joined(alone):
        raise RunError("fit failed") from ValueError("a shape")


def test_the_newest_checkpoint_is_read_and_the_newest_two_stay(there: s3.Store) -> None:
    there.put("kept/run-2/000000000099", "of another run")
    checkpoints.begin("s3://datasets/kept/", "run-1", 1, writes=True)
    assert checkpoints.read() is None
    for step in (8, 9, 10):
        checkpoints.write(step, f"step {step}".encode())
    assert checkpoints.read() == b"step 10"
    kept = ["run-1/000000000009", "run-1/000000000010", "run-2/000000000099"]
    assert sorted(there.objects) == [f"datasets/kept/{name}" for name in kept]


@pytest.mark.parametrize(
    ("uri", "writes"), [(None, True), ("s3://datasets/kept/", False)], ids=["nowhere", "not the first"]
)
def test_nothing_is_kept_without_a_place_or_by_another_process(uri: str | None, writes: bool, there: s3.Store) -> None:
    checkpoints.begin(uri, "run-1", 1, writes=writes)
    checkpoints.write(1, b"x")
    assert there.objects == {}
    assert checkpoints.read() is None
