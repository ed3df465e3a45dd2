#!/usr/bin/env bash
# cross/need.sh TEST TOOL...: whether TEST can run here, as `cross/need.sh ... || exit $(($? - 1))`.
#
# Where a tool is missing it says so with status 1, TEST is skipped then; with status 2 where TAILCAST_REQUIRE names that
# tool, as in tests/harness/require.rs. `root` stands for the right to do everything.
set -euo pipefail

test=$1
shift
for tool in "$@"; do
    case $tool in
        root) [ "$(id -u)" != 0 ] || continue ;;
        *) ! (PATH=$PATH:/usr/sbin:/sbin && command -v "$tool" >/dev/null) || continue ;;
    esac
    if [[ ",${TAILCAST_REQUIRE:-}," == *",$tool,"* ]]; then
        echo "$test: \`$tool\` is not there, but TAILCAST_REQUIRE names it" >&2
        exit 2
    fi
    echo "skipped: $tool is not there, $test was not run" >&2
    exit 1
done
