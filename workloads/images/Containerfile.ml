# The common layer of all Python images, pulled once by a node: MLflow, scikit-learn, pandas, boto3 in /opt/ml.
ARG BASE
FROM ${BASE}
ENV PATH=/opt/ml/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2 \
    MLFLOW_DISABLE_TELEMETRY=true GIT_PYTHON_REFRESH=quiet
COPY images/requirements/ml.txt images/slim.sh /opt/build/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca \
    /usr/bin/python3 -m venv /opt/ml \
 && pip install --no-deps --no-compile --require-hashes --only-binary :all: --requirement /opt/build/ml.txt \
 && pip uninstall --yes --quiet setuptools \
 && sh /opt/build/slim.sh
