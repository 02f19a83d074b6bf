#!/bin/sh
# Installs a folder's npm packages from its lock, unless they are there and not older than the lock.
# Usage: tests/support/npm.sh DIR...
set -eu
for dir in "$@"; do
    mark=$dir/node_modules/.package-lock.json
    [ -f "$mark" ] && [ ! "$dir/package-lock.json" -nt "$mark" ] && continue
    npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund >&2
done
