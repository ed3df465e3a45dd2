#!/usr/bin/env bash
# Makes the stream that boards publish to: tests/nats/stream.sh HOST PORT USER PASSWORD. The same with NATS's own tool:
# nats stream add TAILCAST --config tests/nats/stream.json
set -euo pipefail
json=$(cat "$(dirname "$0")/stream.json")
exec 3<>"/dev/tcp/$1/$2"
# shellcheck disable=SC2016 # the dollar is the protocol's
printf 'CONNECT {"user":"%s","pass":"%s"}\r\nSUB answer 1\r\nPUB $JS.API.STREAM.CREATE.TAILCAST answer %d\r\n%s\r\n' \
    "$3" "$4" "${#json}" "$json" >&3
while read -r -t 5 line <&3; do
    case $line in
    *'"err_code":10047'*) echo "the hub has no room for so much: lower max_bytes in tests/nats/stream.json" >&2; exit 1 ;;
    *'"error"'* | -ERR*) echo "$line" >&2; exit 1 ;;
    *stream_create_response*) exit 0 ;;
    esac
done
echo "no answer from $1:$2" >&2
exit 1
