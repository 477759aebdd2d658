"""A key of the stack's configuration is read here: as a frozen model, or with an error that says how to correct it.

The models themselves, which say what a key may hold, are in settings/ here and in ml_workloads.
"""

import ast
import inspect
import json
import textwrap
from collections.abc import Mapping, Sequence
from functools import cache as memoize
from itertools import pairwise
from typing import Annotated, Any, TypeVar

import pulumi
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

PROJECT = "ml-platform"

Name = Annotated[
    str, Field(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=40, description="Letters, digits, hyphens.")
]
BucketName = Annotated[
    str, Field(pattern=r"^[a-z0-9][-a-z0-9]{1,61}[a-z0-9]$", description="The name of a bucket, by the rules of S3.")
]
Quantity = Annotated[
    str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|[kMGT]|[KMGT]i)?$", description="A Kubernetes quantity: 500m, 2Gi.")
]

UNITS = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def amount(quantity: str) -> float:
    """The number that a Kubernetes quantity stands for, in processors or bytes."""
    number = quantity.rstrip("mkKMGTi")
    return float(number) * UNITS.get(quantity[len(number) :], 1)


def one_rule(rule: str) -> WrapValidator:
    """A validator for a field of several types: its one error is `rule`, in place of one error for each type."""

    def check(value: Any, validate_each: ValidatorFunctionWrapHandler) -> Any:
        try:
            return validate_each(value)
        except ValidationError as broken:
            raise ValueError(rule) from broken

    return WrapValidator(check)


class SettingsError(pulumi.RunError):
    """The stack's configuration breaks a rule; the message has the key's path, the value, the rule and a command.

    Pulumi shows a RunError as the message alone, without a traceback.
    """


class MisfitError(ValueError):
    """A value that is valid by itself and contradicts another one; the validator of the block around both raises it.

    Args:
        path: the key of the value below that block, with dots.
        rule: what the value must be.
        default: the value that holds where the settings name none.
        remove: whether the key is to be removed, in place of being set to another value.
    """

    def __init__(self, path: str, rule: str, default: object = None, *, remove: bool = False) -> None:
        super().__init__(rule)
        self.remove = remove
        self.path = tuple(path.split("."))
        self.default = default


