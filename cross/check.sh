#!/usr/bin/env bash
# cross/check.sh TARGET BINARY LIMIT: is it what that board runs? One line on standard error and status 1 if not.
#
# TARGET is the Rust target, LIMIT the size in KiB that must not be passed.
set -euo pipefail

[ $# = 3 ] || { echo "usage: cross/check.sh TARGET BINARY LIMIT" >&2; exit 2; }
target=$1 binary=$2 limit=$3

wrong() { echo "cross/check.sh: \`$binary\` $1" >&2; exit 1; }

# Whole outputs first: `readelf | grep -q` would end the writer early, and `pipefail` take that for a failure.
header=$(readelf -hW "$binary") || wrong "is no ELF file"
segments=$(readelf -lW "$binary")
dynamic=$(readelf -dW "$binary")
attributes=$(readelf -AW "$binary")
value() { sed -n "s/^ *$2: *//p" <<<"$1"; }

case $target in
    aarch64-*) machine=AArch64 class=ELF64 ;;
    x86_64-*) machine='Advanced Micro Devices X86-64' class=ELF64 ;;
    arm*) machine=ARM class=ELF32 ;;
    *) wrong "is for \`$target\`, of which nothing is known" ;;
esac
[ "$(value "$header" Machine)" = "$machine" ] || wrong "is for $(value "$header" Machine), not $machine"
[ "$(value "$header" Class)" = "$class" ] || wrong "is $(value "$header" Class), not $class"

# A board has musl or glibc, of any age, or neither.
! grep -q ' INTERP ' <<<"$segments" || wrong "asks for a dynamic linker"
! grep -q '(NEEDED)' <<<"$dynamic" || wrong "needs shared libraries: $(grep '(NEEDED)' <<<"$dynamic" | head -n 1)"

# An ARMv6 board dies of the first ARMv7 instruction, and a file name is no proof. The linker merges the attributes of
# all objects into the newest architecture among them: one ARMv7 object of a C library shows here.
case $target in
    arm-*) architectures='v6|v6KZ|v6K' ;;
    armv7-*) architectures='v7|v6|v6KZ|v6K' ;;
    *) architectures= ;;
esac
if [ -n "$architectures" ]; then
    found=$(value "$attributes" Tag_CPU_arch)
    [[ "|$architectures|" == *"|$found|"* && -n $found ]] || wrong "is code for ARM ${found:-of no named architecture}, not $architectures"
    [ "$(value "$attributes" Tag_ABI_VFP_args)" = 'VFP registers' ] || wrong "is not hard-float"
    # VFPv2 is what an ARM1176 has; NEON came with ARMv7.
    fpu=$(value "$attributes" Tag_FP_arch)
    if [[ $target == arm-* ]]; then
        [ "$fpu" = VFPv2 ] || wrong "needs the floating-point unit ${fpu:-of no name}, not VFPv2"
        [ -z "$(value "$attributes" Tag_Advanced_SIMD_arch)" ] || wrong "needs NEON"
    fi
fi

# Symbols are a fifth of the file; the paths of who built it are nobody's business.
sections=$(readelf -SW "$binary")
! grep -q ' \.symtab ' <<<"$sections" || wrong "is not stripped"
for path in "${CARGO_HOME:-$HOME/.cargo}" "$PWD"; do
    ! grep -qaF "$path/" "$binary" || wrong "names \`$path\`, a path of the machine that built it"
done

size=$(stat -c %s "$binary")
[ "$size" -le $((limit * 1024)) ] || wrong "has $size bytes, over the limit of $limit KiB"
