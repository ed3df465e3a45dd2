#!/usr/bin/env bash
# cross/install.sh [user@]host [SOURCE...]: the right binary and a service onto a board, over ssh; then prints the link.
# cross/install.sh --uninstall [user@]host
#
# Run it again to update: key and sources stay unless other sources are named. TAILCAST_SSH is the ssh command to use
# (`ssh -p 2222`), TAILCAST_ROOT another root on the board, where files are put and nothing is started.
set -euo pipefail

usage() { echo "usage: cross/install.sh [user@]host [SOURCE...] | --uninstall [user@]host" >&2; exit 2; }
fail() { echo "cross/install.sh: $1" >&2; exit 1; }

do=install
if [ "${1:-}" = --uninstall ]; then
    do=uninstall
    shift
    [ $# = 1 ] || usage
fi
[[ $# -ge 1 && $1 != -* ]] || usage
host=$1
shift

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# One connection for all that follows: a password is asked for once.
read -ra ssh <<<"${TAILCAST_SSH:-ssh}"
ssh+=(-o ControlMaster=auto -o "ControlPath=$work/ssh" -o ControlPersist=20 "$host")

# Words for the board's shell, whichever it is.
quoted() {
    local word
    for word in "$@"; do
        printf "'%s' " "${word//\'/\'\\\'\'}"
    done
}

machine=$("${ssh[@]}" uname -m) || fail "can't log in to \`$host\` by ssh"
case $machine in
    aarch64 | x86_64) arch=$machine ;;
    armv7l | armv8l) arch=armv7 ;;
    armv6l) arch=armv6 ;;
    *) fail "there is no binary for \`$machine\`" ;;
esac

mkdir "$work/tailcast"
cp "$here"/service/* "$work/tailcast"
if [ $do = install ]; then
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/../Cargo.toml" | head -n 1)
    binary=$here/../dist/tailcast-$version-$arch
    [ -f "$binary" ] || fail "\`$host\` is $machine, and there is no \`dist/tailcast-$version-$arch\`; cross/build.sh makes it"
    cp "$binary" "$work/tailcast/tailcast"
fi

# By tar, not scp: OpenWrt's ssh server has no sftp.
tar -C "$work" -c tailcast | "${ssh[@]}" 'rm -rf .tailcast-setup && mkdir -m 700 .tailcast-setup && tar -C .tailcast-setup -x' ||
    fail "can't copy to \`$host\`"

# Where sudo wants a password, it asks at the terminal; so what setup.sh says goes into a file.
terminal=()
[ ! -t 0 ] || terminal=(-t)
setup="sh setup.sh $(quoted ${TAILCAST_ROOT:+--root "$TAILCAST_ROOT"} "$do" "$@")"
"${ssh[@]}" "${terminal[@]}" "cd .tailcast-setup/tailcast && if [ \$(id -u) = 0 ]; then $setup; else sudo $setup; fi >../said" || {
    "${ssh[@]}" 'rm -rf .tailcast-setup'
    fail "nothing was started on \`$host\`"
}
said=$("${ssh[@]}" 'cat .tailcast-setup/said; rm -rf .tailcast-setup')
if [ $do = uninstall ]; then
    echo "removed from $host"
    exit
fi

value() { sed -n "s/^$1=//p" <<<"$said"; }
address=$(value address)
[[ $address != *:* ]] || address="[$address]"
echo "http://$address:$(value port)/?key=$(value key)"
