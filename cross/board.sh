#!/usr/bin/env bash
# cross/board.sh BOARD [BINARY [PORT]]: a whole board in QEMU with Debian's kernel, on which BINARY streams a growing log.
#
# Prints the link once the board answers, and runs until Ctrl-C. What is typed in the meantime are commands to the board, and
# its console is standard error. Kernel and busybox come from Debian, into target/cross/board, once.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat >&2 <<'END_OF_USAGE'
usage: cross/board.sh BOARD [BINARY [PORT]]
  raspi0       or armv6:    Raspberry Pi Zero, network over USB
  raspi3b                   Raspberry Pi 3, network over USB
  vexpress-a9  or armv7:    Cortex-A9 with a thermometer that can be set from outside
  virt         or aarch64:  Cortex-A53 with 64 MiB
  BINARY is dist/tailcast-VERSION-ARCH, PORT the first free one from 8080 on unless named
END_OF_USAGE
    exit 2
}
fail() { echo "cross/board.sh: $1" >&2; exit 1; }

# `arch` names the binary, `debian` the architecture of the packages. What a module needs comes by itself.
dtb='' thermometer=''
case ${1:-} in
    raspi0 | armv6)
        board=raspi0 arch=armv6 debian=armel package=linux-image-rpi dtb=bcm2835-rpi-zero.dtb
        modules=(cdc_ether rndis_host)
        # Its USB interrupts a thousand times a second. Where the host is busy that would be all that it ever does, so its
        # time is counted in instructions, 8 ns each: it gets slower as a whole.
        machine=(qemu-system-arm -M raspi0 -icount 'shift=3' -device 'usb-net,netdev=net')
        # QEMU 7.2: without the first two the kernel waits for ever for a timer, without the third it panics.
        words='console=ttyAMA0 highres=off nohz=off initcall_blacklist=bcm2835_pm_driver_init'
        ;;
    raspi3b)
        board=raspi3b arch=aarch64 debian=arm64 package=linux-image-arm64 dtb=broadcom/bcm2837-rpi-3-b.dtb
        modules=(bcm2835_thermal phy_generic dwc2 cdc_ether rndis_host)
        # The first serial line is the Bluetooth chip's; the second is for us.
        machine=(qemu-system-aarch64 -M raspi3b -device 'usb-net,netdev=net' -serial null)
        words='console=ttyS1,115200'
        ;;
    vexpress-a9 | armv7)
        board=vexpress-a9 arch=armv7 debian=armhf package=linux-image-armmp dtb=vexpress-v2p-ca9.dtb
        modules=(smsc911x i2c_versatile lm75)
        machine=(qemu-system-arm -M vexpress-a9 -m 128 -audiodev 'none,id=none' -global pl041.audiodev=none
            -net 'nic,model=lan9118,netdev=net' -device 'tmp105,id=thermometer,address=0x48')
        words='console=ttyAMA0' thermometer=tmp105,0x48
        ;;
    virt | aarch64)
        board=virt arch=aarch64 debian=arm64 package=linux-image-cloud-arm64
        modules=(virtio_mmio virtio_net)
        machine=(qemu-system-aarch64 -M virt -cpu cortex-a53 -m 64 -device 'virtio-net-device,netdev=net')
        words='console=ttyAMA0'
        ;;
    *) usage ;;
