#!/usr/bin/env bash
# cross/package.sh [ARCH...]: Debian packages dist/tailcast_VERSION_ARCH.deb out of the binaries in dist/; all three
# (amd64, arm64, armhf) if none is named.
#
# armhf holds the ARMv6 binary: Debian means ARMv7 by that name, Raspberry Pi OS ARMv6, and ARMv6 code runs on both.
# Every text in the package comes from where it is kept already: unit, LICENSE, CHANGELOG.md, the options in README.md.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "cross/package.sh: $1" >&2; exit 1; }

version=$(cross/version.sh)
# 0.2.0~rc.1 is before 0.2.0 for dpkg.
debian=${version/-/\~}
contact='The Tailcast developers <tailcast@users.noreply.invalid>'
# The same input makes the same package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What is between a line that matches FROM and the next that matches TO.
between() { sed -n "/$1/,/$2/{//!p}" "$3"; }

changelog() {
    printf 'tailcast (%s) unstable; urgency=medium\n\n' "$debian"
    # A bullet is `- ` at the start of a line, its other lines are indented.
    between "^## ${version//./\\.}\\b" '^## ' CHANGELOG.md | sed -n 's/^- /* /p; s/^  //p' | tr '\n' ' ' | sed 's/ \* /\n* /g; s/ *$/\n/' |
        while read -r bullet; do
            fold -s -w 72 <<<"$bullet" | sed '1s/^/  /; 1!s/^/    /; s/ *$//'
        done
    printf '\n -- %s  %s\n' "$contact" "$(date -R -u -d "@$SOURCE_DATE_EPOCH")"
}

copyright() { # TARGET
    local crate license found
    echo 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/'
    echo 'Upstream-Name: tailcast'
    echo
    echo 'Files: *'
    sed -n 's/^Copyright (c)/Copyright:/p' LICENSE
    echo 'License: Expat'
    echo 'Comment:'
    echo ' The binary is made of this, the Rust standard library (MIT or Apache-2.0), musl'
    echo ' (MIT) and these crates. The Apache License 2.0 and the BSD license are in'
    echo ' /usr/share/common-licenses.'
    while IFS='|' read -r crate license; do
        echo " $crate: $license"
        found=("${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"${crate/ v/-}"/LICENSE*)
        { grep -his '^ *copyright .*[0-9]' "${found[@]}" || true; } | sed 's/^ */  /; s/\r//' | sort -u
    done < <(cargo tree --locked -q -e normal,no-proc-macro --target "$1" --prefix none -f '{p}|{l}' | sed 1d | sed 's/ (\*)$//' | sort -u)
    echo
    echo 'License: Expat'
    sed '1,/^Copyright/d' LICENSE | sed '/./,$!d; s/^/ /; s/^ $/ ./'
}

# The options are those of README.md, which a test holds equal to `tailcast --help`.
manual() {
    local name=Tailcast
    cat <<END
.TH TAILCAST 1 "$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)" "$name $version"
.SH NAME
tailcast, tailcast-setup \\- a file on a small board, live in every browser of the house
.SH SYNOPSIS
.B tailcast
[OPTION...] [SOURCE...]
.br
.B tailcast-setup sources
[SOURCE...]
.SH DESCRIPTION
The service tailcast streams what /etc/tailcast.conf names, the board's own vitals at first.
.B tailcast-setup sources
writes that file, lets the service read what it names, restarts it and prints the link. Without a SOURCE the sources stay.
.SH OPTIONS
.nf
END
    between '^<!-- options: ' '^```$' README.md | sed '/^```/d' | fold -s -w 86 | sed 's/\\/\\e/g; s/-/\\-/g; s/^[.'"'"']/\\\&&/'
    cat <<END
.fi
.SH FILES
.I /etc/tailcast.conf
.SH SEE ALSO
.BR journalctl (1),
.BR systemctl (1)
END
}

package() { # ARCH
    local arch=$1 target binary root=$work/$1 documents file
    case $arch in
        amd64) target=x86_64-unknown-linux-musl binary=x86_64 ;;
        arm64) target=aarch64-unknown-linux-musl binary=aarch64 ;;
        armhf) target=arm-unknown-linux-musleabihf binary=armv6 ;;
        *) fail "no architecture \`$arch\`; there are amd64, arm64 and armhf" ;;
    esac
    binary=dist/tailcast-$version-$binary
    [ -f "$binary" ] || fail "there is no \`$binary\`; cross/build.sh makes it"
    # A name proves nothing, and a wrong one in a package is a board that does not run. The size was looked at when it was built.
    cross/check.sh "$target" "$binary" 9999

    documents=$root/usr/share/doc/tailcast
    umask 022
    mkdir -p "$root/DEBIAN" "$documents" "$root"/usr/share/{man/man1,man/man8,lintian/overrides}
    install -D -m 755 "$binary" "$root/usr/bin/tailcast"
    install -D -m 755 cross/service/setup.sh "$root/usr/sbin/tailcast-setup"
    # /lib and not /usr/lib: the tools of Debian 11 look there only.
    mkdir -p "$root/lib/systemd/system"
    sed '/^#/{1,/^\[/d}; s|/usr/local/bin|/usr/bin|
        s|^Description=.*|&\nDocumentation=man:tailcast(1)|' cross/service/tailcast.service >"$root/lib/systemd/system/tailcast.service"
    changelog | gzip -9n >"$documents/changelog.gz"
    copyright "$target" >"$documents/copyright"
    manual | gzip -9n >"$root/usr/share/man/man1/tailcast.1.gz"
    ln -s ../man1/tailcast.1.gz "$root/usr/share/man/man8/tailcast-setup.8.gz"
    install -m 644 cross/package/lintian-overrides "$root/usr/share/lintian/overrides/tailcast"

    for file in preinst postinst prerm postrm; do
        install -m 755 "cross/package/$file" "$root/DEBIAN/$file"
    done
    (cd "$root" && find usr lib -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
    cat >"$root/DEBIAN/control" <<END
Package: tailcast
Version: $debian
Architecture: $arch
Maintainer: $contact
Installed-Size: $(du -k -s --apparent-size --exclude=DEBIAN "$root" | cut -f 1)
Section: net
Priority: optional
Description: $(sed -n 's/^description = "\(.*\)"/\1/p' Cargo.toml | sed 's/^A //')
 Streams log files, sensors, pipes and serial lines of a small board to the
 browsers of its network, live and by way of one link with a key in it. With
 nothing named it streams the board's own vitals. It only reads, writes nothing
 to the card and needs no other package.
END
    file=dist/tailcast_${debian}_$arch.deb
    dpkg-deb --root-owner-group -Zxz --build "$root" "$file" >/dev/null
    echo "$file: $(stat -c %s "$file") bytes"
}

[ $# -gt 0 ] || set -- amd64 arm64 armhf
for arch in "$@"; do
    package "$arch"
done
