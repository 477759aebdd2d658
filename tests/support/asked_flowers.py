"""Flowers that the model of the node is asked about under ids of one's own, while what keeps its requests is killed."""

from __future__ import annotations

import io
import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ml_local.connection import Connection
from pyarrow import parquet
from support import gateway, machine, store
from support.flowers import FLOWERS

CLIENTS = 4
SHIFT = 5.0
"""Centimetres that no petal has more."""


def ask(url: str, ids: Sequence[str], midway: Callable[[], None]) -> dict[str, str]:
    """What each is answered; `midway` happens while half of them are asked."""
    halves = ids[: len(ids) // 2], ids[len(ids) // 2 :]
    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        first = _asked(pool, url, halves[0])
        killed = pool.submit(midway)
        second = _asked(pool, url, halves[1])
        killed.result()
    return {**first, **second}


def _asked(pool: ThreadPoolExecutor, url: str, ids: Sequence[str]) -> dict[str, str]:
    own = threading.local()

    def one(place: int) -> str:
        own.connection = getattr(own, "connection", None) or Connection(url)
        flower = [*FLOWERS.values()][place % len(FLOWERS)]
        shifted = {name: value + SHIFT + place % 7 / 10 for name, value in flower.items()}
        status, text = own.connection.send("POST", json.dumps({"id": ids[place], **gateway.rows(shifted)}).encode())
        assert status == 200, text
        return str(json.loads(text)["outputs"][0]["data"][0])

    return dict(zip(ids, pool.map(one, range(len(ids))), strict=True))


def kill_collector() -> None:
    """At once, as a node that breaks does it."""
    words = ("kubectl", "-n", "models", "delete", "pod", "-l", "app=requests", "--grace-period=0", "--force")
    done = machine.tool(*words)
    assert done.returncode == 0, done.stdout


def kept(token: str) -> Counter[str]:
    """How often each id that begins so lies in the object store."""
    client, found = store.client(), Counter[str]()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="datasets", Prefix="requests/service=iris/")
    for entry in (each for page in pages for each in page.get("Contents", [])):
        content = client.get_object(Bucket="datasets", Key=entry["Key"])["Body"].read()
        ids = parquet.read_table(io.BytesIO(content), columns=["id"]).column("id").to_pylist()
        found.update(each for each in ids if each.startswith(token))
    return found


def look() -> dict[str, Any]:
    """The verdict of the look at the model, which is taken now and not by the clock."""
    client = machine.client()
    done = machine.tool("kubectl", "-n", "models", "create", "job", "iris-look", "--from=cronjob/iris-monitor")
    assert done.returncode == 0, done.stdout
    words = ("kubectl", "-n", "models", "wait", "job/iris-look", "--for=condition=complete", "--timeout=240s")
    done = machine.tool(*words)
    assert done.returncode == 0, done.stdout + machine.tool("kubectl", "-n", "models", "logs", "job/iris-look").stdout
    clock = client.get("batch/v1", "CronJob", "iris-monitor", "models")
    (described,) = (
        each["configMap"]["name"]
        for each in clock["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"]
        if each["name"] == "description"
    )
    verdict = client.get("v1", "ConfigMap", described.removesuffix("-description"), "models")
    return dict(json.loads(verdict["data"]["verdict.json"]))
