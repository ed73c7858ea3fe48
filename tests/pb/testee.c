/* conformance_testee: the other end of protobuf's conformance runner. Requests come on standard
 * input behind their length (4 bytes, little-endian), and go back decoded and encoded again, in the
 * wire format and in JSON. Text and JSPB are skipped. */
#include "conformance.mote.h"
#include "google/protobuf/any.mote.h"
#include "google/protobuf/duration.mote.h"
#include "google/protobuf/field_mask.mote.h"
#include "google/protobuf/struct.mote.h"
#include "google/protobuf/timestamp.mote.h"
#include "google/protobuf/test_messages_proto2.mote.h"
#include "google/protobuf/test_messages_proto3.mote.h"
#ifdef TEST_EDITIONS
#include "google/protobuf/test_messages_edition2023.mote.h"
#include "google/protobuf/test_messages_proto2_editions.mote.h"
#include "google/protobuf/test_messages_proto3_editions.mote.h"
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY = 1 << 26 };

typedef struct {
    const char *name;
    const mote_pb_encoder *encoder;
    const mote_pb_decoder *decoder;
    const mote_pb_json *json;
} known_type;

#define KNOWN(name) &name##_encoder, &name##_decoder, &name##_json

static const known_type known[] = {
    {"protobuf_test_messages.proto3.TestAllTypesProto3",
     KNOWN(protobuf_test_messages_proto3_TestAllTypesProto3)},
    {"protobuf_test_messages.proto2.TestAllTypesProto2",
     KNOWN(protobuf_test_messages_proto2_TestAllTypesProto2)},
#ifdef TEST_EDITIONS
    {"protobuf_test_messages.editions.proto3.TestAllTypesProto3",
     KNOWN(protobuf_test_messages_editions_proto3_TestAllTypesProto3)},
    {"protobuf_test_messages.editions.proto2.TestAllTypesProto2",
     KNOWN(protobuf_test_messages_editions_proto2_TestAllTypesProto2)},
    {"protobuf_test_messages.editions.TestAllTypesEdition2023",
     KNOWN(protobuf_test_messages_editions_TestAllTypesEdition2023)},
#endif
};

/* What an Any may hold. */
#define IN_ANY(name)                                                                               \
    {                                                                                              \
        &name##_json, &name##_encoder, &name##_decoder                                             \
    }
static const mote_pb_json_known in_any[] = {
    IN_ANY(protobuf_test_messages_proto3_TestAllTypesProto3),
    IN_ANY(protobuf_test_messages_proto2_TestAllTypesProto2),
#ifdef TEST_EDITIONS
    IN_ANY(protobuf_test_messages_editions_proto3_TestAllTypesProto3),
    IN_ANY(protobuf_test_messages_editions_proto2_TestAllTypesProto2),
#endif
    IN_ANY(google_protobuf_Any),
    IN_ANY(google_protobuf_Duration),
    IN_ANY(google_protobuf_FieldMask),
    IN_ANY(google_protobuf_Int32Value),
    IN_ANY(google_protobuf_ListValue),
    IN_ANY(google_protobuf_Struct),
    IN_ANY(google_protobuf_Timestamp),
    IN_ANY(google_protobuf_Value),
};
static mote_pb_json_options options = {in_any, sizeof in_any / sizeof in_any[0], false};

static const known_type *find_type(mote_pb_string name)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(known[i].name) == name.len && memcmp(known[i].name, name.data, name.len) == 0)
            return &known[i];
    }
    return NULL;
}

static void set_text(conformance_ConformanceResponse *response, uint32_t which, const char *text)
{
    response->result.which = which;
    response->result.is.skipped = mote_pb_cstring(text); /* all texts lie at the same place */
}

static void answer_wire(const known_type *type, const void *message,
                        conformance_ConformanceResponse *response)
{
    size_t len;

    if (mote_pb_size(type->encoder, message, &len) < 0) {
        set_text(response, conformance_ConformanceResponse_serialize_error, "nested too deeply");
        return;
    }
    uint8_t *out = malloc(len + 1);
    if (!out || mote_pb_encode(type->encoder, message, out, len, &len) < 0)
        abort();
    response->result.which = conformance_ConformanceResponse_protobuf_payload;
    response->result.is.protobuf_payload = (mote_pb_bytes){out, len};
}

