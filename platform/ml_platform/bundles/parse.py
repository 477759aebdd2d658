"""Parsing YAML text into Kubernetes objects, and writing them as YAML.

The objects stay as the text has them; mend.py and the rules of an entry correct them.
"""

from collections.abc import Iterable
from typing import Any

import yaml

from ml_platform.bundles.errors import BundleError
from ml_platform.yaml_text import BEGIN_FLOAT, FLOAT, Loader

Object = dict[str, Any]

VERSION = 1
"""The version of the parser: raised whenever the same text gives other objects, so that no stale ones are reused."""


class _Dumper(yaml.CSafeDumper):
    """Quotes a string that a reader might take for another type; strings of several lines stay readable."""


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, BEGIN_FLOAT)
_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def parse(text: str) -> list[Object]:
    """All objects of `text`, in their order; a List gives its items.

    Raises:
        BundleError: `text` is not YAML, or a document is not a Kubernetes object.
    """
    try:
        documents = list(yaml.load_all(text, Loader=Loader))
    except yaml.YAMLError as error:
        raise BundleError(f"the rendering is not YAML: {error}") from error
    return [item for document in documents for item in _flatten(document)]


def unparse(objects: Iterable[Object]) -> str:
    """The objects as YAML documents."""
    return yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, explicit_start=True, allow_unicode=True, width=1000)


def _flatten(document: Any) -> Iterable[Object]:
    if not document:
        return []
    if not isinstance(document, dict) or not {"kind", "apiVersion"} <= document.keys():
        raise BundleError(f"a document is no Kubernetes object: {str(document)[:80]!r}")
    if document["kind"].endswith("List") and "items" in document:
        return [item for each in document.get("items") or [] for item in _flatten(each)]
    if not isinstance(document.get("metadata"), dict):
        raise BundleError(f"a {document['kind']} has no metadata")
    return [document]


def title(item: Object) -> str:
    """Kind, namespace and name of an object, for messages."""
    metadata = item["metadata"]
    namespace = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{item['kind']} {namespace}{metadata.get('name') or metadata.get('generateName', '(no name)')}"
