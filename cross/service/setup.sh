#!/bin/sh
# The part of cross/install.sh that runs on the board, as root, out of the directory that holds what it installs; and
# Debian's package has it as /usr/sbin/tailcast-setup.
#
# setup.sh [--root DIRECTORY] install [SOURCE...] | uninstall      what install.sh asks for
# tailcast-setup sources [SOURCE...] | config                      what the package's owner and its postinst ask for
# tailcast-setup to URL --as BOARD                                 hand every stream to an engine; USER:PASSWORD by standard input
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
! acts || [ "$(id -u)" = 0 ] || fail "only root may do that; become root, or install sudo"

# Whether Debian's package is here, be it only with its configuration.
packaged() {
    case $(dpkg-query ${root:+--root="$root"} -W -f '${db:Status-Status}' tailcast 2>/dev/null) in
        '' | not-installed) return 1 ;;
    esac
}

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

# Whether a user without rights may do RIGHT (r or x) to FILE; a line for the unit where membership in a group is needed.
open_to() { # RIGHT FILE
    # `-rw-r----- 1 root adm ...`: columns that every `ls` has; OpenWrt has no `stat`.
    # shellcheck disable=SC2012
    mode=$(ls -ldL "$2" | cut -c 5-10) group=$(ls -ldL "$2" | awk '{ print $4 }')
    case $1,$mode in
        r,???r* | x,?????[xt]) ;;
        r,r* | x,??[xs]*) [ "$group" != root ] && echo "SupplementaryGroups=$group" ;;
        *) return 1 ;;
    esac
}

