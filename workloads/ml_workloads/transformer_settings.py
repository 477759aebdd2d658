"""Settings of what is before and after a served model: a script, or an image of one's own."""

from typing import Self

from ml_platform.configuration import MisfitError, Settings
from pydantic import model_validator

from ml_workloads.fields import OwnImage, Script, WorkResources


class TransformerSettings(Settings):
    """What makes the model's rows of a request's, and answers of the model's, under the same URL."""

    script: Script | None = None
    """A program with `before`, `after` or both, which ends with ml_runtime.transformer.main."""
    image: OwnImage | None = None
    """A server of one's own, such as one by KServe's SDK: it speaks the model's protocol at port 8080, and is told
    --predictor_host and --model_name."""
    resources: WorkResources = WorkResources(cpu="20m", memory="96Mi", cpu_limit="1", memory_limit="512Mi")
    """Of each replica, of which there are as many as the model may have."""

    @model_validator(mode="after")
    def _one_program(self) -> Self:
        if self.script and self.image:
            raise MisfitError("image", "the block has 'script' as well; keep one of them", remove=True)
        if not self.script and not self.image:
            raise MisfitError("script", "it has a script or an image")
        return self
