/* Tables of descriptor.mote.h. */
#include "descriptor.mote.h"

#define FIELD(T, number, wire, member, type, aux)                                                  \
    {                                                                                              \
        MOTE_PB_KEY(number, wire), offsetof(T, member), type, aux                                  \
    }

static const mote_pb_message DescriptorProto_table;

static const mote_pb_field FeatureSet_fields[] = {
    FIELD(FeatureSet, 1, 0, field_presence, MOTE_PB_ENUM_TYPE, 0),
    FIELD(FeatureSet, 2, 0, enum_type, MOTE_PB_ENUM_TYPE, 0),
    FIELD(FeatureSet, 3, 0, repeated_field_encoding, MOTE_PB_ENUM_TYPE, 0),
    FIELD(FeatureSet, 4, 0, utf8_validation, MOTE_PB_ENUM_TYPE, 0),
    FIELD(FeatureSet, 5, 0, message_encoding, MOTE_PB_ENUM_TYPE, 0),
};
static const mote_pb_message FeatureSet_table = {FeatureSet_fields, NULL, 5, sizeof(FeatureSet)};

static const mote_pb_field FileOptions_fields[] = {
    FIELD(FileOptions, 50, 2, features, MOTE_PB_MESSAGE, 0),
};
static const mote_pb_message *const FileOptions_subs[] = {&FeatureSet_table};
static const mote_pb_message FileOptions_table = {FileOptions_fields, FileOptions_subs, 1,
                                                  sizeof(FileOptions)};

static const mote_pb_field MessageOptions_fields[] = {
    FIELD(MessageOptions, 7, 0, map_entry, MOTE_PB_BOOL, 0),
    FIELD(MessageOptions, 12, 2, features, MOTE_PB_MESSAGE, 0),
};
static const mote_pb_message *const MessageOptions_subs[] = {&FeatureSet_table};
static const mote_pb_message MessageOptions_table = {MessageOptions_fields, MessageOptions_subs, 2,
                                                     sizeof(MessageOptions)};

static const mote_pb_field FieldOptions_fields[] = {
    FIELD(FieldOptions, 2, 0, packed, MOTE_PB_BOOL | MOTE_PB_OPTIONAL, 0),
    FIELD(FieldOptions, 21, 2, features, MOTE_PB_MESSAGE, 0),
};
static const mote_pb_message *const FieldOptions_subs[] = {&FeatureSet_table};
static const mote_pb_message FieldOptions_table = {FieldOptions_fields, FieldOptions_subs, 2,
                                                   sizeof(FieldOptions)};

static const mote_pb_field EnumOptions_fields[] = {
    FIELD(EnumOptions, 7, 2, features, MOTE_PB_MESSAGE, 0),
};
static const mote_pb_message *const EnumOptions_subs[] = {&FeatureSet_table};
static const mote_pb_message EnumOptions_table = {EnumOptions_fields, EnumOptions_subs, 1,
                                                  sizeof(EnumOptions)};

static const mote_pb_field FieldDescriptorProto_fields[] = {
    FIELD(FieldDescriptorProto, 1, 2, name, MOTE_PB_BYTES, 0),
    FIELD(FieldDescriptorProto, 3, 0, number, MOTE_PB_INT32, 0),
    FIELD(FieldDescriptorProto, 4, 0, label, MOTE_PB_ENUM_TYPE, 0),
    FIELD(FieldDescriptorProto, 5, 0, type, MOTE_PB_ENUM_TYPE, 0),
    FIELD(FieldDescriptorProto, 6, 2, type_name, MOTE_PB_BYTES, 0),
    FIELD(FieldDescriptorProto, 7, 2, default_value, MOTE_PB_BYTES | MOTE_PB_OPTIONAL, 0),
    FIELD(FieldDescriptorProto, 8, 2, options, MOTE_PB_MESSAGE, 0),
    FIELD(FieldDescriptorProto, 9, 0, oneof_index, MOTE_PB_INT32 | MOTE_PB_OPTIONAL, 0),
    FIELD(FieldDescriptorProto, 10, 2, json_name, MOTE_PB_BYTES, 0),
    FIELD(FieldDescriptorProto, 17, 0, proto3_optional, MOTE_PB_BOOL, 0),
};
static const mote_pb_message *const FieldDescriptorProto_subs[] = {&FieldOptions_table};
static const mote_pb_message FieldDescriptorProto_table = {
    FieldDescriptorProto_fields, FieldDescriptorProto_subs, 10, sizeof(FieldDescriptorProto)};

static const mote_pb_field OneofDescriptorProto_fields[] = {
    FIELD(OneofDescriptorProto, 1, 2, name, MOTE_PB_BYTES, 0),
};
static const mote_pb_message OneofDescriptorProto_table = {OneofDescriptorProto_fields, NULL, 1,
                                                           sizeof(OneofDescriptorProto)};

