#!/bin/sh
# Writes the generated files of this folder again: grpc/services/generate.sh [FOLDER], from the root.
set -eu
out=${1:-grpc/services}
write() { # write PREFIX FILES...
    prefix=$1
    shift
    protoc --plugin="${BUILD:-build}/protoc-gen-mote" -I grpc/services --mote_out="$out" \
        --mote_opt="runtime=../..,prefix=$prefix,server,descriptors" "$@"
}
write mote health.proto reflection.proto
write mote_v1alpha reflection_v1alpha.proto
