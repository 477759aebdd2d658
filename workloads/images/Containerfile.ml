# The common layer of all Python images, pulled once by a node: MLflow, scikit-learn, pandas, boto3 in /opt/ml. LightGBM
# has no OpenMP of its own.
ARG BASE
FROM ${BASE}
ENV PATH=/opt/ml/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2 \
    MLFLOW_DISABLE_TELEMETRY=true GIT_PYTHON_REFRESH=quiet
RUN --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/host --mount=type=secret,id=ca \
    apt-get update -qq \
 && apt-get install -qq -y --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/cache/ldconfig/* /var/log/*
COPY images/requirements/ml.txt images/slim.sh /opt/build/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca \
    /usr/bin/python3 -m venv /opt/ml \
 && pip install --no-deps --no-compile --require-hashes --only-binary :all: --requirement /opt/build/ml.txt \
 && pip uninstall --yes --quiet setuptools \
 && sh /opt/build/slim.sh
