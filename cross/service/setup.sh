#!/bin/sh
# The part of cross/install.sh that runs on the board, as root, out of the directory that holds what it installs.
#
# setup.sh [--root DIRECTORY] install [SOURCE...] | uninstall
# POSIX sh and busybox are enough. --root puts the files under another root and starts nothing there.
set -eu
# A shell that ssh starts may lack the system's own places.
PATH=$PATH:/usr/sbin:/sbin

fail() { echo "tailcast setup: $1" >&2; exit 1; }

root=
if [ "${1:-}" = --root ]; then
    root=$2
    shift 2
fi
do=${1:-}
[ $# = 0 ] || shift

binary=$root/usr/local/bin/tailcast
config=$root/etc/tailcast.conf
unit=$root/etc/systemd/system/tailcast.service
script=$root/etc/init.d/tailcast

if [ -d "$root/run/systemd/system" ]; then init=systemd
elif [ -x "$root/sbin/openrc-run" ]; then init=openrc
elif [ -x "$root/sbin/procd" ]; then init=procd
else init=none
fi
# Under another root nothing runs.
acts() { [ -z "$root" ]; }

# 128 bits in hex, out of what every board has.
new_key() { head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# The path in a SOURCE: `NAME=PATH`, `sample:PATH`, `PATH,baud=N`.
path_of() {
    case ${1%%=*} in
        */* | sample:* | *,baud) path=$1 ;;
        *) path=${1#*=} ;;
    esac
    path=${path#sample:}
    echo "${path%%,baud=*}"
}

# The first file that a path or a glob names.
first_of() {
    # Unquoted: this is where the glob is spread. A path with spaces is no glob.
    case $1 in
        *\ *) echo "$1" ;;
        *) for file in $1; do echo "$file"; return; done ;;
    esac
}

# Lines for the unit that let a user without rights read this path; nothing where everybody may. Ends where only root may.
allowance() {
    case $1 in
        /tmp/* | /var/tmp/*) [ "$init" != systemd ] || fail "\`$1\`: a service has a \`/tmp\` of its own; keep the log elsewhere, in \`/run\` or \`/var/log\`" ;;
        /home/* | /root/*) echo ProtectHome=read-only ;;
        /*) ;;
        *) fail "\`$1\` is no absolute path, which a service needs" ;;
    esac
    file=$root$(first_of "$1")
    [ -e "$file" ] || return 0
    if [ -c "$file" ]; then
        echo PrivateDevices=no
        echo "DeviceAllow=$1 rw"
    fi
    # `-rw-r----- 1 root adm ...`: columns that every `ls` has; OpenWrt has no `stat`.
    # shellcheck disable=SC2012
    mode=$(ls -ldL "$file" | cut -c 5-10) group=$(ls -ldL "$file" | awk '{ print $4 }')
    case $mode in
        ???r*) ;;
        r*) [ "$group" != root ] || fail "\`$1\` can be read by root alone; \`chgrp adm\` it, or have its rotation create it so"
            echo "SupplementaryGroups=$group" ;;
        *) fail "\`$1\` can be read by its owner alone; let a group read it (\`chgrp adm\`, \`chmod g+r\`)" ;;
    esac
}

# A file put in place at once, so that a running program or a power cut never meets half of one.
put() { # MODE FROM TO
    mkdir -p "${3%/*}"
    cp "$2" "$3.new"
    chmod "$1" "$3.new"
    mv "$3.new" "$3"
}

# The user of the boards that have no DynamicUser, in the groups that its sources need.
add_user() {
    acts || return 0
    if ! id tailcast >/dev/null 2>&1; then
        if command -v adduser >/dev/null; then adduser -S -D -H -s /sbin/nologin tailcast
        else
            # OpenWrt has no adduser; 7117 is free there, and nothing is owned by it.
            echo 'tailcast:x:7117:7117:tailcast:/var:/bin/false' >>/etc/passwd
            echo 'tailcast:x:7117:' >>/etc/group
        fi
    fi
    sed -n 's/^SupplementaryGroups=//p' "$1" | while read -r group; do
        ! command -v addgroup >/dev/null || addgroup tailcast "$group"
    done
}

install() {
    args=
    for source in "$@"; do
        # The three readers of the file have these marks in common, and no path that means well has one.
        case $source in
            *[\"\'\`\$\\]* | *'
'*) fail "\`$source\`: no quotes, backslashes, dollars or line ends in a service's SOURCE" ;;
        esac
        args="$args \"$source\""
    done
    lines=$PWD/lines
    : >"$lines"
    for source in "$@"; do
        case $source in
            # An option: its value is none of our business. `--name=value` is the form that fits here.
            -*) ;;
            *) allowance "$(path_of "$source")" >>"$lines" ;;
        esac
    done

    put 755 tailcast "$binary"
    umask 077
    mkdir -p "$root/etc"
    # The key and, unless others are named, the sources of the last time stay.
    key=$(sed -n 's/^TAILCAST_KEY=//p' "$config" 2>/dev/null || true)
    if [ ! -e "$config" ] || [ $# -gt 0 ]; then
        {
            echo '# What tailcast streams (see tailcast --help), each SOURCE or --option=value in double quotes, and its key.'
            echo "TAILCAST_ARGS='${args# }'"
            echo "TAILCAST_KEY=${key:-$(new_key)}"
        } >"$config.new"
        mv "$config.new" "$config"
    fi
    umask 022

    case $init in
        systemd)
            put 644 tailcast.service "$unit"
            if [ $# -gt 0 ]; then
                rm -rf "$unit.d"
                if [ -s "$lines" ]; then
                    { echo '[Service]'; sort -u "$lines"; } >"$lines.unit"
                    put 644 "$lines.unit" "$unit.d/sources.conf"
                fi
            fi
            ;;
        openrc | procd)
            add_user "$lines"
            put 755 "tailcast.$init" "$script"
            ;;
        none) echo "no systemd, OpenRC or procd here: start \`/usr/local/bin/tailcast\` in your own way" >&2 ;;
    esac
    ! acts || start || fail "\`$init\` did not start it"

    # For install.sh, which makes the link: where we were reached, and the key.
    echo "address=$(echo "${SSH_CONNECTION:-}" | cut -d ' ' -f 3)"
    port=$(sed -n 's/.*"--listen=[^"]*:\([0-9]*\)".*/\1/p' "$config")
    echo "port=${port:-8080}"
    sed -n 's/^TAILCAST_KEY=/key=/p' "$config"
}

start() {
    case $init in
        systemd) systemctl daemon-reload && systemctl -q enable tailcast && systemctl restart tailcast ;;
        openrc) rc-update -q add tailcast default && rc-service -q tailcast restart ;;
        procd) "$script" enable && "$script" restart ;;
    esac
}

uninstall() {
    if acts && [ -e "$binary" ]; then
        # What is stopped or gone already is no error.
        case $init in
            systemd) systemctl -q disable --now tailcast || true ;;
            openrc) rc-service -q tailcast stop || true; rc-update -q del tailcast || true ;;
            procd) "$script" stop || true; "$script" disable || true ;;
        esac
    fi
    rm -rf "$binary" "$config" "$unit" "$unit.d" "$script"
    ! acts || [ "$init" != systemd ] || systemctl daemon-reload
}

case $do in
    install) install "$@" ;;
    uninstall) uninstall ;;
    *) fail "expected \`install\` or \`uninstall\`, not \`$do\`" ;;
esac