static void answer_json(const known_type *type, const void *message,
                        conformance_ConformanceResponse *response, mote_pb_arena *arena)
{
    size_t len, again;
    int r = mote_pb_json_encode(type->json, message, &options, arena, NULL, 0, &len);

    if (r < 0 && r != MOTE_PB_ERR_SPACE) {
        set_text(response, conformance_ConformanceResponse_serialize_error,
                 mote_pb_json_strerror(r));
        return;
    }
    char *out = malloc(len + 1);
    if (!out || mote_pb_json_encode(type->json, message, &options, arena, out, len, &again) < 0 ||
        again != len)
        abort();
    response->result.which = conformance_ConformanceResponse_json_payload;
    response->result.is.json_payload = (mote_pb_string){out, len};
}

static bool names_extension(mote_pb_bytes json)
{
    for (size_t i = 1; i < json.len; i++) {
        if (json.data[i - 1] == '"' && json.data[i] == '[')
            return true;
    }
    return false;
}

static void answer(const conformance_ConformanceRequest *request,
                   conformance_ConformanceResponse *response, mote_pb_arena *arena)
{
    const known_type *type = find_type(request->message_type);
    mote_pb_bytes payload = request->payload.is.protobuf_payload; /* JSON lies at the same place */
    int r;

    if (request->message_type.len == 22 &&
        memcmp(request->message_type.data, "conformance.FailureSet", 22) ==
            0) { /* the runner asks what is expected to fail: nothing */
        response->result.which = conformance_ConformanceResponse_protobuf_payload;
        return;
    }
    bool is_json = request->payload.which == conformance_ConformanceRequest_json_payload;
    bool to_json = request->requested_output_format == conformance_WireFormat_JSON;
    if ((request->payload.which != conformance_ConformanceRequest_protobuf_payload && !is_json) ||
        (request->requested_output_format != conformance_WireFormat_PROTOBUF && !to_json) ||
        !type) {
        set_text(response, conformance_ConformanceResponse_skipped, "wire format and JSON only");
        return;
    }
    options.ignore_unknown =
        request->test_category == conformance_TestCategory_JSON_IGNORE_UNKNOWN_PARSING_TEST;
    void *message = calloc(1, type->decoder->type->size);
    if (!message)
        abort();
    if (is_json)
        r = mote_pb_json_decode(type->json, message, (const char *)payload.data, payload.len,
                                &options, arena, NULL);
    else
        r = mote_pb_decode(type->decoder, message, payload.data, payload.len, arena, NULL);
    if (r == MOTE_PB_JSON_ERR_NAME && names_extension(payload))
        set_text(response, conformance_ConformanceResponse_skipped, "extensions have no names");
    else if (r < 0)
        set_text(response, conformance_ConformanceResponse_parse_error, mote_pb_json_strerror(r));
    else if (to_json)
        answer_json(type, message, response, arena);
    else
        answer_wire(type, message, response);
    free(message);
}

static int serve_one(void)
{
    static uint8_t memory[MEMORY];
    uint8_t prefix[4];
    conformance_ConformanceRequest request;
    conformance_ConformanceResponse response = {0};
    mote_pb_arena arena;
    size_t len;

    if (fread(prefix, 1, 4, stdin) != 4)
        return 0;
    len = prefix[0] | (size_t)prefix[1] << 8 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 24;
    uint8_t *in = malloc(len + 1), *out;
    if (!in || fread(in, 1, len, stdin) != len)
        return -1;
    mote_pb_arena_init(&arena, memory, sizeof memory);
    if (conformance_ConformanceRequest_decode(&request, in, len, &arena) < 0)
        return -1;
    answer(&request, &response, &arena);
    conformance_ConformanceResponse_size(&response, &len);
    out = malloc(len + 1);
    if (!out || conformance_ConformanceResponse_encode(&response, out, len, &len) < 0)
        return -1;
    for (int i = 0; i < 4; i++)
        prefix[i] = (uint8_t)(len >> 8 * i);
    fwrite(prefix, 1, 4, stdout);
    fwrite(out, 1, len, stdout);
    fflush(stdout);
    if (response.result.which == conformance_ConformanceResponse_protobuf_payload ||
        response.result.which == conformance_ConformanceResponse_json_payload)
        free((void *)response.result.is.protobuf_payload.data);
    free(in);
    free(out);
    return 1;
}

int main(int argc, char **argv)
{
    int r;

    if (argc > 1 && strcmp(argv[1], "--help") == 0) { /* the runner gives arguments of its own */
        printf("conformance_testee: answers protobuf's conformance_test_runner on standard input "
               "and output; no options\n");
        return 0;
    }
    while ((r = serve_one()) > 0)
        ;
    if (r < 0)
        fprintf(stderr, "conformance_testee: error: the request cannot be read\n");
    return r < 0;
}
