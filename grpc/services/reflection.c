/* grpc.reflection: answers from descriptors in flash. A response is encoded straight from them. */
#include "reflection_internal.h"
#include "reflection.mote.h"
#include "services.h"

#include <string.h>

enum { MOST_SERVICES = 32, MOST_FILES = 64 };

static bool text_equals(mote_pb_string s, const char *text)
{
    mote_pb_string t = mote_pb_cstring(text);

    return s.len == t.len && memcmp(s.data, t.data, s.len) == 0;
}

/* Calls `matches` for each file, what it imports behind it; the first that does, or NULL. Files are
 * visited breadth first, so there is no recursion; of a very large set the rest is not found. */
typedef bool file_test(const mote_pb_file *file, mote_pb_string name);

static const mote_pb_file *find_file(const mote_reflection *r, file_test *matches,
                                     mote_pb_string name)
{
    const mote_pb_file *seen[MOST_FILES];
    size_t count = 0;

    for (size_t i = 0; i < r->file_count && count < MOST_FILES; i++)
        seen[count++] = r->files[i];
    for (size_t i = 0; i < count; i++) {
        if (matches(seen[i], name))
            return seen[i];
        for (const mote_pb_file *const *f = seen[i]->imports; *f && count < MOST_FILES; f++) {
            size_t k = 0;
            while (k < count && seen[k] != *f)
                k++;
            if (k == count)
                seen[count++] = *f;
        }
    }
    return NULL;
}

static bool has_name(const mote_pb_file *file, mote_pb_string name)
{
    return text_equals(name, file->name);
}

static bool has_symbol(const mote_pb_file *file, mote_pb_string name)
{
    if (name.len > 0 && name.data[0] == '.') { /* as in descriptors: fully qualified */
        name.data++;
        name.len--;
    }
    return mote_reflection_describes(file, name);
}

/* The same, once for a request: while its answer waits for room, call->owner says what was found.
 */
static const mote_pb_file *find_once(mote_grpc_call *call, file_test *matches, mote_pb_string name)
{
    static const mote_pb_file none;

    if (!call->owner) {
        const mote_pb_file *found = find_file(call->method->data, matches, name);
        call->owner = (void *)(uintptr_t)(found ? found : &none);
    }
    return call->owner == &none ? NULL : call->owner;
}

static int send_answer(mote_grpc_call *call, const mote_ServerReflectionResponse *response)
{
    return mote_ServerReflection_ServerReflectionInfo_write(call, response);
}

static int send_error(mote_grpc_call *call, mote_ServerReflectionResponse *response, int code,
                      const char *text)
{
    mote_ErrorResponse error = {code, mote_pb_cstring(text)};

    response->message_response.which = mote_ServerReflectionResponse_error_response;
    response->message_response.is.error_response = &error;
    return send_answer(call, response);
}

static int send_file(mote_grpc_call *call, mote_ServerReflectionResponse *response,
                     file_test *matches, mote_pb_string name)
{
    const mote_pb_file *file = find_once(call, matches, name);

    if (!file)
        return send_error(call, response, MOTE_GRPC_NOT_FOUND, "not found");
    mote_pb_bytes bytes = {file->bytes, file->len};
    mote_FileDescriptorResponse files = {{&bytes, 1}};
    response->message_response.which = mote_ServerReflectionResponse_file_descriptor_response;
    response->message_response.is.file_descriptor_response = &files;
    return send_answer(call, response);
}

static int send_services(mote_grpc_call *call, mote_ServerReflectionResponse *response)
{
    const mote_reflection *r = call->method->data;
    mote_ServiceResponse services[MOST_SERVICES];
    mote_ListServiceResponse list = {{services, 0}};

    for (size_t i = 0; i < r->service_count && i < MOST_SERVICES; i++) {
        services[i].name = mote_pb_cstring(r->services[i].name);
        list.service.count++;
    }
    response->message_response.which = mote_ServerReflectionResponse_list_services_response;
    response->message_response.is.list_services_response = &list;
    return send_answer(call, response);
}

/* The descriptors have no extensions of known messages to tell of. */
static int send_extensions(mote_grpc_call *call, mote_ServerReflectionResponse *response,
                           mote_pb_string type)
{
    mote_ExtensionNumberResponse none = {.base_type_name = type};

    if (!find_once(call, has_symbol, type))
        return send_error(call, response, MOTE_GRPC_NOT_FOUND, "not found");
    response->message_response.which = mote_ServerReflectionResponse_all_extension_numbers_response;
    response->message_response.is.all_extension_numbers_response = &none;
    return send_answer(call, response);
}

static int answer_request(mote_grpc_call *call, const mote_ServerReflectionRequest *request)
{
    mote_ServerReflectionResponse response = {.valid_host = request->host,
                                              .original_request = request};

    switch (request->message_request.which) {
    case mote_ServerReflectionRequest_file_by_filename:
        return send_file(call, &response, has_name, request->message_request.is.file_by_filename);
    case mote_ServerReflectionRequest_file_containing_symbol:
        return send_file(call, &response, has_symbol,
                         request->message_request.is.file_containing_symbol);
    case mote_ServerReflectionRequest_all_extension_numbers_of_type:
        return send_extensions(call, &response,
                               request->message_request.is.all_extension_numbers_of_type);
    case mote_ServerReflectionRequest_list_services:
        return send_services(call, &response);
    case mote_ServerReflectionRequest_file_containing_extension:
        return send_error(call, &response, MOTE_GRPC_NOT_FOUND, "not found");
    default:
        return send_error(call, &response, MOTE_GRPC_INVALID_ARGUMENT, "no request is set");
    }
}

int mote_reflection_info(mote_grpc_call *call, const mote_grpc_event *ev)
{
    uint64_t memory[16]; /* of an ExtensionRequest */
    mote_ServerReflectionRequest request;
    mote_pb_arena arena;

    if (ev->type == MOTE_GRPC_HALF_CLOSE)
        return mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    mote_pb_arena_init(&arena, memory, sizeof memory);
    if (mote_ServerReflection_ServerReflectionInfo_read(ev, &request, &arena) < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    int r = answer_request(call, &request);
    if (r != MOTE_AGAIN)
        call->owner = NULL;
    return r;
}
