#!/usr/bin/env bash
# cross/package-test.sh: the packages of package.sh by lintian, and the one for arm64 installed, run, updated and removed
# in an arm64 Debian under QEMU's user emulation.
#
# Needs root, lintian, mmdebstrap, qemu-user-static, curl and the binaries in dist/. That Debian is made once, under target/cross.
set -euo pipefail
cd "$(dirname "$0")/.."

cross/need.sh "$0" root lintian mmdebstrap qemu-aarch64-static curl || exit $(($? - 1))
cache=${CARGO_TARGET_DIR:-$PWD/target}/cross/debian
if [ "${1:-}" != inside ]; then
    cross/debian.sh "$cache"
    # Mounts of its own, which go with it.
    exec cross/binfmt.sh unshare --mount --pid --fork --kill-child "$0" inside
fi

fail() { echo "cross/package-test.sh: $1" >&2; exit 1; }
work=$(mktemp -d)
trap 'umount "$work/root/proc" 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT

cross/package.sh
version=$(cross/version.sh)
package=dist/tailcast_${version/-/\~}_arm64.deb
cp "$package" "$work/tailcast.deb"
for built in dist/tailcast_"${version/-/\~}"_*.deb; do
    lintian --allow-root --fail-on error,warning "$built" || fail "lintian complains of \`$built\`"
done
cross/package.sh arm64 >/dev/null
cmp "$package" "$work/tailcast.deb" || fail "made twice, \`$package\` is not the same"

root=$work/root
mkdir "$root"
tar -C "$root" -xf "$cache/rootfs.tar"
cp "$package" "$root/tailcast.deb"
touch "$root/var/log/dpkg.log"
mount -t proc proc "$root/proc"
# Every file with its mode, but for what dpkg keeps for itself.
state() { (cd "$root" && find . -path ./proc -prune -o -path ./var/lib/dpkg/\*-old -prune -o -printf '%M %p %l\n' | sort -k 2); }
inside=(chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive)
here() { "${inside[@]}" "$@"; }
key() { sed -n 's/^TAILCAST_KEY=//p' "$root/etc/tailcast.conf"; }
empty=$(state)

said=$(here dpkg -i /tailcast.deb)
[ "$(grep -c '^tailcast: .*tailcast-setup sources' <<<"$said")" = 1 ] || fail "the first installation does not say how to go on: $said"
[ "$(stat -c %a "$root/etc/tailcast.conf")" = 600 ] || fail "the key is open to others"
key=$(key)
[[ $key =~ ^[0-9a-f]{32}$ ]] || fail "this is no key: \`$key\`"
[ -L "$root/etc/systemd/system/multi-user.target.wants/tailcast.service" ] || fail "the service is not enabled"
[ "$(here tailcast --version)" = "tailcast $version" ] || fail "it is not version $version that was installed"

# As the unit starts it, with another port; here no systemd runs.
echo 'one line' >"$root/var/log/app.log"
"${inside[@]}" sh -c '. /etc/tailcast.conf; export TAILCAST_KEY; exec tailcast --listen=127.0.0.1:0 /var/log/app.log' >"$work/banner" &
for _ in $(seq 100); do
    url=$(grep -om 1 'http://127[^/]*' "$work/banner") && break
    sleep 0.1
done
[ "$(curl -fsS -H "Authorization: Bearer $key" "$url/stream/app.log")" = 'one line' ] || fail "it does not serve its file"
kill $!
wait $! || fail "it did not end well"
rm "$root/var/log/app.log"

# The owner's settings outlive an update and a removal, but not a purge.
here tailcast-setup sources /var/log/dpkg.log '--listen=[::]:9000' >"$work/said"
grep -qE "^http://[^/]+:9000/\?key=$key\$" "$work/said" || fail "\`tailcast-setup sources\` prints no link: $(cat "$work/said")"
before=$(cat "$root/etc/tailcast.conf")
said=$(here dpkg -i /tailcast.deb)
! grep -q '^tailcast: ' <<<"$said" || fail "an update speaks as if it were the first installation"
[ "$(cat "$root/etc/tailcast.conf")" = "$before" ] || fail "an update changed \`/etc/tailcast.conf\`"
here dpkg -r tailcast >/dev/null
[ ! -e "$root/usr/bin/tailcast" ] || fail "it is still there after its removal"
[ "$(cat "$root/etc/tailcast.conf")" = "$before" ] || fail "a removal changed \`/etc/tailcast.conf\`"
here dpkg -P tailcast >/dev/null
[ "$(state)" = "$empty" ] || fail "a purge left something: $(diff <(echo "$empty") <(state))"

# What install.sh has put there goes before the package, and is not overridden in silence.
mkdir -p "$root/etc/systemd/system"
cp cross/service/tailcast.service "$root/etc/systemd/system"
! here dpkg -i /tailcast.deb >"$work/said" 2>&1 || fail "it was installed beneath what install.sh put there"
grep -q 'tailcast: .*install.sh --uninstall' "$work/said" || fail "the refusal gives no reason: $(cat "$work/said")"
rm "$root/etc/systemd/system/tailcast.service"
[ "$(state)" = "$empty" ] || fail "a refused installation left something: $(diff <(echo "$empty") <(state))"
here dpkg -i /tailcast.deb >/dev/null
[ "$(key)" != "$key" ] || fail "two installations have the same key"
echo "packages: ok"
