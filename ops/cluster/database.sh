#!/bin/sh
# Once, when Patroni has made the first primary, at this address: who owns Latchkey's database. Patroni makes the other users.
set -eu
psql -v ON_ERROR_STOP=1 "$1" -v latchkey="$LATCHKEY_PASSWORD" <<'SQL'
CREATE ROLE latchkey LOGIN PASSWORD :'latchkey';
CREATE DATABASE latchkey OWNER latchkey ENCODING 'UTF8' TEMPLATE template0;
SQL
