#!/bin/sh
# cartograph web|worker|scheduler   that line of the Procfile, once the stores answer
# cartograph setup                  tables and static files, then ends; MIGRATE=1 does the same before any process
# cartograph COMMAND ...            anything else, as it stands
set -eu
cd /app

set_up() {
    python manage.py migrate --noinput
    python manage.py collectstatic --noinput --verbosity 0
}

role=${1:-web}
command=$(sed -n "s/^${role}: *//p" Procfile)

if [ "$role" = setup ]; then
    python -m backend.local.given_servers
    set_up
elif [ -n "$command" ]; then
    python -m backend.local.given_servers
    if [ "${MIGRATE:-0}" = 1 ]; then
        set_up
    fi
    # exec twice: the process itself is the container's first one, and hears its signals.
    exec sh -c "exec $command"
else
    exec "$@"
fi