# Lines for the unit that let a user without rights read what this path or glob names; nothing where everybody may. Ends
# where only root may.
allowance() {
    case $1 in
        /tmp/* | /var/tmp/*) [ "$init" != systemd ] || fail "\`$1\`: a service has a \`/tmp\` of its own; keep the log elsewhere, in \`/run\` or \`/var/log\`" ;;
        /home/* | /root/*) echo ProtectHome=read-only ;;
        /*) ;;
        *) fail "\`$1\` is no absolute path, which a service needs" ;;
    esac
    parent=${1%/*}
    while [ -n "$parent" ]; do
        [ ! -e "$root$parent" ] || open_to x "$root$parent" ||
            fail "\`$parent\`, where \`$1\` is, lets root alone or its owner alone in; \`chmod o+x\` it, or keep the log elsewhere"
        parent=${parent%/*}
    done
    # Unquoted: this is where the glob is spread. Without separators, so that a path with spaces stays one.
    (
        IFS=
        for file in $root$1; do
            [ -e "$file" ] || continue
            if [ -c "$file" ]; then
                echo PrivateDevices=no
                echo "DeviceAllow=${file#"$root"} rw"
            fi
            if open_to r "$file"; then continue; fi
            closed="\`${file#"$root"}\` can be read by root alone or its owner alone"
            # What else a glob finds is streamed all the same.
            [ "$file" = "$root$1" ] || { echo "tailcast setup: left out: $closed" >&2; continue; }
            fail "$closed; let a group read it (\`chgrp adm\`, \`chmod g+r\`), and see that it is created so the next time"
        done
    )
}

# A file put in place at once, so that a running program or a power cut never meets half of one.
put() { # MODE FROM TO
    (umask 022 && mkdir -p "${3%/*}")
    cp "$2" "$3.new"
    chmod "$1" "$3.new"
    mv "$3.new" "$3"
}

# The user of the boards that have no DynamicUser, in the groups that its sources need.
add_user() {
    acts || return 0
    if ! id tailcast >/dev/null 2>&1; then
        # Debian's adduser is another program than busybox's, but beside it there is always useradd.
        if command -v useradd >/dev/null; then useradd --system --no-create-home --shell /usr/sbin/nologin tailcast
        elif command -v adduser >/dev/null; then adduser -S -D -H -s /sbin/nologin tailcast
        else
            # OpenWrt has neither; 7117 is free there, and nothing is owned by it.
            echo 'tailcast:x:7117:7117:tailcast:/var:/bin/false' >>/etc/passwd
            echo 'tailcast:x:7117:' >>/etc/group
        fi
    fi
    sed -n 's/^SupplementaryGroups=//p' "$lines" | sort -u | while read -r group; do
        if command -v usermod >/dev/null; then usermod -aG "$group" tailcast
        elif command -v addgroup >/dev/null; then addgroup tailcast "$group"
        else sed -i "s/^$group:.*[^:]\$/&,tailcast/; s/^$group:.*:\$/&tailcast/" /etc/group
        fi
    done
}

remove_user() {
    acts && id tailcast >/dev/null 2>&1 || return 0
    if command -v userdel >/dev/null; then userdel tailcast
    elif command -v deluser >/dev/null; then deluser tailcast
    else sed -i '/^tailcast:/d' /etc/passwd; sed -i '/^tailcast:/d; s/\([:,]\)tailcast\(,\|$\)/\1/; s/,$//' /etc/group
    fi
}

# Checks the SOURCEs, writes the configuration and, for systemd, what they need beyond the unit.
configure() {
    args=
    for source in "$@"; do
        case $source in
            # The three readers of the file have these marks in common, and no path that means well has one.
            *[\"\'\`\$\\]* | *'
'*) fail "\`$source\`: no quotes, backslashes, dollars or line ends in a service's SOURCE" ;;
            -) fail "\`-\`: a service has no standard input; let the program write into a FIFO, and name that" ;;
            --key | --key=* | --key-file | --key-file=*) fail "\`$source\`: the service's key is TAILCAST_KEY in /etc/tailcast.conf; change it there" ;;
            # Other options: their values are none of our business. `--name=value` is the form that fits here.
            -*) ;;
            # Streams of other boards are no files of this one.
            nats://* | *=nats://*) ;;
            *) allowance "$(path_of "$source")" >>"$lines" ;;
        esac
        args="$args \"$source\""
    done

    # The key and, unless others are named, the sources of the last time stay.
    key=$(sed -n 's/^TAILCAST_KEY=//p' "$config" 2>/dev/null || true)
    login=$(sed -n '/^TAILCAST_CREDENTIALS=/p' "$config" 2>/dev/null || true)
    if [ ! -e "$config" ] || [ $# -gt 0 ]; then
        {
            echo '# What tailcast streams (see tailcast --help), each SOURCE or --option=value in double quotes, and its key.'
            echo "TAILCAST_ARGS='${args# }'"
            echo "TAILCAST_KEY=${key:-$(new_key)}"
            [ -z "$login" ] || echo "$login"
        } >"$lines.config"
        put 600 "$lines.config" "$config"
    fi
    if [ "$init" = systemd ] && [ $# -gt 0 ]; then
        rm -rf "$unit.d"
        if [ -s "$lines" ]; then
            { echo '[Service]'; sort -u "$lines"; } >"$lines.unit"
            put 644 "$lines.unit" "$unit.d/sources.conf"
        fi
    fi
}

install() {
    ! packaged || fail "Debian's package \`tailcast\` is on this board: \`tailcast-setup sources\` names its sources; to have this instead, \`dpkg -P tailcast\` first"
    configure "$@"
    put 755 tailcast "$binary"
    case $init in
        systemd) put 644 tailcast.service "$unit" ;;
        openrc | procd)
            add_user
            put 755 "tailcast.$init" "$script"
            ;;
        none) echo "no systemd, OpenRC or procd here: start \`/usr/local/bin/tailcast\` in your own way" >&2 ;;
    esac
    ! acts || start
    # For install.sh, which knows where it reached the board.
    echo "port=$(port)"
    sed -n 's/^TAILCAST_KEY=/key=/p' "$config"
}

sources() {
    packaged || fail "Debian's package \`tailcast\` is not on this board; cross/install.sh names sources on others"
    # Without a SOURCE it is the link that is asked for, and nobody's connection is cut for that.
    if [ $# -gt 0 ]; then
        configure "$@"
        ! acts || start
    fi
    address=$(hostname -I | cut -d ' ' -f 1)
    case $address in *:*) address="[$address]" ;; esac
    echo "http://${address:-localhost}:$(port)/?key=$(sed -n 's/^TAILCAST_KEY=//p' "$config")"
}

# The engine joins the sources of the last time, in the place of another one. Without words on standard input the credentials stay.
to() {
    [ "$#${2:-}" = 3--as ] || fail "expected \`to nats://HUB --as BOARD\`, and USER:PASSWORD on standard input where the hub asks for one"
    [ -e "$config" ] || fail "\`$config\` is not there; name what is streamed first"
    login=
    [ -t 0 ] || login=$(head -n 1)
    for word in "$1" "$3" "$login"; do
        case $word in
            *[\"\'\`\$\\]*) fail "no quotes, backslashes or dollars in what a service is told" ;;
        esac
    done
    args=$(sed -n "s/^TAILCAST_ARGS='\(.*\)'\$/\1/p" "$config" | sed -e 's/ *"--to=[^"]*"//g' -e 's/ *"--as=[^"]*"//g')
    {
        sed -e '/^TAILCAST_ARGS=/d' ${login:+-e '/^TAILCAST_CREDENTIALS=/d'} "$config"
        echo "TAILCAST_ARGS='${args:+$args }\"--to=$1\" \"--as=$3\"'"
        [ -z "$login" ] || echo "TAILCAST_CREDENTIALS=$login"
    } >"$lines.config"
    put 600 "$lines.config" "$config"
    ! acts || start
}

port() {
    named=$(sed -n 's/.*"--listen=[^"]*:\([0-9]*\)".*/\1/p' "$config")
    echo "${named:-8080}"
}

