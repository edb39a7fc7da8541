#!/bin/sh
# Once, when the primary is made: who owns Latchkey's database, and who may copy it. Commits here wait for no standby, as there is none yet.
set -eu
export PGOPTIONS="-c synchronous_commit=local"
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" \
  -v latchkey="$LATCHKEY_PASSWORD" -v replicator="$REPLICATOR_PASSWORD" <<'SQL'
CREATE ROLE latchkey LOGIN PASSWORD :'latchkey';
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'replicator';
CREATE DATABASE latchkey OWNER latchkey ENCODING 'UTF8' TEMPLATE template0;
SELECT pg_create_physical_replication_slot('standby');
SQL
echo "host replication replicator all scram-sha-256" >> "$PGDATA/pg_hba.conf"
