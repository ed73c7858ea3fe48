#!/bin/sh
# Writes the generated files of the examples again: examples/generate.sh [FOLDER], from the root.
set -eu
out=${1:-examples}
for folder in tour services fleet device; do
    mkdir -p "$out/$folder"
    descriptors=
    [ $folder != device ] && [ $folder != fleet ] || descriptors=,descriptors
    protoc --plugin="${BUILD:-build}/protoc-gen-mote" -I examples/$folder --mote_out="$out/$folder" \
        --mote_opt="runtime=../..$descriptors" examples/$folder/*.proto
done
# Pages may watch the fleet, as JSON.
protoc --plugin="${BUILD:-build}/protoc-gen-mote" -I examples/fleet --mote_out="$out/fleet" --mote_opt="runtime=../..,connect" \
    examples/fleet/dashboard.proto
# Pages may watch prices, as JSON too.
protoc --plugin="${BUILD:-build}/protoc-gen-mote" -I examples/services --mote_out="$out/services" --mote_opt="runtime=../..,connect" \
    examples/services/prices.proto
