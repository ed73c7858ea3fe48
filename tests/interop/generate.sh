#!/bin/sh
# Writes the generated files of this folder again: tests/interop/generate.sh [FOLDER], from the root.
set -eu
out=${1:-tests/interop}
protoc --plugin="${BUILD:-build}/protoc-gen-mote" -I tests/interop -I /usr/include --mote_out="$out" --mote_opt=runtime=,connect \
    interop.proto orca.proto orca_service.proto conformance.proto rpc_status.proto google/protobuf/duration.proto \
    google/protobuf/any.proto google/protobuf/empty.proto
