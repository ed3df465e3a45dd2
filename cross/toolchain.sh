#!/usr/bin/env bash
# cross/toolchain.sh DIRECTORY: the second way's compiler, source of the standard library and linker, unpacked there.
#
# For where rustup's targets are not to be had. Debian's rustc-web is a recent stable rustc and rust-web-src the standard
# library it was built with, from which cargo builds one for the board; Zig brings musl and a linker for every target.
# Nothing is installed (the packages conflict with rustup), no root is needed, and what is there already is kept.
set -euo pipefail

# What the linked binaries were tested with.
ZIG=ziglang==0.17.1
ZIGBUILD=cargo-zigbuild==0.24.0

[ $# = 1 ] || { echo "usage: cross/toolchain.sh DIRECTORY" >&2; exit 2; }
mkdir -p "$1"
cd "$1"
# Written last: a directory without it was left half-way.
[ ! -e complete ] || exit 0
rm -rf packages root python
mkdir packages

# The package that PACKAGE needs and whose name begins with PREFIX: these names carry a version.
needed() { # PACKAGE PREFIX
    local name
    name=$(apt-cache depends "$1" 2>/dev/null | sed -n "s/^ *Depends: \($2[^ ]*\)$/\1/p" | head -n 1)
    [ -n "$name" ] || { echo "cross/toolchain.sh: \`$1\` is not to be had; is this Debian, and has \`apt-get update\` run?" >&2; exit 1; }
    echo "$name"
}
std=$(needed rustc-web libstd-rust-web-)     # the host's standard library, for procedural macros
compiler=$(needed "$std" libstd-rust-web-)   # librustc_driver
llvm=$(needed "$compiler" libllvm)

# apt reads as another user where it can; this directory may be closed to it, which it only warns of.
(cd packages && apt-get download -qq rustc-web rust-web-src "$std" "$compiler" "$llvm" 2>/dev/null) ||
    { echo "cross/toolchain.sh: can't download rustc-web and what it needs; \`apt-get update\` may help" >&2; exit 1; }
for package in packages/*.deb; do
    dpkg -x "$package" root
done
rm -r packages

python3 -m pip install -q --disable-pip-version-check --root-user-action=ignore --target python "$ZIG" "$ZIGBUILD"
touch complete
