# The common layer of all Python images, pulled once by a node: MLflow, scikit-learn, pandas, boto3 in /opt/ml.
ARG BASE
FROM ${BASE}
ENV PATH=/opt/ml/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2
COPY images/requirements/ml.txt images/slim.sh /opt/build/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca \
    /usr/bin/python3 -m venv /opt/ml \
 && pip install --no-deps --no-compile --require-hashes --only-binary :all: --requirement /opt/build/ml.txt \
 && sh /opt/build/slim.sh
