#!/bin/sh
# Writes the generated files of this folder again: tests/json/generate.sh [FOLDER], from the root.
set -eu
out=${1:-tests/json}
known=$(for k in any duration field_mask struct timestamp wrappers; do echo "google/protobuf/$k.proto"; done)
# shellcheck disable=SC2086
protoc --plugin="${BUILD:-build}/protoc-gen-mote" -I tests/json -I /usr/include --mote_out="$out" --mote_opt=runtime=,json \
    json.proto $known
