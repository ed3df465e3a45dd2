#!/usr/bin/env bash
# cross/test.sh ARCH [WORD...]: the integration tests against dist/tailcast-VERSION-ARCH under QEMU's user emulation.
#
# WORDs go to the test runner: `lines::`, `--test-threads=2`.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "cross/test.sh: $1" >&2; exit 1; }

arch=${1:-}
[ $# = 0 ] || shift
case $arch in
    aarch64) runner=qemu-aarch64-static ;;
    armv7) runner='qemu-arm-static -cpu cortex-a7' ;;
    # The processor of Pi 1 and Zero: an ARMv7 instruction ends the program, as it would there.
    armv6) runner='qemu-arm-static -cpu arm1176' ;;
    *) fail "no board \`$arch\`; there are aarch64, armv7 and armv6" ;;
esac
command -v "${runner%% *}" >/dev/null || fail "\`${runner%% *}\` is not installed; Debian's qemu-user-static has it"
version=$(cross/version.sh)
binary=$PWD/dist/tailcast-$version-$arch
[ -x "$binary" ] || fail "there is no \`dist/tailcast-$version-$arch\`; cross/build.sh makes it"

# What QEMU 7.2's user emulation does not know: `openat2` (a link found by a glob is then not offered), the `TCGETS2` of
# serial lines, and Landlock, without which root's files are not read in root's stead.
unknown=(globs_links::no_link_leads_out globs_links::links_to_directories pipes::serial_line serial:: privileges::started_as_root)
# On trial there is the example `echo`, whole boards with binaries of theirs, a browser, or engines of this machine over
# many restarts, which an emulated start makes too long.
skipped=(--skip autobahn:: --skip board:: --skip page --skip engine --skip hub --skip mqtt)
for test in "${unknown[@]}"; do
    skipped+=(--skip "$test")
done

TAILCAST_BIN=$binary TAILCAST_RUNNER=$runner cargo test --test tailcast_tests -- "${skipped[@]}" "$@"
