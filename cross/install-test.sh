#!/usr/bin/env bash
# cross/install-test.sh: install.sh against an sshd on loopback, into stand-in roots of each kind of board.
#
# Needs root, openssh-server, systemd-analyze, curl and dist/tailcast-VERSION for this machine. Nothing is started but what
# setup.sh would have told systemd to start, by hand, and nothing of this machine's own is touched.
# What is meant to be read by another shell, and files that are not there yet.
# shellcheck disable=SC1091,SC2016
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ ! -e "$work/sshd.pid" ] || kill "$(cat "$work/sshd.pid")" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
fail() { echo "cross/install-test.sh: $1" >&2; exit 1; }

# A port that was free a moment ago.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

ssh-keygen -q -t ed25519 -N '' -f "$work/host"
ssh-keygen -q -t ed25519 -N '' -f "$work/user"
cp "$work/user.pub" "$work/authorized"
port=$(free_port)
cat >"$work/sshd_config" <<END
ListenAddress 127.0.0.1:$port
HostKey $work/host
PidFile $work/sshd.pid
AuthorizedKeysFile $work/authorized
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
END
mkdir -p /run/sshd
"$(command -v sshd || echo /usr/sbin/sshd)" -f "$work/sshd_config" -E "$work/sshd.log"
export TAILCAST_SSH="ssh -p $port -i $work/user -o StrictHostKeyChecking=no -o UserKnownHostsFile=$work/known -o LogLevel=ERROR -o BatchMode=yes"
for _ in $(seq 100); do
    ! $TAILCAST_SSH root@127.0.0.1 true 2>/dev/null || break
    sleep 0.1
done

put() { cross/install.sh root@127.0.0.1 "$@" </dev/null; }
# Every file under the root with its mode and content.
state() { (cd "$TAILCAST_ROOT" && find . -type f -printf '%m %p ' -exec sha256sum {} \; | sort -k 2); }
args() { (. "$TAILCAST_ROOT/etc/tailcast.conf" && echo "$TAILCAST_ARGS"); }
# The init script between these lines, in a shell.
started() { { echo "$1"; sed "s|/etc/tailcast.conf|$TAILCAST_ROOT&|" "$TAILCAST_ROOT/etc/init.d/tailcast"; echo "$2"; } | sh; }

for init in systemd openrc procd; do
    export TAILCAST_ROOT=$work/$init
    mkdir -p "$TAILCAST_ROOT"/{run,sbin,var/log}
    case $init in
        systemd) mkdir -p "$TAILCAST_ROOT"/{run/systemd/system,usr/lib/systemd} ;;
        openrc) install -m 755 /dev/null "$TAILCAST_ROOT/sbin/openrc-run" ;;
        procd) install -m 755 /dev/null "$TAILCAST_ROOT/sbin/procd" ;;
    esac
done
for init in systemd openrc procd; do
    install -D -m 644 /dev/null "$work/$init/var/log/shut/open"
    chmod 700 "$work/$init/var/log/shut"
done
log=$work/systemd/var/log
echo 'one line' >"$log/open"; chmod 644 "$log/open"
echo 'one line' >"$log/grouped"; chmod 640 "$log/grouped"; chgrp adm "$log/grouped"
echo 'one line' >"$log/closed"; chmod 600 "$log/closed"
for last in open grouped closed; do
    cp -p "$log/$last" "$log/two words $last"
done

