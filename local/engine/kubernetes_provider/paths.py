"""Property paths: `spec.containers[0].image`, `metadata.annotations["example.com/x"]`, `spec.rules[*].host`."""

import re
from typing import Any

Path = tuple[str | int, ...]
ANY = "*"

_PART = re.compile(r"""\.?([^.\[\]"]+)|\[(\d+|\*)\]|\["((?:[^"\\]|\\.)*)"\]""")


def parse(text: str) -> Path:
    path: list[str | int] = []
    position = 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            raise ValueError(f"not a property path: {text!r} (at {text[position:]!r})")
        name, index, quoted = part.groups()
        if index is not None:
            path.append(index if index == ANY else int(index))
        else:
            path.append(name if name is not None else quoted.replace('\\"', '"'))
        position = part.end()
    return tuple(path)


def render(path: Path) -> str:
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif any(mark in part for mark in '."[]'):
            text += '["{}"]'.format(part.replace('"', '\\"'))
        else:
            text += f".{part}" if text else part
    return text


def covers(pattern: Path, path: Path) -> bool:
    """Whether `path` is `pattern` or lies below it."""
    return len(path) >= len(pattern) and all(want in (ANY, part) for want, part in zip(pattern, path, strict=False))


def find(tree: Any, path: Path) -> Any:
    """The value at `path`, or None."""
    for part in path:
        if isinstance(part, int):
            tree = tree[part] if isinstance(tree, list) and part < len(tree) else None
        else:
            tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def put(tree: Any, path: Path, value: Any) -> None:
    """Set what exists up to its parent; a path that leads elsewhere is left alone."""
    parent: Any = find(tree, path[:-1])
    last = path[-1]
    inside = isinstance(parent, list) and isinstance(last, int) and last < len(parent)
    if isinstance(parent, dict) or inside:
        parent[last] = value


def drop(tree: Any, path: Path) -> None:
    parent = find(tree, path[:-1])
    if isinstance(parent, dict):
        parent.pop(path[-1], None)
