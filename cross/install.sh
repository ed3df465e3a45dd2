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

# Where the board was reached, asked here: sudo forgets it.
# shellcheck disable=SC2016
greeting=$("${ssh[@]}" 'uname -m; echo "${SSH_CONNECTION:-}"') || fail "can't log in to \`$host\` by ssh"
{
    read -r machine
    read -r _ _ address _ || true
} <<<"$greeting"
case $machine in
    aarch64 | x86_64) arch=$machine ;;
    armv7l | armv8l) arch=armv7 ;;
    armv6l) arch=armv6 ;;
    *) fail "there is no binary for \`$machine\`" ;;
esac

mkdir "$work/tailcast"
cp "$here"/service/* "$work/tailcast"
if [ $do = install ]; then
    version=$("$here/version.sh")
    binary=$here/../dist/tailcast-$version-$arch
    [ -f "$binary" ] || fail "\`$host\` is $machine, and there is no \`dist/tailcast-$version-$arch\`; cross/build.sh makes it"
    cp "$binary" "$work/tailcast/tailcast"
fi

# By tar, not scp: OpenWrt's ssh server has no sftp.
tar -C "$work" -cf - tailcast | "${ssh[@]}" 'rm -rf .tailcast-setup && mkdir -m 700 .tailcast-setup && tar -C .tailcast-setup -xf -' ||
    fail "can't copy to \`$host\`"

# Where sudo wants a password, it asks at the terminal, and all that is said there comes out as one; so the answer for
# us goes into a file, and our own standard output stays the link's.
terminal=-T
[ ! -t 0 ] || terminal=-t
setup="sh setup.sh $(quoted ${TAILCAST_ROOT:+--root "$TAILCAST_ROOT"} "$do" "$@")"
# shellcheck disable=SC2016
root='if [ $(id -u) = 0 ]; then as=; else as=$(command -v sudo || command -v doas); fi'
"${ssh[@]}" "$terminal" "cd .tailcast-setup/tailcast && $root; \$as $setup >../said" >&2 || {
    "${ssh[@]}" 'rm -rf .tailcast-setup'
    [ $do = install ] || fail "nothing was removed on \`$host\`, or not all"
    fail "the service on \`$host\` was not set up; the cause is above"
}
said=$("${ssh[@]}" 'cat .tailcast-setup/said; rm -rf .tailcast-setup')
if [ $do = uninstall ]; then
    echo "removed from $host"
    exit
fi

value() { sed -n "s/^$1=//p" <<<"$said"; }
# A link-local address means nothing in a browser, and some ssh servers tell none.
[[ -n $address && $address != *%* ]] || address=${host#*@}
[[ $address != *:* ]] || address="[$address]"
echo "http://$address:$(value port)/?key=$(value key)"
