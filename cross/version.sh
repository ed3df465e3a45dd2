#!/bin/sh
# cross/version.sh: Tailcast's version, as files in dist/ have it in their names.
sed -n 's/^version = "\(.*\)"/\1/p' "$(dirname "$0")/../Cargo.toml" | head -n 1
