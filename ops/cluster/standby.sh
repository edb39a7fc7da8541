#!/bin/sh
# Copies the primary where there is nothing yet, then follows it, under the name that synchronous_standby_names has.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
  until pg_basebackup --pgdata "$PGDATA" --write-recovery-conf --slot standby --checkpoint fast \
    --dbname "host=primary user=replicator password=$REPLICATOR_PASSWORD"; do
    sleep 2
  done
fi
exec postgres -c config_file=/etc/latchkey/postgresql.conf -c cluster_name=standby
