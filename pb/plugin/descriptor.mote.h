/* What the generator reads of google/protobuf/descriptor.proto and compiler/plugin.proto: all other
 * fields are skipped. */
#ifndef DESCRIPTOR_MOTE_H
#define DESCRIPTOR_MOTE_H

#include "../pb.h"

typedef struct DescriptorProto DescriptorProto;

/* clang-format off */
typedef struct { uint32_t field_presence, enum_type, repeated_field_encoding, utf8_validation, message_encoding; } FeatureSet;
typedef struct { const FeatureSet *features; } FileOptions;
typedef struct { bool map_entry; const FeatureSet *features; } MessageOptions;
typedef struct { mote_pb_opt_bool packed; const FeatureSet *features; } FieldOptions;
typedef struct { const FeatureSet *features; } EnumOptions;

typedef struct {
    mote_pb_string name;
    int32_t number, label, type;
    mote_pb_string type_name;
    mote_pb_opt_string default_value;
    const FieldOptions *options;
    mote_pb_opt_int32 oneof_index;
    mote_pb_string json_name;
    bool proto3_optional;
} FieldDescriptorProto;

typedef struct { mote_pb_string name; } OneofDescriptorProto;
typedef struct { mote_pb_string name; int32_t number; } EnumValueDescriptorProto;
typedef struct {
    mote_pb_string name;
    struct { const EnumValueDescriptorProto *items; size_t count; } value;
    const EnumOptions *options;
} EnumDescriptorProto;

struct DescriptorProto {
    mote_pb_string name;
    struct { const FieldDescriptorProto *items; size_t count; } field;
    struct { const DescriptorProto *items; size_t count; } nested_type;
    struct { const EnumDescriptorProto *items; size_t count; } enum_type;
    const MessageOptions *options;
    struct { const OneofDescriptorProto *items; size_t count; } oneof_decl;
};

typedef struct { int32_t idempotency_level; } MethodOptions;
typedef struct { mote_pb_string name, input_type, output_type; const MethodOptions *options; bool client_streaming, server_streaming; } MethodDescriptorProto;
typedef struct {
    mote_pb_string name;
    struct { const MethodDescriptorProto *items; size_t count; } method;
} ServiceDescriptorProto;

typedef struct { mote_pb_list_int32 path; mote_pb_string leading_comments, trailing_comments; } Location;
typedef struct { struct { const Location *items; size_t count; } location; } SourceCodeInfo;

typedef struct {
    mote_pb_string name, package;
    mote_pb_list_string dependency;
    mote_pb_list_int32 public_dependency;
    struct { const DescriptorProto *items; size_t count; } message_type;
    struct { const EnumDescriptorProto *items; size_t count; } enum_type;
    struct { const ServiceDescriptorProto *items; size_t count; } service;
    const FileOptions *options;
    const SourceCodeInfo *source_code_info;
    mote_pb_string syntax;
    int32_t edition;
} FileDescriptorProto;

typedef struct {
    mote_pb_list_string file_to_generate;
    mote_pb_string parameter;
    struct { const FileDescriptorProto *items; size_t count; } proto_file;
} CodeGeneratorRequest;

typedef struct { mote_pb_string name, content; } GeneratedFile;
typedef struct {
    mote_pb_string error;
    uint64_t supported_features;
    int32_t minimum_edition, maximum_edition;
    struct { const GeneratedFile *items; size_t count; } file;
} CodeGeneratorResponse;
/* clang-format on */

extern const mote_pb_decoder CodeGeneratorRequest_decoder;
extern const mote_pb_encoder CodeGeneratorResponse_encoder;

#endif
