#!/bin/sh
# One role and one database for each service, and one for the sandbox gateway, made when the server first starts. No role
# can open another's database.
set -eu

for service in order inventory payment notification sandbox; do
    psql --set=ON_ERROR_STOP=1 --set=name="countermand_$service" --set=password="$SERVICE_PASSWORD" \
        --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password' CONNECTION LIMIT 40;
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT, TEMPORARY ON DATABASE :"name" FROM PUBLIC;
SQL
done
