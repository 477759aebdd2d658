"""What a cloud's SDK says of the inputs of its resources: the names that there are, at every depth."""

from __future__ import annotations

import importlib
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi import _types

PACKAGES = {"aws": "pulumi_aws", "gcp": "pulumi_gcp", "ionoscloud": "pulumi_ionoscloud"}


def strangers(kind: str, inputs: Mapping[str, Any]) -> list[str]:
    """The paths of all inputs that the SDK does not know."""
    package, module, noun = kind.split(":")
    area = importlib.import_module(f"{PACKAGES[package]}.{module.partition('/')[0]}")
    named = f"{noun}InitArgs"  # where another class has the usual name already
    file = importlib.import_module(getattr(area, noun).__module__)
    return list(_strangers(getattr(file, named, None) or getattr(file, f"{noun}Args"), inputs, noun))


def _strangers(args: type, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _strangers(args, each, f"{path}[{index}]")
    elif isinstance(value, Mapping):
        types = _types.input_type_types(args)
        for name, inner in value.items():
            if name not in types:
                yield f"{path}.{name}"
            elif nested := next(_nested(types[name]), None):
                yield from _strangers(nested, inner, f"{path}.{name}")


def _nested(annotation: Any) -> Iterator[type]:
    """The class of inputs that an annotation leads to: through unions, sequences and what is awaited."""
    if isinstance(annotation, type) and _types.is_input_type(annotation):
        yield annotation
    for each in typing.get_args(annotation):
        yield from _nested(each)
