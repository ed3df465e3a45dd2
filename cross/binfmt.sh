#!/usr/bin/env bash
# cross/binfmt.sh COMMAND [WORD...]: runs it with this kernel able to start arm64 programs, by QEMU's user emulation.
#
# Where the kernel can't, that is registered for as long as COMMAND runs. Needs root and qemu-user-static.
set -euo pipefail

fail() { echo "cross/binfmt.sh: $1" >&2; exit 1; }

directory=/proc/sys/fs/binfmt_misc
qemu=/usr/bin/qemu-aarch64-static
# An ELF header: 64 bits, little-endian, executable, AArch64.
magic='\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'

[ -x "$qemu" ] || fail "\`$qemu\` is not there; Debian's qemu-user-static has it"
[ -e "$directory/register" ] || mount -t binfmt_misc binfmt_misc "$directory" ||
    fail "\`binfmt_misc\` can't be mounted: this kernel has none, or this is not root"
if ! grep -qs '^magic 7f454c460201.*b700$' "$directory"/*; then
    # F: opened now, so that it is found in every root.
    echo ":tailcast-aarch64:M::$magic:$mask:$qemu:F" >"$directory/register" || fail "\`binfmt_misc\` does not take QEMU"
    trap 'echo -1 >"$directory/tailcast-aarch64"' EXIT
fi
"$@"
