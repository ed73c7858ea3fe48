#!/bin/sh
# Writes the generated files of this folder again: grpc/services/generate.sh [FOLDER], from the root.
set -eu
out=${1:-grpc/services}
protoc --plugin="${BUILD:-build}/protoc-gen-mote" -I grpc/services --mote_out="$out" \
    --mote_opt=runtime=../..,prefix=mote,server,descriptors health.proto reflection.proto
