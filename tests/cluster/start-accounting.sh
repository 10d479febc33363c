#!/usr/bin/env bash
# Puts job accounting (MariaDB and slurmdbd) next to the one-node test cluster that SLURM_CONF names,
# whose daemons it starts anew. Root on Debian, with mariadb-server and slurmdbd installed. All it
# writes is next to slurm.conf; `start-accounting.sh stop` ends what it started.
set -euo pipefail

folder=$(dirname "${SLURM_CONF:?names the slurm.conf of a test cluster}")
data=$folder/accounting
port=16829

stop() {
    for name in slurmdbd mariadbd; do
        [ ! -e "$data/$name.pid" ] || kill "$(cat "$data/$name.pid")" 2>/dev/null || true
    done
}
if [ "${1:-}" = stop ]; then
    stop
    exit
fi

mkdir -p "$data"
chmod 755 "$data"
mariadb-install-db --datadir="$data/sql" --user=root --auth-root-authentication-method=socket >/dev/null
mariadbd --no-defaults --datadir="$data/sql" --user=root --skip-networking \
    --socket="$data/sql.sock" --pid-file="$data/mariadbd.pid" >"$data/mariadbd.log" 2>&1 &
for _ in $(seq 60); do
    mariadb --socket="$data/sql.sock" -e "create database slurm_acct_db" 2>/dev/null && break
    sleep 0.5
done

cat >"$folder/slurmdbd.conf" <<CONF
AuthType=auth/munge
AuthInfo=socket=$folder/run/munge.sock
DbdHost=localhost
DbdPort=$port
SlurmUser=root
LogFile=$data/slurmdbd.log
PidFile=$data/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageLoc=slurm_acct_db
StorageUser=root
CONF
chmod 600 "$folder/slurmdbd.conf"
MYSQL_UNIX_PORT=$data/sql.sock slurmdbd
sed -i -e "s|^AccountingStorageType=.*|AccountingStorageType=accounting_storage/slurmdbd\n\
AccountingStorageHost=localhost\nAccountingStoragePort=$port\n\
AccountingStoragePass=$folder/run/munge.sock|" \
    -e "s|^JobAcctGatherType=.*|JobAcctGatherType=jobacct_gather/linux|" "$SLURM_CONF"
for _ in $(seq 60); do
    sacctmgr --immediate add cluster slurmtest >/dev/null 2>&1 && break
    sleep 0.5
done
sacctmgr --immediate add account tests >/dev/null
sacctmgr --immediate add user "$(id -un)" account=tests >/dev/null
for name in slurmctld slurmd; do
    kill "$(cat "$folder/run/$name.pid")"
    while [ -e "$folder/run/$name.pid" ]; do sleep 0.2; done
    $name </dev/null >/dev/null 2>&1
done
for _ in $(seq 30); do
    timeout 10 srun --quiet --ntasks=1 --time=1 true 2>/dev/null || true
    sleep 2
    sacct --noheader --parsable2 --format=State | grep -q COMPLETED && exit
done
echo "no accounting: see $data/slurmdbd.log" >&2
exit 1
