#!/usr/bin/env bash
# cross/debian.sh DIRECTORY: a Debian 12 for arm64, put there once for package-test.sh and service-test.sh.
#
# rootfs.tar (systemd, sshd, sudo; OpenRC's packages in /var/tmp), kernel, and the modules that it needs to reach its disk and
# the network. Needs root, mmdebstrap, qemu-user-static; the foreign programs of its packages run by binfmt.sh.
set -euo pipefail

[ $# = 1 ] || { echo "usage: cross/debian.sh DIRECTORY" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"
# What is made, so that another one is made when this changes.
recipe=$(cat "$here/debian.sh" "$here/modules.sh" | sha256sum)
# Written last: a directory without it was left half-way.
[ "$(cat complete 2>/dev/null)" != "$recipe" ] || exit 0
rm -rf complete rootfs.tar kernel modules packages unpacked
mkdir packages

# The kernel is unpacked and not installed: an initramfs made under emulation takes longer than all of this.
# shellcheck disable=SC2016
download='cd /var/tmp && apt-get download -qq openrc insserv libeinfo1 librc1 \
    "$(apt-cache depends linux-image-cloud-arm64 | sed -n "s/^ *Depends: //p")"'
# shellcheck disable=SC2016
"$here/binfmt.sh" mmdebstrap --mode=root --quiet --architectures=arm64 --variant=minbase --skip=check/qemu \
    --include=busybox-static,logrotate,openssh-server,sudo,systemd-sysv --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt=force-unsafe-io --customize-hook="chroot \"\$1\" sh -c '$download'" \
    --customize-hook='sync-out /var/tmp packages' --customize-hook='rm "$1"/var/tmp/linux-image-*' \
    bookworm rootfs.tar

dpkg -x packages/linux-image-*.deb unpacked
mv unpacked/boot/vmlinuz-* kernel
"$here/modules.sh" "$(echo unpacked/lib/modules/*)" modules virtio_mmio virtio_blk virtio_net
rm -r packages unpacked
echo "$recipe" >complete
