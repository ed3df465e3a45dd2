#!/usr/bin/env bash
# cross/service-test.sh: install.sh and the arm64 package on a whole Debian under systemd, then install.sh under OpenRC, as
# somebody at a PC would use them: over ssh, with sudo asking for a password, and with a client outside.
#
# Needs root, qemu-system-arm, what package-test.sh needs, and the binaries in dist/. A minute of emulation for each boot's work.
# Words for the board's shell.
# shellcheck disable=SC2016
set -euo pipefail
cd "$(dirname "$0")/.."

cross/need.sh "$0" root mmdebstrap qemu-aarch64-static qemu-system-aarch64 cpio mke2fs ssh curl python3 || exit $(($? - 1))
cache=${CARGO_TARGET_DIR:-$PWD/target}/cross/debian
cross/debian.sh "$cache"
work=$(mktemp -d)
machine=
finish() {
    [ -z "$machine" ] || kill "$machine" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
fail() { echo "cross/service-test.sh: $1" >&2; exit 1; }

within() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}

# A disk of that Debian with our key to it, and what mounts it and brings the network up: that kernel has these as modules.
ssh-keygen -q -t ed25519 -N '' -f "$work/user"
mkdir -p "$work"/ram/{bin,dev,new} "$work/disk"
tar -C "$work/disk" -xf "$cache/rootfs.tar"
install -D -m 600 "$work/user.pub" "$work/disk/root/.ssh/authorized_keys"
cat >"$work/disk/openrc" <<'END'
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
dpkg -i /var/tmp/*.deb
rc-update add ssh default
exec /sbin/openrc-init
END
cat >"$work/ram/init" <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod "$module"; done
ip link set lo up
ip address add 10.0.2.15/24 dev eth0
ip link set eth0 up
mount -t ext4 /dev/vda /new
mount -o move /dev /new/dev
exec switch_root /new "$FIRST"
END
chmod +x "$work/disk/openrc" "$work/ram/init"
cp "$work/disk/bin/busybox" "$work/ram/bin"
cp -r "$cache/modules" "$work/ram"
(cd "$work/ram" && find . | cpio -o -H newc -R 0:0 --quiet) >"$work/initrd"
mke2fs -q -t ext4 -d "$work/disk" "$work/image" 700M >/dev/null
rm -r "$work/disk"

on() { $TAILCAST_SSH root@127.0.0.1 "$@"; }
put() { cross/install.sh root@127.0.0.1 "$@" </dev/null; }
# Every file on the disk, and the users; the journal is systemd's own affair.
state() { on 'find / -xdev -path /var/log/journal -prune -o -path /var/lib/dpkg/\*-old -prune -o -printf "%M %p\n" | sort -k 2; cat /etc/passwd /etc/group'; }
# A free port of this machine.
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# The board's serial line: what comes of it is read, so that nobody waits for that.
mkfifo "$work"/serial.{in,out}

boot() { # FIRST
    local ssh
    ssh=$(port) http=$(port)
    export TAILCAST_SSH="ssh -p $ssh -i $work/user -o StrictHostKeyChecking=no -o UserKnownHostsFile=$work/known$ssh -o LogLevel=ERROR -o ConnectTimeout=5"
    cat "$work/serial.out" >"$work/console" &
    # What is written to the disk is forgotten.
    qemu-system-aarch64 -M virt -cpu cortex-a72 -smp 2 -m 512 -display none -no-reboot -kernel "$cache/kernel" -initrd "$work/initrd" \
        -append "quiet panic=-1 FIRST=$1 systemd.mask=serial-getty@ttyAMA0.service console=ttyAMA0" \
        -drive "file=$work/image,format=raw,if=none,id=disk,snapshot=on" -device virtio-blk-device,drive=disk \
        -netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$ssh-10.0.2.15:22,hostfwd=tcp:127.0.0.1:$http-10.0.2.15:8080" \
        -device virtio-net-device,netdev=net \
        -chardev "pipe,id=serial,path=$work/serial" -serial chardev:serial &
    machine=$!
    within 120 on -o BatchMode=yes true 2>/dev/null || fail "the board does not come up: $(tail -n 5 "$work/console")"
    # dpkg's own log is another's to remove.
    on 'touch /var/log/dpkg.log && cd /var/log && for log in app.log "two words.log"; do echo first >"$log"; chgrp adm "$log"; chmod 640 "$log"; done'
}
halt() {
    kill "$machine"
    wait "$machine" 2>/dev/null || true
    machine=
}

get() { curl -s -m 20 --retry 30 --retry-delay 1 --retry-all-errors -H "Authorization: Bearer ${link#*=}" "http://127.0.0.1:$http/$1" "${@:2}"; }
# For as long as the service lives, which a part of this test ends.
follow() { # STREAM FILE
    curl -sN -m 200 -H "Authorization: Bearer ${link#*=}" "http://127.0.0.1:$http/stream/$1?follow" >"$2" &
    within 30 watched "$1" || fail "no client gets to \`$1\`: $(get sources)"
}
watched() { get sources | grep -q "\"name\":\"$1\"[^}]*\"clients\":[1-9]"; }
# Whether it is this that a client got so far.
got() { [ "$(cat "$work/got")" = "$1" ]; }
# Another process than this one, of that program.
another() { # PROCESS PROGRAM
    local now
    now=$(on pidof tailcast) && [ "$now" != "$1" ] && [ "$(on readlink "/proc/$now/exe")" = "$2" ]
}
linked() { [[ $link =~ ^http://10\.0\.2\.15:8080/\?key=[0-9a-f]{32}$ ]] || fail "no link: $link"; }
refused() { # WORDS COMMAND...
    local words=$1
    shift
    ! "$@" >"$work/said" 2>&1 || fail "\`$*\` was not refused"
    grep -qF "$words" "$work/said" || fail "\`$*\` does not say \`$words\`: $(cat "$work/said")"
}

# What is alike for every service: a log that only adm may read, a line at a client, a crash, a log that may not be read any more.
serves() {
    follow app.log "$work/got"
    within 30 got first || fail "what was in the log did not come: $(cat "$work/got")"
    on 'echo second >>/var/log/app.log'
    within 30 got $'first\nsecond' || fail "what was appended did not come: $(cat "$work/got")"
    # Its standard input is a console, say: then it is a rotation of the next day.
    on 'cat >/run/rotation && logrotate -f -s /run/rotated /run/rotation; echo third >>/var/log/app.log' <<'END'
/var/log/app.log {
    rotate 1
    create 640 root adm
}
END
    within 30 got $'first\nsecond\nthird' || fail "what came after the rotation did not: $(cat "$work/got")"
    [ "$(get stream/two%20words.log)" = first ] || fail "a name with a space is not served"
    local process
    process=$(on pidof tailcast)
    on "kill -ABRT $process"
    within 60 another "$process" /usr/local/bin/tailcast || fail "after a crash it does not come back"
}

boot /lib/systemd/systemd
on 'useradd -m -G sudo pi && echo pi:raspberry | chpasswd && install -D -o pi /root/.ssh/authorized_keys ~pi/.ssh/authorized_keys && su pi -c "touch ~/.sudo_as_admin_successful"
    chgrp dialout /dev/ttyAMA0 && chmod 660 /dev/ttyAMA0'
empty=$(state)
# shellcheck disable=SC2054
sources=(/var/log/app.log '/var/log/two words.log' /dev/ttyAMA0,baud=115200 sample:/proc/loadavg)
# Standard output is a file, so that a link there is not a prompt.
python3 -c '
import os, pty, sys
def read(terminal):
    said = os.read(terminal, 4096)
    if b"password for pi" in said:
        os.write(terminal, b"raspberry\n")
    return said
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], read)))' \
    sh -c 'link=$1; shift; exec cross/install.sh pi@127.0.0.1 "$@" >"$link"' sh "$work/link" "${sources[@]}" </dev/null >"$work/said" ||
    fail "it is not installed by a user with a password: $(cat "$work/said")"
link=$(cat "$work/link")
linked
refused 'sudo' cross/install.sh pi@127.0.0.1 </dev/null
serves
grep -q 'Groups:.*\b4\b' <(on 'cat /proc/$(pidof tailcast)/status') || fail "it is not in the group adm"
! on 'journalctl -u tailcast' | grep -q "${link#*=}" || fail "the key is in the journal"
follow ttyAMA0 "$work/got"
printf 'from afar\r\n' >"$work/serial.in"
within 30 grep -q 'from afar' "$work/got" || fail "nothing comes of the serial line"
follow loadavg "$work/load"
within 30 grep -q '^20.* [0-9.]* [0-9.]* ' "$work/load" || fail "no reading comes"

cursor=$(get stream/app.log -D "$work/head" >/dev/null && sed -n 's/^tailcast-cursor: \([0-9a-f-]*\).*/\1/ip' "$work/head")
on 'systemctl stop tailcast; echo fourth >>/var/log/app.log; systemctl start tailcast'
[ "$(get "stream/app.log?from=$cursor")" = fourth ] || fail "after a restart a client does not find its place"
on 'chmod 600 /var/log/app.log'
refused "/var/log/app.log\` can't be read" put
on 'chmod 640 /var/log/app.log'
[ "$(put)" = "$link" ] || fail "another link after a failure"
cross/install.sh --uninstall root@127.0.0.1 >/dev/null
on 'rm /var/log/app.log.1'
[ "$(state)" = "$empty" ] || fail "something was left behind: $(diff <(echo "$empty") <(state))"
echo "systemd: ok"

