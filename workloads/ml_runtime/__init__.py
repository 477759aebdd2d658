"""What runs inside containers: data sets, training, the gate, registration, model download, schema migration.

Commands are modules (`python -m ml_runtime.<name> --help`). None imports Pulumi, ml_platform or ml_workloads:
what to do comes as a JSON file (ml_runtime.spec), where to do it and with which credentials as environment
variables: MLFLOW_TRACKING_URI, AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION.
"""
