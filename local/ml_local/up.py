"""`make up`: the order from a bare machine to a prediction. Owns no step's work."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ml_local import access, console, debian, images, lock, paths, private, stack, stackfile, toolchains
from ml_local.console import step
from ml_local.errors import LocalError
from ml_local.node import layout as names
from ml_local.node import memory, node, pki, surroundings
from ml_local.node.layout import Layout
from ml_local.predict import of_outputs, predict_example, wait_for_answers

BUILD_GIB, TOOLCHAIN_GIB = 6, 2  # to build anything at all, and for each toolchain
NODE_GIB = 6


def up(layout: Layout, config: Path | None = None) -> None:
    """Build what is not built, start what does not run, apply what changed, and ask for one prediction.

    The settings are those of the stack file `config`, else of the stack's own.

    Raises:
        LocalError: a step failed; the message says which and how to go on.
    """
    file = config or stack.stack_file()
    wanted = stackfile.wanted(file)
    _check_machine(wanted)
    with lock.exclusive("make up"):
        with step("This machine"), lock.building("make up"):
            debian.unpack()
            surroundings.check(layout, stackfile.gateway(file))
        build(wanted)
        with step("Node") as say:
            node.start(layout, say)
        with step("Images in the node's registry") as say:
            images.push(wanted, names.REGISTRY, pki.client_context(layout.pki, "registry-client"), say)
        with step("Pulumi's backend and plugins"):
            stack.prepare(layout)
        settings = f" --config-file {config}" if config else ""
        with step(f"Platform and workloads: `pulumi up --stack local{settings}`") as say:
            stack.up(layout, say, config)
        outputs = stack.outputs(layout)
        access.write(layout, outputs)
        if serves := _asked(outputs):
            with step("An answer from each model") as say:
                wait_for_answers(of_outputs(outputs), say)
    console.line()
    console.table(stack.shown(outputs))
    if serves:
        console.line()
        predict_example(layout)
    console.line(
        f'\nAll in {console.elapsed():.0f} s. Look inside: `eval "$(make env)"`, then kubectl, pulumi, mlflow.'
    )


def _asked(outputs: Mapping[str, Any]) -> bool:
    """Whether there are models, and all of them can be asked here: behind TLS and tokens asks who has both."""
    urls = outputs.get("prediction_urls", {}).values()
    return bool(urls) and all(url.startswith("http://") for url in urls)


@lock.building("make build")
def build(wanted: Collection[str], *, update: bool = False) -> None:
    """Build those images and the node's commands, with `update` of the Debian packages that there are now.

    Go modules one after the other, since each uses all processors; beside them the images whose commands are there, and
    ahead of them the sources of the modules that follow.
    """
    with step("Debian packages"):
        packages = debian.unpack(update=update)
    console.line(f"      {packages}")
    table = images.with_bases(wanted)
    needed = toolchains_of(table)
    todo = [toolchain for toolchain in needed if not toolchain.built]
    with _thread() as beside, _thread() as ahead, step("Images") as say:
        without_command = [name for name, image in table.items() if not image.command]
        started: list[Future[Any]] = [beside.submit(images.build, without_command, say)]
        started += [ahead.submit(toolchains.fetch, toolchain) for toolchain in todo]
        for toolchain in needed:
            if toolchain in todo:
                with step(f"Go commands: {', '.join(toolchain.commands)}"):
                    toolchains.build(toolchain)
            holding = [name for name, image in table.items() if image.command in toolchain.commands]
            started.append(beside.submit(images.build, holding, say))
            _raise_failed(started)
        wait(started)
        _raise_failed(started)
    if todo:
        toolchains.trim()


def toolchains_of(table: Mapping[str, images.Image]) -> tuple[toolchains.Toolchain, ...]:
    """The toolchains of the commands that the images hold, and of the node's own."""
    return toolchains.needed([image.command for image in table.values() if image.command])


@contextmanager
def _thread() -> Iterator[ThreadPoolExecutor]:
    """A thread for what is done one after the other; where something fails, it starts nothing more."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        try:
            yield thread
        except BaseException:
            thread.shutdown(wait=False, cancel_futures=True)
            raise


def _raise_failed(started: Iterable[Future[Any]]) -> None:
    for each in started:
        if each.done():
            each.result()


def _check_machine(wanted: Collection[str]) -> None:
    memory.check()
    private.claim(paths.state())
    missing = [toolchain for toolchain in toolchains_of(images.with_bases(wanted)) if not toolchain.built]
    needs = {
        "ML_PLATFORM_CACHE": (paths.cache(), BUILD_GIB + TOOLCHAIN_GIB * len(missing) if missing else 1),
        "ML_PLATFORM_STATE": (paths.state(), NODE_GIB),
    }
    for variable, (folder, gib) in needs.items():
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < gib * 2**30:
            raise LocalError(
                f"{folder} has {free / 2**30:.1f} GiB free and {gib} are needed. Free some, or name another place: "
                f"{variable}=DIR make up"
            )
