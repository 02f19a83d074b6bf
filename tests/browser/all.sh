#!/bin/sh
# The long ones: all eight combinations of width, language and theme, Lighthouse, the speed of the page.
# Usage: all.sh BUILD [FOLDER_FOR_SCREENSHOTS]
set -u
build=$(cd "$1" && pwd)
shots=${2:-$build/tests/browser/shots}
here=$(cd "$(dirname "$0")" && pwd)
dashboard=$build/dashboard/flotilla-dashboard
failed=0
for test in dashboard states; do python3 "$here/run.py" "$test.mjs" "$dashboard" "$shots" || failed=1; done
python3 "$here/run.py" views.mjs "$dashboard" "$shots" all || failed=1
python3 "$here/fleet.py" "$build/controller/cli/flotilla" demo.mjs --all --shots "$shots" || failed=1
python3 "$here/run.py" speed.mjs "$dashboard" || failed=1
(cd "$here/lighthouse" && npm ci --no-audit --no-fund --prefer-offline >/dev/null) && python3 "$here/run.py" lighthouse/run.mjs "$dashboard" || failed=1
exit $failed
