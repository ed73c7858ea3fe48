#!/bin/sh
# Fetches Debian's source package of protobuf into $BUILD/protobuf with an apt folder of its own, so
# that the machine's package lists stay as they are, and builds its conformance runner.
set -eu
BUILD=${BUILD:-build}
W=$PWD/$BUILD/protobuf
[ -x "$W/conformance_test_runner" ] && exit 0
mkdir -p "$W/apt/lists/partial" "$W/apt/cache/archives/partial"
: >"$W/apt/sources.list"
# The mirrors that this machine uses, as sources.
if ls /etc/apt/sources.list.d/*.sources >/dev/null 2>&1; then
    cat /etc/apt/sources.list.d/*.sources | sed 's/^Types:.*/Types: deb-src/' >"$W/apt/src.sources"
fi
[ ! -s /etc/apt/sources.list ] || sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >"$W/apt/sources.list"
mkdir -p "$W/apt/parts"
[ ! -f "$W/apt/src.sources" ] || cp "$W/apt/src.sources" "$W/apt/parts/"
for list in /etc/apt/sources.list.d/*.list; do
    [ ! -f "$list" ] || sed -n 's/^deb /deb-src /p' "$list" >>"$W/apt/sources.list"
done
options="-o Dir::Etc::SourceList=$W/apt/sources.list -o Dir::Etc::SourceParts=$W/apt/parts
    -o Dir::State::Lists=$W/apt/lists -o Dir::Cache=$W/apt/cache -o Debug::NoLocking=1"
cd "$W"
# shellcheck disable=SC2086
apt-get $options update -qq
# shellcheck disable=SC2086
[ -d source ] || { apt-get $options source -qq --download-only protobuf && mkdir source &&
    tar xf protobuf_*.orig.tar.* -C source --strip-components=1; }
cd source
mkdir -p "$W/gen" "$W/obj"
protos="conformance/conformance.proto src/google/protobuf/test_messages_proto2.proto src/google/protobuf/test_messages_proto3.proto"
protoc -I conformance -I src --cpp_out="$W/gen" $protos
cat >"$W/rules.mk" <<'MK'
sources := conformance/conformance_test.cc conformance/conformance_test_runner.cc conformance/conformance_test_main.cc \
    conformance/binary_json_conformance_suite.cc conformance/text_format_conformance_suite.cc \
    conformance/third_party/jsoncpp/jsoncpp.cpp
generated := $(W)/gen/conformance.pb.cc $(W)/gen/google/protobuf/test_messages_proto2.pb.cc \
    $(W)/gen/google/protobuf/test_messages_proto3.pb.cc
objects := $(sources:%=$(W)/obj/%.o) $(generated:$(W)/gen/%=$(W)/obj/gen/%.o)
flags := -O0 -w -Iconformance -Iconformance/third_party/jsoncpp -I. -Isrc -I$(W)/gen
$(W)/conformance_test_runner: $(objects)
	g++ $^ -o $@ -lprotobuf -lpthread
$(W)/obj/gen/%.o: $(W)/gen/%
	@mkdir -p $(@D)
	g++ $(flags) -c $< -o $@
$(W)/obj/%.o: %
	@mkdir -p $(@D)
	g++ $(flags) -c $< -o $@
MK
make -s -j2 -f "$W/rules.mk" W="$W"