class Settings(BaseModel):
    """A block of settings: frozen, with exact types, unknown keys refused; the string below a field describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        # Pydantic's own use_attribute_docstrings reads all sources in every run, a tenth of the program's start; this
        # reads them only when a schema is asked for.
        made = handler(schema)
        properties = handler.resolve_ref_schema(made).get("properties", {})
        for name, text in _descriptions(cls).items():
            properties[name].setdefault("description", text)
        return made


class Resources(Settings):
    """The resources of a container: its requests and its limits."""

    cpu: Quantity = "50m"
    memory: Quantity = "256Mi"
    cpu_limit: Quantity = "1"
    memory_limit: Quantity = "1Gi"


class Quota(Settings):
    """The quota of a namespace: the sum of the limits of all its pods, and their number."""

    cpu: Quantity = "16"
    memory: Quantity = "16Gi"
    pods: Annotated[int, Field(ge=1, le=10000)] = 50


S = TypeVar("S", bound=BaseModel)


@memoize
def _descriptions(model: type[BaseModel]) -> Mapping[str, str]:
    """The strings below the fields of a model and of its base classes, by field."""
    found: dict[str, str] = {}
    for each in reversed([base for base in model.__mro__ if issubclass(base, Settings)]):
        try:
            (block,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        except OSError:
            continue  # a model made by create_model has no source: its fields have descriptions of their own
        for field, below in pairwise(getattr(block, "body", ())):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                found.pop(field.target.id, None)
                if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                    found[field.target.id] = inspect.cleandoc(str(below.value.value))
    return found


def read(config: pulumi.Config, key: str, model: type[S]) -> S:
    """The block `ml-platform:<key>` as `model`; an absent block counts as an empty one.

    Raises:
        SettingsError: values break a rule; the message names each.
    """
    return validate(key, given(config, key), model)


def given(config: pulumi.Config, key: str) -> object:
    """The plain value of `ml-platform:<key>`; an absent block counts as an empty one."""
    raw = config.get(key)
    try:
        return json.loads(raw) if raw else {}
    except ValueError:
        return raw


def validate(key: str, value: object, model: type[S]) -> S:
    """`value` as `model`.

    Raises:
        SettingsError: values break a rule; the message names each.
    """
    try:
        # The value goes in as JSON: the strict mode for Python values refuses a list where the model has a tuple.
        return model.model_validate_json(json.dumps(value))
    except ValidationError as broken:
        schema = model.model_json_schema()
        problems = [_at_key(problem, schema, value) for problem in broken.errors(include_url=False)]
        lines = [_explain(key, schema, value, problem) for problem in problems]
        raise SettingsError("\n".join(lines)) from None


def require_secret(config: pulumi.Config, name: str, purpose: str) -> pulumi.Output[str]:
    """The stack's secret `ml-platform:<name>`.

    Raises:
        SettingsError: it is not set.
    """
    value = config.get_secret(name)
    if value is None:
        raise SettingsError(
            f"{PROJECT}:{name} is not set: it holds {purpose}. Set it with:\n"
            f"  pulumi config set --secret {PROJECT}:{name} <value>"
        )
    return value


def _explain(key: str, schema: Mapping[str, Any], value: object, problem: Mapping[str, Any]) -> str:
    steps = _without_tags(problem["loc"], value)
    path = f"{PROJECT}:{key}" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    if problem["type"] == "extra_forbidden":
        allowed = ", ".join(sorted(_properties(schema, steps[:-1], value)))
        return f"{path} is no setting; allowed here: {allowed}. Remove it with:\n  pulumi config rm --path '{path}'"
    rule = problem["msg"].removeprefix("Value error, ")
    given = "is missing" if problem["type"] == "missing" else f"is {json.dumps(problem['input'], default=str)}"
    misfit = problem.get("ctx", {}).get("error")
    if isinstance(misfit, MisfitError) and misfit.remove:
        return f"{path} {given}: {_first_lower(rule)}. Remove it with:\n  pulumi config rm --path '{path}'"
    return f"{path} {given}: {_first_lower(rule)}. Set it with:\n  pulumi config set --path '{path}' <value>"


def _at_key(problem: Mapping[str, Any], schema: Mapping[str, Any], value: object) -> Mapping[str, Any]:
    """The problem, moved from its block to the key that has to change: the union's tag, or the MisfitError's path."""
    misfit = problem.get("ctx", {}).get("error")
    if isinstance(misfit, MisfitError):
        given = problem["input"]
        for step in misfit.path:
            given = given.get(step) if isinstance(given, Mapping) else None
        given = misfit.default if given is None else given
        return {**problem, "loc": (*problem["loc"], *misfit.path), "input": given}
    if not problem["type"].startswith("union_tag"):
        return problem
    key = problem["ctx"]["discriminator"].strip("'")
    tags = (
        _not_null(_node(schema, _without_tags(problem["loc"], value), value))
        .get("discriminator", {})
        .get("mapping", {})
    )
    given = problem["input"].get(key) if isinstance(problem["input"], Mapping) else problem["input"]
    return {
        "type": "missing" if given is None else "tag",
        "loc": (*problem["loc"], key),
        "input": given,
        "msg": f"It must be one of: {', '.join(tags)}",
    }


def _without_tags(location: Sequence[str | int], value: Any) -> list[str | int]:
    """The location without the steps that are tags of unions, so that only keys of the settings are left."""
    steps: list[str | int] = []
    for index, step in enumerate(location):
        last = index == len(location) - 1
        if step in value if isinstance(value, Mapping) else isinstance(value, list) and step in range(len(value)):
            value = value[step]
        elif not last or step == "[key]":
            continue
        steps.append(step)
    return steps


def _properties(root: Mapping[str, Any], steps: Sequence[str | int], value: Any) -> set[str]:
    """The keys that the schema allows in the object at `steps`."""
    node = _node(root, steps, value)
    for step in steps:
        value = value[step]
    return set(_resolve(root, node, value).get("properties", {}))


def _node(root: Mapping[str, Any], steps: Sequence[str | int], value: Any) -> Mapping[str, Any]:
    """The schema of the value at `steps`, before its references are resolved."""
    node = root
    for step in steps:
        node, value = _inner(_resolve(root, node, value), step), value[step]
    return node


def _inner(node: Mapping[str, Any], step: str | int) -> Mapping[str, Any]:
    """The schema of the value at `step`: of a property, of a key that fits a pattern, of any key, or of an item."""
    of_pattern = next(iter(node.get("patternProperties", {}).values()), None)
    found = node.get("properties", {}).get(step) or of_pattern or node.get("additionalProperties") or node.get("items")
    return found or {}


def _resolve(root: Mapping[str, Any], node: Mapping[str, Any], value: Any) -> Mapping[str, Any]:
    node = _not_null(node)
    if mapping := node.get("discriminator", {}).get("mapping"):
        tag = value.get(node["discriminator"]["propertyName"]) if isinstance(value, Mapping) else None
        node = {"$ref": mapping[tag]} if tag in mapping else {}
    if reference := node.get("$ref"):
        return _resolve(root, root["$defs"][reference.rpartition("/")[2]], value)
    return node


def _not_null(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a nullable key without its null."""
    return next((each for each in node.get("anyOf", ()) if each.get("type") != "null"), node)


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:]