static const mote_pb_field EnumValueDescriptorProto_fields[] = {
    FIELD(EnumValueDescriptorProto, 1, 2, name, MOTE_PB_BYTES, 0),
    FIELD(EnumValueDescriptorProto, 2, 0, number, MOTE_PB_INT32, 0),
};
static const mote_pb_message EnumValueDescriptorProto_table = {
    EnumValueDescriptorProto_fields, NULL, 2, sizeof(EnumValueDescriptorProto)};

static const mote_pb_field EnumDescriptorProto_fields[] = {
    FIELD(EnumDescriptorProto, 1, 2, name, MOTE_PB_BYTES, 0),
    FIELD(EnumDescriptorProto, 2, 2, value, MOTE_PB_MESSAGE | MOTE_PB_REPEATED, 0),
    FIELD(EnumDescriptorProto, 3, 2, options, MOTE_PB_MESSAGE, 1),
};
static const mote_pb_message *const EnumDescriptorProto_subs[] = {&EnumValueDescriptorProto_table,
                                                                  &EnumOptions_table};
static const mote_pb_message EnumDescriptorProto_table = {
    EnumDescriptorProto_fields, EnumDescriptorProto_subs, 3, sizeof(EnumDescriptorProto)};

static const mote_pb_field DescriptorProto_fields[] = {
    FIELD(DescriptorProto, 1, 2, name, MOTE_PB_BYTES, 0),
    FIELD(DescriptorProto, 2, 2, field, MOTE_PB_MESSAGE | MOTE_PB_REPEATED, 0),
    FIELD(DescriptorProto, 3, 2, nested_type, MOTE_PB_MESSAGE | MOTE_PB_REPEATED, 1),
    FIELD(DescriptorProto, 4, 2, enum_type, MOTE_PB_MESSAGE | MOTE_PB_REPEATED, 2),
    FIELD(DescriptorProto, 7, 2, options, MOTE_PB_MESSAGE, 3),
    FIELD(DescriptorProto, 8, 2, oneof_decl, MOTE_PB_MESSAGE | MOTE_PB_REPEATED, 4),
};
static const mote_pb_message *const DescriptorProto_subs[] = {
    &FieldDescriptorProto_table, &DescriptorProto_table, &EnumDescriptorProto_table,
    &MessageOptions_table, &OneofDescriptorProto_table};
static const mote_pb_message DescriptorProto_table = {DescriptorProto_fields, DescriptorProto_subs,
                                                      6, sizeof(DescriptorProto)};

static const mote_pb_field MethodOptions_fields[] = {
    FIELD(MethodOptions, 34, 0, idempotency_level, MOTE_PB_ENUM_TYPE, 0),
};
static const mote_pb_message MethodOptions_table = {MethodOptions_fields, NULL, 1,
                                                    sizeof(MethodOptions)};

static const mote_pb_field MethodDescriptorProto_fields[] = {
    FIELD(MethodDescriptorProto, 1, 2, name, MOTE_PB_BYTES, 0),
    FIELD(MethodDescriptorProto, 2, 2, input_type, MOTE_PB_BYTES, 0),
    FIELD(MethodDescriptorProto, 3, 2, output_type, MOTE_PB_BYTES, 0),
    FIELD(MethodDescriptorProto, 4, 2, options, MOTE_PB_MESSAGE, 0),
    FIELD(MethodDescriptorProto, 5, 0, client_streaming, MOTE_PB_BOOL, 0),
    FIELD(MethodDescriptorProto, 6, 0, server_streaming, MOTE_PB_BOOL, 0),
};
static const mote_pb_message *const MethodDescriptorProto_subs[] = {&MethodOptions_table};
static const mote_pb_message MethodDescriptorProto_table = {
    MethodDescriptorProto_fields, MethodDescriptorProto_subs, 6, sizeof(MethodDescriptorProto)};

static const mote_pb_field ServiceDescriptorProto_fields[] = {
    FIELD(ServiceDescriptorProto, 1, 2, name, MOTE_PB_BYTES, 0),
    FIELD(ServiceDescriptorProto, 2, 2, method, MOTE_PB_MESSAGE | MOTE_PB_REPEATED, 0),
};
static const mote_pb_message *const ServiceDescriptorProto_subs[] = {&MethodDescriptorProto_table};
static const mote_pb_message ServiceDescriptorProto_table = {
    ServiceDescriptorProto_fields, ServiceDescriptorProto_subs, 2, sizeof(ServiceDescriptorProto)};

static const mote_pb_field Location_fields[] = {
    FIELD(Location, 1, 0, path, MOTE_PB_INT32 | MOTE_PB_PACKED, 0),
    FIELD(Location, 3, 2, leading_comments, MOTE_PB_BYTES, 0),
    FIELD(Location, 4, 2, trailing_comments, MOTE_PB_BYTES, 0),
};
static const mote_pb_message Location_table = {Location_fields, NULL, 3, sizeof(Location)};

