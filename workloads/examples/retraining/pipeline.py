"""A pipeline of Kubeflow Pipelines that keeps a model good: six stages, of which the last three run when they have to.

It takes the flowers as they are now, asks the deployed model about some of them, trains another one where that one has
become worse than `least` or there is none, registers it if it is better, and serves it. Each stage is a function that
stands alone: what it needs, it imports itself.
"""

from kfp import dsl
from kfp.dsl import Dataset, Input, Model, Output


@dsl.component
def ingest(flowers: str, table: Output[Dataset]) -> int:
    """The flowers of which all is known; how many there are."""
    import io

    import pandas
    from ml_runtime import places, store

    content = store.read(places.stored(flowers, "flowers"), patience=60)
    rows = pandas.read_csv(io.BytesIO(content)).dropna()
    rows.to_parquet(table.path)
    return len(rows)


@dsl.component
def split(table: Input[Dataset], training: Output[Dataset], test: Output[Dataset]):
    """A fifth of each species tests."""
    import pandas
    from sklearn.model_selection import train_test_split

    rows = pandas.read_parquet(table.path)
    parts = train_test_split(rows, test_size=0.2, stratify=rows["species"], random_state=37)
    for part, artifact in zip(parts, (training, test), strict=True):
        part.to_parquet(artifact.path)


@dsl.component
def detect(test: Input[Dataset], model: str) -> float:
    """The accuracy of the deployed model: 0 where there is none."""
    import mlflow
    import pandas
    from ml_runtime import tracking

    if tracking.version(model, tracking.CHAMPION) is None:
        return 0.0
    rows = pandas.read_parquet(test.path)
    deployed = mlflow.pyfunc.load_model(f"models:/{model}@{tracking.CHAMPION}")
    return float((deployed.predict(rows.drop(columns="species")) == rows["species"]).mean())


@dsl.component
def train(training: Input[Dataset], test: Input[Dataset], max_iter: int, model: Output[Model]) -> float:
    """Another model; its accuracy on the same flowers."""
    import mlflow
    import pandas
    from mlflow.models import infer_signature
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    (columns, species), (asked, truth) = (
        (rows.drop(columns="species"), rows["species"])
        for rows in (pandas.read_parquet(part.path) for part in (training, test))
    )
    fitted = make_pipeline(StandardScaler(), LogisticRegression(max_iter=max_iter)).fit(columns, species)
    signature = infer_signature(columns, fitted.predict(columns))
    mlflow.sklearn.save_model(fitted, model.path, signature=signature, serialization_format="skops")
    model.metadata["accuracy"] = float(fitted.score(asked, truth))
    return model.metadata["accuracy"]


@dsl.component
def register(model: Input[Model], name: str, accuracy: float) -> str:
    """The version that it is from now on: the champion, with the digest of its files, by which they are served."""
    import pathlib
    import tempfile

    import mlflow
    from ml_runtime import download, tracking

    mlflow.set_experiment(name)
    with mlflow.start_run():
        mlflow.log_metric("test_accuracy", accuracy)
        logged = mlflow.sklearn.log_model(
            mlflow.sklearn.load_model(model.path),
            name=tracking.MODEL,
            signature=mlflow.models.get_model_info(model.path).signature,
            serialization_format="skops",
            registered_model_name=name,
        )
    version, client = str(logged.registered_model_version), tracking.client()
    with tempfile.TemporaryDirectory() as folder:
        files = download.fetch(download.location(name, version, 60), pathlib.Path(folder), 60)
    client.set_model_version_tag(name, version, tracking.FILES_DIGEST, download.digest(files))
    client.set_registered_model_alias(name, tracking.CHAMPION, version)
    return version


@dsl.component
def serve(service: str, name: str, version: str) -> str:
    """Where that version answers, when it does. What served before goes on until then."""
    import pathlib
    import time

    from kubernetes import client, config
    from kubernetes.client.exceptions import ApiException

    config.load_incluster_config()
    account = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
    kind = ("serving.kserve.io", "v1beta1", (account / "namespace").read_text(), "inferenceservices")
    model = {
        "modelFormat": {"name": "mlflow", "version": "3"},
        "protocolVersion": "v2",
        "runtime": "mlserver",
        "storageUri": f"mlflow://{name}/{version}",
    }
    declared = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": service},
        "spec": {"predictor": {"minReplicas": 1, "maxReplicas": 1, "serviceAccountName": "model", "model": model}},
    }
    api, end = client.CustomObjectsApi(), time.monotonic() + 300
    try:
        wanted = api.patch_namespaced_custom_object(*kind, service, declared)["metadata"]["generation"]
    except ApiException as absent:
        if absent.status != 404:
            raise
        wanted = api.create_namespaced_custom_object(*kind, declared)["metadata"]["generation"]
    while time.monotonic() < end:
        status = api.get_namespaced_custom_object(*kind, service).get("status", {})
        ready = {each["type"]: each["status"] for each in status.get("conditions", [])}.get("Ready")
        if ready == "True" and status.get("observedGeneration", wanted) >= wanted:
            return str(status["url"])
        time.sleep(1)
    raise TimeoutError(f"{service} does not serve version {version} of {name} after 300 s: {status}")


@dsl.pipeline(name="retraining")
def retraining(flowers: str, model: str, service: str, least: float = 0.7, max_iter: int = 100):
    """The six stages."""
    table = ingest(flowers=flowers).outputs["table"]
    parts = split(table=table).outputs
    deployed = detect(test=parts["test"], model=model).output
    with dsl.If(deployed < least, name="degraded"):
        trained = train(training=parts["training"], test=parts["test"], max_iter=max_iter).outputs
        with dsl.If(trained["Output"] > deployed, name="better"):
            version = register(model=trained["model"], name=model, accuracy=trained["Output"]).output
            serve(service=service, name=model, version=version)