for init in systemd openrc procd; do
    export TAILCAST_ROOT=$work/$init
    empty=$(state)
    link=$(put /var/log/open 'two words=/var/log/a b')
    [[ $link =~ ^http://127\.0\.0\.1:8080/\?key=[0-9a-f]{32}$ ]] || fail "$init: no link: $link"
    [ "$(args)" = '"/var/log/open" "two words=/var/log/a b"' ] || fail "$init: $(args)"
    [ "$(stat -c %a "$TAILCAST_ROOT/etc/tailcast.conf")" = 600 ] || fail "$init: the key is open to others"
    "$TAILCAST_ROOT/usr/local/bin/tailcast" --version >/dev/null || fail "$init: the binary does not run"

    first=$(state)
    [ "$(put)" = "$link" ] || fail "$init: a second run has another link"
    [ "$(state)" = "$first" ] || fail "$init: a second run changed something"
    [ "$(put /var/log/other '--listen=[::]:9000')" = "${link/8080/9000}" ] || fail "$init: another key with other sources"
    [ "$(args)" = '"/var/log/other" "--listen=[::]:9000"' ] || fail "$init: $(args)"

    before=$(state)
    for source in relative.log "/var/log/it's" '/var/log/$HOME' - --key=secret /var/log/shut/open; do
        ! put "$source" >"$work/said" 2>&1 || fail "$init: \`$source\` was taken"
        grep -qF "\`$source\`" "$work/said" || fail "$init: \`$source\`: $(cat "$work/said")"
        [ "$(state)" = "$before" ] || fail "$init: \`$source\` was refused, but changed something"
    done

    case $init in
        systemd)
            ! put /var/log/closed >"$work/said" 2>&1 || fail "a log of root alone was taken"
            grep -q 'owner alone' "$work/said" || fail "a log of root alone: $(cat "$work/said")"
            put /var/log/grouped >/dev/null
            grep -qx SupplementaryGroups=adm "$TAILCAST_ROOT"/etc/systemd/system/tailcast.service.d/sources.conf || fail "a log of adm: the unit is not in that group"
            cp -r /lib/systemd/system "$TAILCAST_ROOT/usr/lib/systemd/"
            systemd-analyze verify --man=no --root="$TAILCAST_ROOT" tailcast.service >"$work/said" 2>&1 || fail "not a good unit: $(cat "$work/said")"
            ! grep tailcast "$work/said" || fail "systemd complains of the unit"
            systemd-analyze security --offline=true --threshold=20 --root="$TAILCAST_ROOT" tailcast.service >"$work/said" ||
                fail "the unit is exposed: $(tail -n 1 "$work/said")"
            # A glob streams what else it finds, and its spaces do not part it.
            put '/var/log/two w*' >"$work/out" 2>"$work/said" || fail "a glob was refused: $(cat "$work/said")"
            grep -qx SupplementaryGroups=adm "$TAILCAST_ROOT"/etc/systemd/system/tailcast.service.d/sources.conf || fail "the files of a glob do not count"
            grep -q 'left out: `/var/log/two words closed`' "$work/said" || fail "what a glob leaves out is not told: $(cat "$work/said")"
            put /var/log/open >/dev/null
            [ ! -e "$TAILCAST_ROOT"/etc/systemd/system/tailcast.service.d ] || fail "the group stayed"

            # What the unit would start does start.
            http=$(free_port)
            put /var/log/open "--listen=127.0.0.1:$http" >/dev/null
            (
                set -a
                . "$TAILCAST_ROOT/etc/tailcast.conf"
                eval "set -- $TAILCAST_ARGS"
                exec "$TAILCAST_ROOT/usr/local/bin/tailcast" "$@" >/dev/null
            ) &
            server=$!
            curl -fsS --retry 50 --retry-delay 1 --retry-connrefused -H "Authorization: Bearer ${link#*=}" "http://127.0.0.1:$http/health" >/dev/null || fail "it does not answer"
            ;;
        # What the script would start, asked of itself with the init system's words stubbed.
        openrc) words=$(started 'checkpath() { :; }' 'start_pre; eval "set -- $command_args"; echo "$command $*"') ;;
        procd) words=$(started 'procd_open_instance() { :; }; procd_close_instance() { :; }
            procd_set_param() { [ "$1" != command ] || { shift; echo "$*"; }; }' start_service) ;;
    esac
    [ "$init" = systemd ] || [ "$words" = '/usr/local/bin/tailcast /var/log/other --listen=[::]:9000' ] || fail "$init: would start \`$words\`"

    cross/install.sh --uninstall root@127.0.0.1 </dev/null >/dev/null
    rm -rf "$TAILCAST_ROOT/usr/lib/systemd/system"
    [ "$(state)" = "$empty" ] || fail "$init: something was left behind: $(state)"
    echo "$init: ok"
done
