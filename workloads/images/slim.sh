#!/bin/sh
# Leaves in /opt/ml what runs, and compiles it: with hashes in place of times, so that nothing is checked at
# start and every build gives the same bytes. Goes last in each step that installs Python packages.
set -eu
cd /opt/ml/lib/python3.*/site-packages
find . -type d -name tests -prune -exec rm -rf {} +
find . \( -name '*.pyi' -o -name '*.pxd' -o -name '*.h' -o -name '*.c' -o -name '*.cpp' -o -name '*.so.debug' \) -delete
# The object store is the only service of AWS that is spoken to.
find botocore/data -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name sts -exec rm -rf {} +
rm -rf pip pip-* /opt/ml/bin/pip*
# Only what is not compiled yet: a layer repeats nothing of the one below it.
find . -name '*.py' | while read -r source; do
  module=${source##*/}
  [ -e "${source%/*}/__pycache__/${module%.py}.cpython-311.pyc" ] || echo "$source"
done > /tmp/sources
# Some packages carry templates that are no Python; they stay as they are.
python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash -i /tmp/sources > /dev/null || true
rm /tmp/sources
