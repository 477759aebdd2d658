"""`make up`: the order from a bare machine to a prediction. Owns no step's work."""

from __future__ import annotations

import shutil
from concurrent.futures import Future, ThreadPoolExecutor

from ml_local import access, console, debian, images, lock, paths, stack, toolchains
from ml_local.console import step
from ml_local.errors import LocalError
from ml_local.node import layout as names
from ml_local.node import node
from ml_local.node.layout import Layout
from ml_local.predict import predict, wait_for_answer

BUILD_GIB = 24
NODE_GIB = 6


def up(layout: Layout) -> None:
    """Build what is not built, start what does not run, apply what changed, and ask for one prediction.

    Raises:
        LocalError: a step failed; the message says which and how to go on.
    """
    _check_machine()
    with lock.exclusive("make up"):
        build()
        with step("Node") as say:
            node.start(layout, say)
        with step("Images in the node's registry") as say:
            images.push(names.REGISTRY, layout.pki / "ca.crt", say)
        with step("Pulumi's backend and plugins"):
            stack.prepare(layout)
        with step("Platform and workloads: `pulumi up --stack local`") as say:
            stack.up(layout, say)
        outputs = stack.outputs(layout)
        access.write(layout, outputs)
        serves = bool(outputs.get("prediction_urls"))
        if serves:
            with step("An answer from the model") as say:
                wait_for_answer(layout, say)
    console.line()
    console.table({name: _shown(value) for name, value in outputs.items()})
    if serves:
        console.line()
        predict(layout, None)
    console.line(
        f'\nAll in {console.elapsed():.0f} s. Look inside: `eval "$(make env)"`, then kubectl, pulumi, mlflow.'
    )


def build() -> None:
    """All builds: Go commands one after the other (each uses all processors), the Python images beside them."""
    with step("Debian packages"):
        debian.unpack()
    todo = [toolchain for toolchain in toolchains.toolchains() if not toolchain.built]
    with ThreadPoolExecutor(max_workers=1) as beside:
        python_images: Future[None] = beside.submit(_build_images, images.PYTHON_IMAGES, "Python images")
        for toolchain in todo:
            with step(f"Go commands: {', '.join(toolchain.commands)}"):
                toolchains.build(toolchain)
        python_images.result()
    if todo:
        toolchains.trim()
    _build_images(images.GO_IMAGES, "Go images")


def _build_images(names: tuple[str, ...], title: str) -> None:
    with step(title) as say:
        images.build(names, say)


def _check_machine() -> None:
    built = all(toolchain.built for toolchain in toolchains.toolchains())
    needs = {
        "ML_PLATFORM_CACHE": (paths.cache(), 1 if built else BUILD_GIB),
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


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
