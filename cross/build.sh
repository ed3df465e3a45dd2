#!/usr/bin/env bash
# cross/build.sh [TARGET...]: static binaries for boards, as dist/tailcast-VERSION-ARCH; all four targets if none is named.
#
# First way: rustup's target and rustc's own linker. Second way, where that target is not to be had: Debian's rustc with a
# standard library built on the spot, linked by Zig (cross/toolchain.sh); its binaries are smaller, for std's backtraces
# are left out. TAILCAST_WAY=rustup or TAILCAST_WAY=zig allows one way alone. It says which way it took, and checks what came out.
set -euo pipefail
cd "$(dirname "$0")/.."

ALL=(aarch64-unknown-linux-musl armv7-unknown-linux-musleabihf arm-unknown-linux-musleabihf x86_64-unknown-linux-musl)
# The largest a binary may be, in KiB: for boards by the second way the aim, else what it has now and some room. Who passes
# one should know what for (cross/README.md).
LIMIT_RUSTUP=2000
LIMIT_ZIG=1500
LIMIT_ZIG_PC=1800

target_dir=${CARGO_TARGET_DIR:-$PWD/target}
toolchain=$target_dir/cross/toolchain
cargo_home=${CARGO_HOME:-$HOME/.cargo}
version=$(cross/version.sh)

fail() { echo "cross/build.sh: $1" >&2; exit 1; }

# The name of a target in file names.
arch() {
    case $1 in
        arm-*) echo armv6 ;;
        *) echo "${1%%-*}" ;;
    esac
}

# Compiler flags, one a line, that make panic messages say `crates/NAME/...` instead of where this machine keeps them.
remapped() {
    local directory
    for directory in "$cargo_home"/registry/src/*/; do
        echo "--remap-path-prefix=${directory%/}=crates"
    done
}

# Whether rustc has that target, after an attempt to get it.
has_target() {
    local libraries
    libraries=$(rustc --print target-libdir --target "$1" 2>/dev/null) && [ -d "$libraries" ] && return
    command -v rustup >/dev/null && rustup target add "$1" >/dev/null 2>&1
}

by_rustup() { # TARGET
    local flags
    flags=$(remapped | sed 's/.*/"&"/' | paste -sd,)
    cargo --config cross/cargo.toml --config "target.$1.rustflags=[$flags]" \
        build --release --locked --target "$1" --target-dir "$target_dir"
}

by_zig() { # TARGET
    cross/toolchain.sh "$toolchain" || return
    local root=$toolchain/root flags
    # Zig brings the start files and the C library: rustc must not look for its own.
    flags=$({
        echo -Clink-self-contained=no
        # A function that can't unwind needs no tables for it.
        echo -Cforce-unwind-tables=no
        # No common pieces of functions made functions: the tables of 1,510 of them are larger than what they save.
        [[ $1 != aarch64-* ]] || echo -Cllvm-args=-enable-machine-outliner=never
        remapped
        echo "--remap-path-prefix=$(echo "$root"/usr/src/rustc-*)/library=std"
        # Beneath the directory that it is started in cargo names it from there.
        printf -- '--remap-path-prefix=%s/usr/lib/rustlib/src/rust/library=std\n' "$root" "${root#"$PWD"/}"
    } | paste -sd$'\x1f')
    # Not the default features: those bring backtraces, 187 kB, and nobody on a board reads them.
    env LD_LIBRARY_PATH="$root/usr/lib/$(uname -m)-linux-gnu" RUSTC="$root/usr/bin/rustc" RUSTC_BOOTSTRAP=1 \
        CARGO_ENCODED_RUSTFLAGS="$flags" CARGO_ZIGBUILD_ZIG_PATH="$toolchain/python/ziglang/zig" \
        CARGO_ZIGBUILD_CACHE_DIR="$toolchain/cache" ZIG_GLOBAL_CACHE_DIR="$toolchain/cache/zig" ZIG_LOCAL_CACHE_DIR="$toolchain/cache/zig" \
        "$toolchain/python/bin/cargo-zigbuild" zigbuild -Zbuild-std=std,panic_unwind -Zbuild-std-features=optimize_for_size \
        --release --locked --target "$1" --target-dir "$target_dir/cross/zig"
}

build() { # TARGET
    local way=${TAILCAST_WAY:-} built limit file
    if [ "$way" != zig ] && has_target "$1"; then
        way=rustup built=$target_dir/$1/release/tailcast limit=$LIMIT_RUSTUP
        by_rustup "$1" || fail "\`$1\` does not build"
    elif [ "$way" = rustup ]; then
        fail "rustup has no \`$1\` for us; leave out TAILCAST_WAY to take the second way"
    else
        way=zig built=$target_dir/cross/zig/$1/release/tailcast limit=$LIMIT_ZIG
        [[ $1 != x86_64-* ]] || limit=$LIMIT_ZIG_PC
        by_zig "$1" || fail "\`$1\` does not build"
    fi
    cross/check.sh "$1" "$built" "$limit"
    file=dist/tailcast-$version-$(arch "$1")
    install -D -m 755 "$built" "$file"
    echo "$file: $(stat -c %s "$file") bytes, by $way"
}

[ $# -gt 0 ] || set -- "${ALL[@]}"
for target in "$@"; do
    [[ " ${ALL[*]} " == *" $target "* ]] || { echo "cross/build.sh: no target \`$target\`; there are: ${ALL[*]}" >&2; exit 2; }
done
case ${TAILCAST_WAY:-} in
    '' | rustup | zig) ;;
    *) echo "cross/build.sh: no way \`$TAILCAST_WAY\`; expected TAILCAST_WAY=rustup or TAILCAST_WAY=zig" >&2; exit 2 ;;
esac
# Before `remapped` looks what there is.
cargo fetch -q --locked
for target in "$@"; do
    build "$target"
done