cross/package.sh arm64
version=$(cross/version.sh)
on 'cat >/run/tailcast.deb' <"dist/tailcast_${version/-/\~}_arm64.deb"
on 'dpkg -i /run/tailcast.deb >/dev/null'
link=$(on tailcast-setup sources)
linked
get sources | grep -q '"kind":"sample"' || fail "the package does not stream the board's vitals: $(get sources)"
[ "$(on tailcast-setup sources /var/log/app.log)" = "$link" ] || fail "other sources, another link"
[ "$(get stream/app.log)" = fourth ] || [ "$(get stream/app.log)" = $'third\nfourth' ] || fail "the package does not stream its file"
process=$(on pidof tailcast)
on 'dpkg -i /run/tailcast.deb >/dev/null'
within 30 another "$process" /usr/bin/tailcast || fail "an update does not restart it"
[ "$(on tailcast-setup sources)" = "$link" ] || fail "an update changed the link"
refused "package" put
refused "package" cross/install.sh --uninstall root@127.0.0.1
on 'dpkg -P tailcast >/dev/null 2>&1; ! pidof tailcast' || fail "it runs without its package"
[ "$(state)" = "$empty" ] || fail "the package left something behind: $(diff <(echo "$empty") <(state))"
echo "package: ok"
halt

boot /openrc
empty=$(state)
link=$(put "${sources[@]:0:2}")
linked
serves
on 'chmod 600 /var/log/app.log'
refused "/var/log/app.log\` can't be read" put
cross/install.sh --uninstall root@127.0.0.1 >/dev/null
on 'rm /var/log/app.log.1; chmod 640 /var/log/app.log'
[ "$(state)" = "$empty" ] || fail "something was left behind: $(diff <(echo "$empty") <(state))"
echo "OpenRC: ok"
