#!/bin/sh
# A throw-away PostgreSQL for tests: `scripts/postgres.sh start` prints its URL, `stop` removes it.
#
# Installs Debian's postgresql where there is none (as root, or through sudo). The cluster lives in a fresh directory,
# listens on a free port of the loopback interface and on a unix socket in that directory, and syncs as a real one does.
set -eu

state=${BUSWORK_POSTGRES_STATE:-${TMPDIR:-/tmp}/buswork-postgres}

say() { echo "postgres.sh: $*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# PostgreSQL refuses to run as root: there it runs as the user that the package made.
as_postgres() {
    if [ "$(id -u)" != 0 ]; then "$@"
    elif command -v runuser >/dev/null; then runuser -u postgres -- "$@"
    else su postgres -s /bin/sh -c "$(printf "'%s' " "$@")"
    fi
}

binaries() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }

install() {
    [ -n "$(binaries)" ] && return
    say "installing postgresql"
    # The package must not start a cluster of its own.
    as_root sh -c 'mkdir -p /etc/postgresql-common && grep -qs "^create_main_cluster" /etc/postgresql-common/createcluster.conf ||
        echo "create_main_cluster = false" >> /etc/postgresql-common/createcluster.conf'
    as_root env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql' >&2
    [ -n "$(binaries)" ] || { say "postgresql is not installed and cannot be"; exit 1; }
}

free_port() {
    # The operating system names a port that is free; the server takes it a moment later.
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

launch() {
    as_postgres "$(binaries)/pg_ctl" -D "$1/data" -l "$1/log" -w -t 60 \
        -o "-p $2 -c listen_addresses=127.0.0.1 -c unix_socket_directories=$1" start >&2
}

start() {
    install
    if [ -f "$state/url" ]; then
        as_postgres "$(binaries)/pg_ctl" -D "$state/data" status >/dev/null 2>&1 || launch "$state" "$(cat "$state/port")"
        cat "$state/url"
        return
    fi
    rm -rf "$state" && mkdir -p "$state"
    [ "$(id -u)" != 0 ] || chown postgres "$state"
    as_postgres "$(binaries)/initdb" -D "$state/data" -U buswork --auth=trust -E UTF8 --locale=C >&2
    port=$(free_port)
    echo "$port" >"$state/port"
    launch "$state" "$port"
    echo "postgres://buswork@127.0.0.1:$port/postgres?application_name=buswork" >"$state/url"
    cat "$state/url"
}

# As if the power failed: no checkpoint, no farewell to clients.
crash() { as_postgres "$(binaries)/pg_ctl" -D "$state/data" -m immediate -w stop >&2; }

stop() {
    [ -d "$state" ] || return 0
    as_postgres "$(binaries)/pg_ctl" -D "$state/data" -m fast -w stop >&2 || true
    rm -rf "$state"
}

case "${1:-}" in
    start | stop | crash) "$1" ;;
    *)
        echo "usage: $0 start|stop|crash" >&2
        exit 2
        ;;
esac
