"""The JSON Schema of a stack's file, made from the settings' models: `python -m ml_workloads.schema`.

It is here since this package may import both kinds of settings. An editor completes and checks stack files with it.
"""

import json
from pathlib import Path
from typing import Any

from ml_platform.configuration import PROJECT
from ml_platform.settings import ClusterSettings, OwnershipSettings, SharedPlatform, platform_model
from pydantic import TypeAdapter

from ml_workloads.pipeline_settings import SECRETS
from ml_workloads.settings import WorkloadsSettings

FILE = Path(__file__).resolve().parents[2] / "stacks" / "config.schema.json"
BLOCKS: dict[str, TypeAdapter[Any]] = {
    "cluster": TypeAdapter(ClusterSettings),
    "platform": TypeAdapter(platform_model({}) | SharedPlatform),
    "workloads": TypeAdapter(WorkloadsSettings),
    "ownership": TypeAdapter(OwnershipSettings),
}


def stack_file() -> dict[str, Any]:
    """The schema of Pulumi.<stack>.yaml: our four keys, our secrets, and what the CLI itself writes."""
    definitions: dict[str, Any] = {}
    blocks: dict[str, Any] = {}
    for key, block in BLOCKS.items():
        # Names of models may repeat between blocks: each has its definitions under its own name.
        schema = block.json_schema(ref_template=f"#/$defs/{key}.{{model}}")
        definitions |= {f"{key}.{name}": each for name, each in schema.pop("$defs", {}).items()}
        blocks[f"{PROJECT}:{key}"] = schema
    secret = {"type": "object", "required": ["secure"], "additionalProperties": False}
    secret["properties"] = {"secure": {"type": "string"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of a stack",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "secretsprovider": {"type": "string"},
            "encryptionsalt": {"type": "string"},
            "encryptedkey": {"type": "string"},
            "environment": {},
            "config": {
                "type": "object",
                "properties": blocks,
                "patternProperties": {f"^{PROJECT}:(?!({'|'.join(BLOCKS)})$)": secret, f"^{SECRETS}:": secret},
            },
        },
        "$defs": definitions,
    }


def text() -> str:
    return json.dumps(stack_file(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
