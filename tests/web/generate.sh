#!/bin/sh
# Writes the generated files of this folder again: tests/web/generate.sh [FOLDER], from the root.
set -eu
out=${1:-tests/web}
protoc --plugin="${BUILD:-build}/protoc-gen-mote" -I tests/web --mote_out="$out" --mote_opt=runtime=,connect,server hello.proto