esac
[ $# -le 3 ] || usage
version=$(cross/version.sh)
binary=${2:-dist/tailcast-$version-$arch} port=${3:-}
[ -x "$binary" ] || fail "there is no program \`$binary\`; cross/build.sh makes one"
for tool in "${machine[0]}" cpio curl; do
    command -v "$tool" >/dev/null || fail "\`$tool\` is not installed; Debian has it in qemu-system-arm, cpio, curl"
done

cache=${CARGO_TARGET_DIR:-target}/cross/board/$board
work=$(mktemp -d)
qemu=
# shellcheck disable=SC2317
finish() {
    [ -z "$qemu" ] || { kill "$qemu" && wait "$qemu"; } 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 0' INT TERM

# Downloads into $cache: kernel, dtb, busybox and modules/, numbered in the order to load them.
fetch() {
    # Lists of our own, for another architecture than this machine's, which hears nothing of it.
    local state=$work/apt kernel file
    mkdir -p "$state"/{lists,cache/archives}/partial "$work/packages"
    touch "$state/status"
    local own=(-o "APT::Architecture=$debian" -o "APT::Architectures=$debian" -o "Dir::State=$state" -o "Dir::State::Lists=$state/lists"
        -o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none)
    echo "cross/board.sh: fetching \`$package\` and busybox for $debian" >&2
    # A list that fails while its mirror is being updated may be one that we can do without.
    apt-get "${own[@]}" update -qq >/dev/null || true
    kernel=$(apt-cache "${own[@]}" depends "$package" | sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\).*/\1/p' | head -n 1)
    [ -n "$kernel" ] || fail "there is no \`$package\` for $debian to be had; is this Debian 12, and on the network?"
    (cd "$work/packages" && apt-get "${own[@]}" download -qq "$kernel" busybox-static) || fail "can't download \`$kernel\` for $debian"
    for file in "$work"/packages/*.deb; do
        dpkg -x "$file" "$work/root"
    done
    rm -rf "$cache"
    mkdir -p "$cache"
    cp "$work"/root/boot/vmlinuz-* "$cache/kernel"
    [ -z "$dtb" ] || cp "$work"/root/usr/lib/linux-image-*/"$dtb" "$cache/dtb"
    cp "$work/root/bin/busybox" "$cache/busybox"
    cross/modules.sh "$(echo "$work"/root/lib/modules/*)" "$cache/modules" "${modules[@]}"
    rm -r "$work/root" "$work/packages" "$state"
    echo "$recipe" >"$cache/complete"
}
recipe="$package $dtb ${modules[*]}"
# Written last: a directory without it was left half-way.
[ "$(cat "$cache/complete" 2>/dev/null)" = "$recipe" ] || fetch

mkdir -p "$work/ram"/{bin,dev,proc,root,run,sys,tmp,var/log}
cp "$cache/busybox" "$work/ram/bin/busybox"
cp "$binary" "$work/ram/bin/tailcast"
cp -r "$cache/modules" cross/board/init "$work/ram"
# A Raspberry Pi's day begins in 1970, and nothing there should come from the future.
(cd "$work/ram" && find . -exec touch -d @0 {} + && find . | cpio -o -H newc -R 0:0 --quiet | gzip -1) >"$work/initrd"

if [ -z "$port" ]; then
    port=8080
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        port=$((port + 1))
    done
fi
key=$(od -An -N 16 -tx1 /dev/urandom | tr -d ' \n')
# shellcheck disable=SC2054
arguments=(-display none -no-reboot -kernel "$cache/kernel" -initrd "$work/initrd"
    -append "$words loglevel=1 panic=-1 BOARD=$board ${thermometer:+THERMOMETER=$thermometer} TAILCAST_KEY=$key"
    -netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$port-10.0.2.15:8080"
    -chardev stdio,id=console,signal=on -serial chardev:console -monitor "unix:$work/monitor,server=on,wait=off")
[ -z "$dtb" ] || arguments+=(-dtb "$cache/dtb")
# However this script ends, QEMU does not stay behind.
setpriv --pdeathsig TERM "${machine[@]}" "${arguments[@]}" <&0 >&2 2>"$work/errors" &
qemu=$!

# QEMU takes connections before the board does, and the port may be somebody else's: only this answer counts.
until [ "$(curl -s -m 2 -H "Authorization: Bearer $key" "http://127.0.0.1:$port/health")" = ok ]; do
    kill -0 $qemu 2>/dev/null || fail "QEMU has ended: $(tail -n 1 "$work/errors")"
    [ $SECONDS -lt 600 ] || fail "\`$board\` did not answer in ten minutes"
    sleep 0.2
done
echo "http://127.0.0.1:$port/?key=$key"
[ -z "$thermometer" ] || echo "echo 'qom-set /machine/peripheral/thermometer temperature 30000' | nc -NU $work/monitor"
wait $qemu || true
fail "QEMU has ended: $(tail -n 1 "$work/errors")"
