#!/bin/sh
# Serves one database. Each start brings role and password to what the environment says, so a start that was
# killed half-way, or a changed password, needs no hand: POSTGRES_USER owns POSTGRES_DB and is no superuser.
# Arguments go to the server. Only /tmp and the volume of PGDATA need to be writable.
set -eu
: "${POSTGRES_USER:?names the role}" "${POSTGRES_DB:?names its database}" "${POSTGRES_PASSWORD:?is its password}"

if [ ! -f "$PGDATA/PG_VERSION" ]; then
  # In a folder beside it, renamed when whole: what a killed initdb left is no data directory.
  fresh="$PGDATA.initdb"
  rm -rf "$fresh"
  initdb --pgdata="$fresh" --username=postgres --encoding=UTF8 --locale=C.UTF-8 --auth-local=peer \
    --auth-host=scram-sha-256 --data-checksums
  echo "host all all all scram-sha-256" >> "$fresh/pg_hba.conf"
  mv -T "$fresh" "$PGDATA"
fi
chmod 0700 "$PGDATA"           # the node opens a volume to its pod's group at each start, and the server refuses that
rm -f "$PGDATA/postmaster.pid" # of a container that was killed: one volume, one writer

settings="-c jit=off -c unix_socket_directories=/tmp"
pg_ctl start --silent --wait --pgdata="$PGDATA" --options="$settings -c listen_addresses=''"
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --dbname=postgres --set=user="$POSTGRES_USER" --set=db="$POSTGRES_DB" <<'SQL'
\getenv password POSTGRES_PASSWORD
SELECT format('CREATE ROLE %I', :'user') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'user') \gexec
ALTER ROLE :"user" LOGIN PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'db', :'user')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'db') \gexec
SQL
pg_ctl stop --silent --wait --mode=fast --pgdata="$PGDATA"

# shellcheck disable=SC2086  # two words each
exec postgres $settings -D "$PGDATA" -c listen_addresses='*' -c shared_buffers=32MB -c max_connections=50 "$@"