static const mote_pb_field SourceCodeInfo_fields[] = {
    FIELD(SourceCodeInfo, 1, 2, location, MOTE_PB_MESSAGE | MOTE_PB_REPEATED, 0),
};
static const mote_pb_message *const SourceCodeInfo_subs[] = {&Location_table};
static const mote_pb_message SourceCodeInfo_table = {SourceCodeInfo_fields, SourceCodeInfo_subs, 1,
                                                     sizeof(SourceCodeInfo)};

static const mote_pb_field FileDescriptorProto_fields[] = {
    FIELD(FileDescriptorProto, 1, 2, name, MOTE_PB_BYTES, 0),
    FIELD(FileDescriptorProto, 2, 2, package, MOTE_PB_BYTES, 0),
    FIELD(FileDescriptorProto, 3, 2, dependency, MOTE_PB_BYTES | MOTE_PB_REPEATED, 0),
    FIELD(FileDescriptorProto, 4, 2, message_type, MOTE_PB_MESSAGE | MOTE_PB_REPEATED, 0),
    FIELD(FileDescriptorProto, 5, 2, enum_type, MOTE_PB_MESSAGE | MOTE_PB_REPEATED, 1),
    FIELD(FileDescriptorProto, 6, 2, service, MOTE_PB_MESSAGE | MOTE_PB_REPEATED, 2),
    FIELD(FileDescriptorProto, 8, 2, options, MOTE_PB_MESSAGE, 3),
    FIELD(FileDescriptorProto, 9, 2, source_code_info, MOTE_PB_MESSAGE, 4),
    FIELD(FileDescriptorProto, 10, 0, public_dependency, MOTE_PB_INT32 | MOTE_PB_REPEATED, 0),
    FIELD(FileDescriptorProto, 12, 2, syntax, MOTE_PB_BYTES, 0),
    FIELD(FileDescriptorProto, 14, 0, edition, MOTE_PB_ENUM_TYPE, 0),
};
static const mote_pb_message *const FileDescriptorProto_subs[] = {
    &DescriptorProto_table, &EnumDescriptorProto_table, &ServiceDescriptorProto_table,
    &FileOptions_table, &SourceCodeInfo_table};
static const mote_pb_message FileDescriptorProto_table = {
    FileDescriptorProto_fields, FileDescriptorProto_subs, 11, sizeof(FileDescriptorProto)};

static const mote_pb_field CodeGeneratorRequest_fields[] = {
    FIELD(CodeGeneratorRequest, 1, 2, file_to_generate, MOTE_PB_BYTES | MOTE_PB_REPEATED, 0),
    FIELD(CodeGeneratorRequest, 2, 2, parameter, MOTE_PB_BYTES, 0),
    FIELD(CodeGeneratorRequest, 15, 2, proto_file, MOTE_PB_MESSAGE | MOTE_PB_REPEATED, 0),
};
static const mote_pb_message *const CodeGeneratorRequest_subs[] = {&FileDescriptorProto_table};
static const mote_pb_message CodeGeneratorRequest_table = {
    CodeGeneratorRequest_fields, CodeGeneratorRequest_subs, 3, sizeof(CodeGeneratorRequest)};
const mote_pb_decoder CodeGeneratorRequest_decoder = MOTE_PB_DECODER(&CodeGeneratorRequest_table);

static const mote_pb_field GeneratedFile_fields[] = {
    FIELD(GeneratedFile, 1, 2, name, MOTE_PB_BYTES, 0),
    FIELD(GeneratedFile, 15, 2, content, MOTE_PB_BYTES, 0),
};
static const mote_pb_message GeneratedFile_table = {GeneratedFile_fields, NULL, 2,
                                                    sizeof(GeneratedFile)};

static const mote_pb_field CodeGeneratorResponse_fields[] = {
    FIELD(CodeGeneratorResponse, 1, 2, error, MOTE_PB_BYTES, 0),
    FIELD(CodeGeneratorResponse, 2, 0, supported_features, MOTE_PB_UINT64, 0),
    FIELD(CodeGeneratorResponse, 3, 0, minimum_edition, MOTE_PB_INT32, 0),
    FIELD(CodeGeneratorResponse, 4, 0, maximum_edition, MOTE_PB_INT32, 0),
    FIELD(CodeGeneratorResponse, 15, 2, file, MOTE_PB_MESSAGE | MOTE_PB_REPEATED, 0),
};
static const mote_pb_message *const CodeGeneratorResponse_subs[] = {&GeneratedFile_table};
static const mote_pb_message CodeGeneratorResponse_table = {
    CodeGeneratorResponse_fields, CodeGeneratorResponse_subs, 5, sizeof(CodeGeneratorResponse)};
const mote_pb_encoder CodeGeneratorResponse_encoder = MOTE_PB_ENCODER(&CodeGeneratorResponse_table);
