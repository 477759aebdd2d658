"""A key of the stack's configuration is read here: as a frozen model, or with an error that says how to correct it.

The models themselves, which say what a key may hold, are in settings/ here and in ml_workloads.
"""

import ast
import gc
import inspect
import json
import re
import textwrap
from collections.abc import Collection, Mapping
from functools import cache as memoize
from itertools import pairwise
from typing import Annotated, Any, TypeVar

import pulumi
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from ml_platform import schema_path

PROJECT = "ml-platform"

Name = Annotated[
    str, Field(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=40, description="Letters, digits, hyphens.")
]
BucketName = Annotated[
    str, Field(pattern=r"^[a-z0-9][-a-z0-9]{1,61}[a-z0-9]$", description="The name of a bucket, by the rules of S3.")
]


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Quantity = Annotated[
    str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|[kMGT]|[KMGT]i)?$", description="A Kubernetes quantity: 500m, 2Gi.")
]
Processors = Annotated[Quantity, BeforeValidator(_as_text, json_schema_input_type=Quantity | int | float)]
"""A quantity that Kubernetes takes as a number as well: 500m, 2, 0.5."""

ImageReference = Annotated[str, Field(pattern=r"^[^@\s]+@sha256:[0-9a-f]{64}$")]

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

    def below(self, path: str) -> "MisfitError":
        """The same, as a validator further out raises it, which knows the block as `path`."""
        return MisfitError(".".join((path, *self.path)), str(self), self.default, remove=self.remove)


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

    cpu: Processors = "50m"
    memory: Quantity = "256Mi"
    cpu_limit: Processors = "1"
    memory_limit: Quantity = "1Gi"

    @property
    def devices(self) -> dict[str, str]:
        """The devices of a node that it takes, by the name of their resource."""
        return {}


class Quota(Settings):
    """The quota of a namespace: the sum of the limits of all its pods, and their number."""

    cpu: Processors = "16"
    memory: Quantity = "16Gi"
    pods: Annotated[int, Field(ge=1, le=10000)] = 50


S = TypeVar("S", bound=BaseModel)


@memoize
def _descriptions(model: type[BaseModel]) -> Mapping[str, str]:
    """The strings below the fields of a model and of its base classes, by field."""
    found: dict[str, str] = {}
    for each in reversed([base for base in model.__mro__ if issubclass(base, Settings)]):
        try:
            block = _parsed(each)
        except OSError:
            continue  # a model made by create_model has no source: its fields have descriptions of their own
        for field, below in pairwise(getattr(block, "body", ())):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                found.pop(field.target.id, None)
                if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                    found[field.target.id] = inspect.cleandoc(str(below.value.value))
    return found


def _parsed(model: type[BaseModel]) -> ast.stmt:
    """The source of a model. CPython 3.11 can neither find nor parse it where the garbage collector, in the middle,
    runs code that parses as well, as the formatting of a traceback does."""
    collects = gc.isenabled()
    gc.disable()
    try:
        (statement,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    finally:
        if collects:
            gc.enable()
    return statement


def read(config: pulumi.Config, key: str, model: type[S]) -> S:
    """The block `ml-platform:<key>` as `model`; an absent block counts as an empty one.

    Raises:
        SettingsError: values break a rule; the message names each.
    """
    found = given(config, key)
    return validate(key, {} if found is None else found, model)


def given(config: pulumi.Config, key: str) -> object:
    """The plain value of `ml-platform:<key>`; None where there is no such block."""
    raw = config.get(key)
    try:
        return json.loads(raw) if raw else None
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
    """The stack's secret of that name, among those of `config`.

    Raises:
        SettingsError: it is not set.
    """
    value = config.get_secret(name)
    if value is None:
        key = config.full_key(name)
        raise SettingsError(
            f"{key} is not set: it holds {purpose}. Set it with:\n  pulumi config set --secret {key} <value>"
        )
    return value


def _explain(key: str, schema: Mapping[str, Any], value: object, problem: Mapping[str, Any]) -> str:
    steps = problem["loc"]
    path = f"{PROJECT}:{key}" + "".join(map(_step, steps))
    remove = f"Remove it with:\n  pulumi config rm --path {_quoted(path)}"
    if problem["type"] == "extra_forbidden":
        allowed = ", ".join(schema_path.keys(schema, steps[:-1], value))
        return f"{path} is no setting; allowed here: {allowed}. {remove}"
    rule = _first_lower(problem["msg"].removeprefix("Value error, "))
    given = "is missing" if problem["type"] == "missing" else f"is {json.dumps(problem['input'], default=str)}"
    misfit = problem.get("ctx", {}).get("error")
    if isinstance(misfit, MisfitError) and misfit.remove:
        return f"{path} {given}: {rule}. {remove}"
    commands = _commands(path, schema_path.types(schema, steps, value), problem["input"])
    return f"{path} {given}: {rule}. Set it with:\n{commands}"


def _step(step: str | int) -> str:
    """A step of a path, as the CLI reads it."""
    if isinstance(step, int):
        return f"[{step}]"
    return f'["{step}"]' if set(step) & set(".[]") else f".{step}"


def _quoted(path: str) -> str:
    """The path as one word of a shell."""
    return "'" + path.replace("'", "'\\''") + "'"


def _commands(path: str, types: Collection[str], given: object) -> str:
    """The commands that set a value of one of these types."""
    if not types or not set(types) <= {"array", "object"}:
        return f"  pulumi config set --path {_quoted(path)} {_typed(types, given)}<value>"
    first = f"{path}[0]" if "array" in types else f"{path}.<key>"
    remove = "" if given is None or isinstance(given, list | dict) else f"  pulumi config rm --path {_quoted(path)}\n"
    return f"{remove}  pulumi config set --path {_quoted(first)} <value>"


def _typed(types: Collection[str], given: object) -> str:
    """The option without which the CLI stores the value as another type: a fraction as a text, digits as a number."""
    if "number" in types and ("string" not in types or is_number(given)):
        return "--type float "
    return "--type string " if set(types) == {"string"} and isinstance(given, int | float) else ""


def is_number(given: object) -> bool:
    """Whether it is a text that stands for a number."""
    return isinstance(given, str) and re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", given) is not None


def _at_key(problem: Mapping[str, Any], schema: Mapping[str, Any], value: object) -> Mapping[str, Any]:
    """The problem, at the key that has to change: below its block, that is the union's tag, or the MisfitError's
    path."""
    steps = schema_path.without_tags(problem["loc"], value, missing=problem["type"] == "missing")
    misfit = problem.get("ctx", {}).get("error")
    if isinstance(misfit, MisfitError):
        given = problem["input"]
        for step in misfit.path:
            given = given.get(step) if isinstance(given, Mapping) else None
        given = misfit.default if given is None else given
        return {**problem, "loc": (*steps, *misfit.path), "input": given}
    if not problem["type"].startswith("union_tag"):
        return {**problem, "loc": steps}
    key, tags = schema_path.tags(schema, steps, value)
    given = problem["input"].get(key) if isinstance(problem["input"], Mapping) else problem["input"]
    return {
        "type": "missing" if given is None else "tag",
        "loc": (*steps, key),
        "input": given,
        "msg": f"It must be one of: {', '.join(tags)}",
    }


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:]
