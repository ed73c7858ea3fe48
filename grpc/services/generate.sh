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
        --mote_opt="runtime=../..,$options" "$@"
}
write prefix=mote,server,descriptors health.proto reflection.proto
write prefix=mote_rpc rpc.proto
write prefix=mote_otlp,supplied=opentelemetry.proto.subset.ScopeItems.items otlp.proto
# v1alpha is v1 by its older name.
sed 's/grpc\.reflection\.v1/&alpha/' grpc/services/reflection.proto >"$alpha/reflection_v1alpha.proto"
write prefix=mote,descriptors_only reflection_v1alpha.proto