start() {
    case $init in
        # After too many failures it does not start anything before `reset-failed`.
        systemd) systemctl daemon-reload && systemctl -q enable tailcast && systemctl reset-failed tailcast && systemctl restart tailcast ;;
        openrc) rc-update -q add tailcast default && rc-service -q tailcast restart ;;
        procd) "$script" enable && "$script" restart ;;
        none) return 0 ;;
    esac || fail "\`$init\` did not start it"
    up && return
    case $init in
        systemd) journalctl -q --no-pager -o cat -n 1 -t tailcast ;;
        openrc) tail -n 1 /run/tailcast.log ;;
        procd) logread -e tailcast | tail -n 1 ;;
    esac >&2
    fail "it was started, but does not listen; above is what it said last"
}

# Whether it listens within ten seconds. To init systems a program that ends at once, over a log that it may not read,
# was started all right.
up() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        sockets=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { print "socket:[" $10 "]" }')
        for process in $(pidof tailcast); do
            # shellcheck disable=SC2010
            [ -z "$sockets" ] || ! ls -l "/proc/$process/fd" 2>/dev/null | grep -qF "$sockets" || return 0
        done
        sleep 1
    done
    return 1
}

uninstall() {
    ! packaged || fail "Debian's package \`tailcast\` is on this board; \`dpkg -P tailcast\` removes it"
    if acts && [ -e "$binary" ]; then
        # What is stopped or gone already is no error.
        case $init in
            systemd) systemctl -q disable --now tailcast || true ;;
            openrc) rc-service -q tailcast stop || true; rc-update -q del tailcast || true ;;
            procd) "$script" stop || true; "$script" disable || true ;;
        esac
    fi
    rm -rf "$binary" "$config" "$unit" "$unit.d" "$script" "$root/run/tailcast.log"
    case $init in
        systemd) ! acts || systemctl daemon-reload ;;
        openrc | procd) remove_user ;;
    esac
}

# What the unit needs beyond itself, a line each; files are made from it beside it.
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
lines=$work/lines
: >"$lines"
case $do in
    install | sources | to) "$do" "$@" ;;
    uninstall) uninstall ;;
    config) configure ;;
    *) fail "expected \`install\`, \`uninstall\`, \`sources\`, \`to\` or \`config\`, not \`$do\`" ;;
esac
