#!/bin/sh
# clean.sh runs: deletes what runs, tests and builds left in this clone. clean.sh all: also what setup fetched.
# Refuses while something of this clone still runs.
set -eu

CDPATH='' cd -- "$(dirname -- "$0")/../.."
here="$(pwd -P)"
what="${1:-runs}"

# What dead sandboxes left anywhere: they know best themselves.
if [ -d .run ] && [ -x .tools/bin/node ] && [ -d node_modules ]; then
  .tools/bin/node -e "import('./control-plane/sandbox/run-directory.ts').then((runs) => runs.cleanUpDeadRuns())" >&2
fi

# Databases that had to live outside of the clone (their user could not reach it): links in .run tell where.
outside="$(find .run -type l -lname '/var/lib/hamrahi-sandbox/*' -exec readlink {} \; 2>/dev/null || true)"

# still_used <directory>: the processes that work in it, run a program of it, or have it for their root
still_used() {
  for link in /proc/[0-9]*/cwd /proc/[0-9]*/exe /proc/[0-9]*/root; do
    target="$(readlink "$link" 2>/dev/null || true)"
    case "$target/" in "$1"/*) echo "$link" | cut -d / -f 3 ;; esac
  done | sort -u | paste -s -d ' ' -
}

for directory in "$here/.run" "$here/.cache" $outside; do
  users="$(still_used "$directory")"
  if [ -n "$users" ]; then
    echo "clean: something still runs in $directory (process $users); end it first, then run make again." >&2
    exit 1
  fi
done

for directory in $outside; do rm -rf -- "$directory"; done
rm -rf .run coverage control-plane/public/dist
[ "$what" = all ] || exit 0
rm -rf --one-file-system .cache
rm -rf node_modules .tools

# Shared by all clones of this machine: left while any of them uses it.
shared=/var/lib/hamrahi-sandbox
[ -w "$shared" ] && [ -z "$(still_used "$shared")" ] || exit 0
rm -rf "$shared"/postgres-*
rmdir "$shared" 2>/dev/null || true
