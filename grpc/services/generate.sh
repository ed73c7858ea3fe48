#!/bin/sh
# Writes the generated files of this folder again: grpc/services/generate.sh [FOLDER], from the root.
set -eu
out=${1:-grpc/services}
alpha=$(mktemp -d)
trap 'rm -rf "$alpha"' EXIT
write() { # write OPTIONS FILES...
    options=$1
    shift
    protoc --plugin="${BUILD:-build}/protoc-gen-mote" -I grpc/services -I "$alpha" --mote_out="$out" \
        --mote_opt="runtime=../..,prefix=mote,$options" "$@"
}
write server,descriptors health.proto reflection.proto
# v1alpha is v1 by its older name.
sed 's/grpc\.reflection\.v1/&alpha/' grpc/services/reflection.proto >"$alpha/reflection_v1alpha.proto"
write descriptors_only reflection_v1alpha.proto
