#!/usr/bin/env bash
# cross/modules.sh KERNEL DIRECTORY MODULE...: copies these modules, and before them what they need, out of KERNEL (some
# lib/modules/VERSION) into DIRECTORY, numbered in the order to load them.
#
# No depmod: what a module needs stands in it. It is not the same in all kernels of one Debian.
set -euo pipefail

[ $# -gt 2 ] || { echo "usage: cross/modules.sh KERNEL DIRECTORY MODULE..." >&2; exit 2; }
kernel=$1 directory=$2
shift 2

number=100 loaded=' '
load() { # MODULE
    local file need
    [[ $loaded != *" $1 "* ]] || return 0
    loaded+="$1 "
    # Part of the kernel itself.
    ! grep -q "/${1//_/[_-]}\.ko$" "$kernel/modules.builtin" || return 0
    file=$(find "$kernel/kernel" -name "${1//_/[_-]}.ko" -print -quit)
    [ -n "$file" ] || { echo "cross/modules.sh: \`$kernel\` has no module \`$1\`; this was made for the kernels of Debian 12" >&2; exit 1; }
    for need in $(tr '\0' '\n' <"$file" | sed -n 's/^depends=//p' | tr , ' '); do
        load "$need"
    done
    number=$((number + 1))
    cp "$file" "$directory/$number-$(basename "$file")"
}
mkdir -p "$directory"
for module; do
    load "$module"
done
