/* Services: typed calls of a client, and the table of a server. */
#include "generator.h"

#include <string.h>

typedef struct {
    const char *name; /* package_Service_Method */
    const char *request, *response;
    char *encode_request, *decode_request, *encode_response, *decode_response; /* coders */
    const MethodDescriptorProto *proto;
} method;

static method plan_method(const FileDescriptorProto *file, const ServiceDescriptorProto *s,
                          size_t i)
{
    const MethodDescriptorProto *p = &s->method.items[i];
    char *who = format("%.*s: %.*s.%.*s", S(file->name), S(s->name), S(p->name));

    const type *request = find_type(p->input_type, who);
    const type *response = find_type(p->output_type, who);

    return (method){.name = source_of(file)->methods[s - file->service.items][i],
                    .request = request->c_name,
                    .response = response->c_name,
                    .encode_request = format("%s_encoder", request->c_name),
                    .decode_request = format("%s_decoder", request->c_name),
                    .encode_response = format("%s_encoder", response->c_name),
                    .decode_response = format("%s_decoder", response->c_name),
                    .proto = p};
}

/* ---- what sends ---------------------------------------------------------------------------- */

/* Two forms of a function that sends: the second one takes a walk, which large messages need. */
typedef struct {
    const char *suffix, *note, *parameter;
    bool is_large;
} form;

static const form forms[] = {
    {"", "", "", false},
    {"_large", " A large one: see mote_pb_walk.", ", mote_pb_walk *walk", true},
};

static size_t form_count(void)
{
    return opt.large ? 2 : 1;
}

/* A local variable that holds the message and its walk. */
static char *local_of(const form *f, const char *message)
{
    return f->is_large ? format("    const mote_pb_large large = {%s, walk};\n", message) : "";
}

/* The local variables for a message of an open call, which keeps the place where it goes on. */
static char *place_of(const form *f, const char *call, const char *encoder)
{
    if (f->is_large)
        return local_of(f, "message");
    return format(
        "    const mote_pb_resumed part_place = {&%s, (mote_pb_place *)mote_grpc_place(%s)};\n"
        "    const mote_grpc_source part_source = {mote_pb_resume_part, mote_pb_strerror, "
        "&part_place};\n\n",
        encoder, call);
}

/* The source that a message of this form is sent from. */
static char *source_of_form(const form *f, const char *name, const char *what)
{
    return f->is_large ? format("&%s%s_%s", name, f->suffix, what)
                       : format("MOTE_GRPC_PLACE > 0 ? &part_source : &%s_%s", name, what);
}

static const char *sent_of(const form *f, const char *message)
{
    return f->is_large ? "&large" : message;
}

/* The end of the body. At a client the call ends when the rest of a message cannot follow its first
 * part. */
static char *result_of(const form *f, const char *sending)
{
    if (!f->is_large)
        return format("    return %s;\n", sending);
    return format("    int r = %s;\n\n"
                  "    if (r == MOTE_PB_ERR_CHANGED)\n"
                  "        mote_grpc_abandon(call, MOTE_GRPC_INTERNAL, mote_pb_strerror(r));\n"
                  "    return r;\n",
                  sending);
}

/* ---- client -------------------------------------------------------------------------------- */

static void put_start(text *t, const method *m)
{
    text_add(t,
             "/* Starts a call; path of the options is set here. 0 or an error. */\n"
             "static inline int %s_start(mote_channel *channel, mote_grpc_request options,\n"
             "                           mote_grpc_call **call)\n"
             "{\n"
             "    options.path = &%s_path;\n"
             "    return mote_channel_start(channel, &options, call);\n"
             "}\n\n",
             m->name, m->name);
}

/* A function that sends a message of an open call: its comment, its verb and its body. */
static void put_sender(text *t, const method *m, const form *f, const char *note, const char *verb,
                       const char *message, const char *body)
{
    text_add(t,
             "/* %s%s */\n"
             "static inline int %s_%s%s(mote_grpc_call *call, const %s *message%s)\n"
             "{\n"
             "%s"
             "}\n\n",
             note, f->note, m->name, verb, f->suffix, message, f->parameter, body);
}

/* The body of a function that sends a request by `function` of the library. */
static char *request_body(const method *m, const form *f, const char *function)
{
    char *sending = format("%s(call, %s, %s, 0)", function, source_of_form(f, m->name, "request"),
                           sent_of(f, "message"));

    return format("%s%s", place_of(f, "call", m->encode_request), result_of(f, sending));
}

static void put_send(text *t, const method *m, const form *f)
{
    put_sender(t, m, f, "Sends a message and waits for flow control. 0, or < 0: the call is over.",
               "send", m->request, request_body(m, f, "mote_channel_send"));
}

/* A function that reads the message of an event. */
static void put_reader(text *t, const method *m, const char *note, const char *verb,
                       const char *message, const char *decoder)
{
    text_add(t,
             "/* %s */\n"
             "static inline int %s_%s(const mote_grpc_event *ev, %s *message,\n"
             "                          mote_pb_arena *arena)\n"
             "{\n"
             "    return mote_pb_decode(&%s, message, ev->data, ev->len, arena, NULL);\n"
             "}\n\n",
             note, m->name, verb, message, decoder);
}

static void put_finish(text *t, const method *m)
{
    text_add(
        t,
        "/* Ends the stream of requests and waits for the response. */\n"
        "static inline mote_status %s_finish(mote_grpc_call *call, %s *response,\n"
        "                                    mote_pb_arena *arena)\n"
        "{\n"
        "    const uint8_t *data;\n"
        "    size_t len;\n"
        "    mote_status status = mote_channel_collect(call, &data, &len);\n"
        "    int r = 0;\n\n"
        "    if (status.code == MOTE_GRPC_OK)\n"
        "        r = mote_pb_decode(&%s, response, data, len, arena, NULL);\n"
        "    return r < 0 ? mote_status_of(MOTE_GRPC_INTERNAL, mote_pb_strerror(r)) : status;\n"
        "}\n\n",
        m->name, m->response, m->decode_response);
}

static void put_recv(text *t, const method *m)
{
    text_add(t,
             "/* Waits for the next message: 1; 0: the call has ended, with *status; < 0: so it "
             "has, as a\n"
             " * message cannot be decoded. */\n"
             "static inline int %s_recv(mote_grpc_call *call, %s *message,\n"
             "                          mote_pb_arena *arena, mote_status *status)\n"
             "{\n"
             "    mote_grpc_event ev;\n\n"
             "    do\n"
             "        mote_channel_recv(call, &ev);\n"
             "    while (ev.type != MOTE_GRPC_MESSAGE && ev.type != MOTE_GRPC_STATUS);\n"
             "    if (ev.type == MOTE_GRPC_STATUS) {\n"
             "        *status = mote_status_of_event(&ev);\n"
             "        return 0;\n"
             "    }\n"
             "    int r = mote_pb_decode(&%s, message, ev.data, ev.len, arena, NULL);\n"
             "    if (r >= 0)\n"
             "        return 1;\n"
             "    mote_channel_cancel(call);\n"
             "    mote_channel_finish(call);\n"
             "    *status = mote_status_of(MOTE_GRPC_INTERNAL, mote_pb_strerror(r));\n"
             "    return r;\n"
             "}\n\n",
             m->name, m->response, m->decode_response);
}

static void put_unary(text *t, const method *m, const form *f)
{
    text_add(
        t,
        "/* One request, one response.%s */\n"
        "static inline mote_status %s%s(mote_channel *channel, mote_grpc_request options,\n"
        "                             const %s *request, %s *response, mote_pb_arena *arena%s)\n"
        "{\n"
        "%s"
        "    const uint8_t *data;\n"
        "    size_t len;\n"
        "    int r = 0;\n\n"
        "    options.path = &%s_path;\n"
        "    mote_status status = mote_channel_unary(channel, &options, &%s%s_request, %s,\n"
        "                                            &data, &len);\n"
        "    if (status.code == MOTE_GRPC_OK)\n"
        "        r = mote_pb_decode(&%s, response, data, len, arena, NULL);\n"
        "    return r < 0 ? mote_status_of(MOTE_GRPC_INTERNAL, mote_pb_strerror(r)) : status;\n"
        "}\n\n",
        f->note, m->name, f->suffix, m->request, m->response, f->parameter, local_of(f, "request"),
        m->name, m->name, f->suffix, sent_of(f, "request"), m->decode_response);
}

static void put_request_call(text *t, const method *m, const form *f)
{
    text_add(t,
             "/* Starts a call with its only request. 0 or an error.%s */\n"
             "static inline int %s_call%s(mote_channel *channel, mote_grpc_request options,\n"
             "                          const %s *request, mote_grpc_call **call%s)\n"
             "{\n"
             "%s"
             "    int r = %s_start(channel, options, call);\n\n"
             "    if (r == 0)\n"
             "        mote_channel_send(*call, &%s%s_request, %s, "
             "MOTE_GRPC_LAST);\n"
             "    return r;\n"
             "}\n\n",
             f->note, m->name, f->suffix, m->request, f->parameter, local_of(f, "request"), m->name,
             m->name, f->suffix, sent_of(f, "request"));
}

/* For clients with an event loop, which do not block. */
static void put_offer(text *t, const method *m, const form *f)
{
    put_sender(t, m, f, "Without a channel: sends a request. 0, MOTE_AGAIN (not now) or an error.",
               "offer", m->request, request_body(m, f, "mote_grpc_send"));
}

static void put_take(text *t, const method *m)
{
    put_reader(t, m,
               "Without a channel: a response that an event carries, as a struct. 0 or an error.",
               "take", m->response, m->decode_response);
}

static void put_client(text *t, const method *m)
{
    const MethodDescriptorProto *p = m->proto;

    put_start(t, m);
    for (size_t i = 0; i < form_count(); i++)
        put_offer(t, m, &forms[i]);
    put_take(t, m);
    for (size_t i = 0; p->client_streaming && i < form_count(); i++)
        put_send(t, m, &forms[i]);
    if (!p->server_streaming)
        put_finish(t, m);
    else
        put_recv(t, m);
    for (size_t i = 0; !p->client_streaming && i < form_count(); i++) {
        if (p->server_streaming)
            put_request_call(t, m, &forms[i]);
        else
            put_unary(t, m, &forms[i]);
    }
}

/* ---- server -------------------------------------------------------------------------------- */

static void put_read(text *t, const method *m)
{
    put_reader(t, m, "A handler's MOTE_GRPC_MESSAGE as a struct: 0, or an error to be returned.",
               "read", m->request, m->decode_request);
}

/* The same for a response. */
static char *response_body(const method *m, const form *f, const char *function, const char *flags)
{
    return format("%s    return %s(call, %s, %s%s);\n", place_of(f, "call", m->encode_response),
                  function, source_of_form(f, m->name, "response"), sent_of(f, "message"), flags);
}

static void put_write(text *t, const method *m, const form *f)
{
    put_sender(t, m, f, "Sends a response: 0, MOTE_AGAIN or an error, all of them to be returned.",
               "write", m->response, response_body(m, f, "mote_grpc_send", ", 0"));
}

static void put_answer(text *t, const method *m, const form *f)
{
    put_sender(t, m, f,
               "Sends the response and ends the call with OK, both or neither: 0, MOTE_AGAIN or an "
               "error,\n * all of them to be returned.",
               "answer", m->response, response_body(m, f, "mote_grpc_answer", ""));
}

static void put_server(text *t, const method *m)
{
    put_read(t, m);
    for (size_t i = 0; i < form_count(); i++)
        put_write(t, m, &forms[i]);
    for (size_t i = 0; !m->proto->server_streaming && i < form_count(); i++)
        put_answer(t, m, &forms[i]);
}

/* The methods in the order of their names' bytes, as mote_grpc_service.sorted has it. */
static size_t *sort_methods(const ServiceDescriptorProto *s)
{
    size_t *order = allocate(s->method.count * sizeof *order);

    for (size_t i = 0; i < s->method.count; i++) {
        size_t at = i;
        for (; at > 0 &&
               view_compare(s->method.items[i].name, s->method.items[order[at - 1]].name) < 0;
             at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return order;
}

static void put_method(text *t, const MethodDescriptorProto *p, const char *handler)
{
    text_add(t, "    {\"%.*s\", (%s), NULL, mote_pb_strerror, NULL, %s, %s}, \\\n", S(p->name),
             handler, p->client_streaming ? "false" : "true",
             p->server_streaming ? "false" : "true");
}

static void put_method_table(text *t, const FileDescriptorProto *file,
                             const ServiceDescriptorProto *s)
{
    char *name = source_of(file)->services[s - file->service.items];
    char *full = format("%.*s%s%.*s", S(file->package), file->package.len ? "." : "", S(s->name));

    char **handlers = allocate(s->method.count * sizeof *handlers);
    map names = {0};

    text_add(t,
             "/* The methods of a server, from its handlers (NULL: UNIMPLEMENTED):\n"
             " *     static const mote_grpc_method methods[] = %s_METHODS(...);\n"
             " *     static const mote_grpc_service services[] = {%s_SERVICE(methods)}; */\n",
             name, name);
    text_add(t, "#define %s_METHODS(", name);
    for (size_t i = 0; i < s->method.count; i++) {
        handlers[i] = unique_name(&names, c_member(s->method.items[i].name));
        text_add(t, "%s%s", i ? ", " : "", handlers[i]);
    }
    text_add(t, ") { \\\n");
    size_t *order = sort_methods(s);
    for (size_t i = 0; i < s->method.count; i++)
        put_method(t, &s->method.items[order[i]], handlers[order[i]]);
    text_add(t, "}\n#define %s_SERVICE(methods) {\"%s\", methods, %zu, true}\n\n", name, full,
             s->method.count);
}

/* ---- both ---------------------------------------------------------------------------------- */

/* For calls of the Connect protocol: the tables of each method's messages. */
static void put_connect_table(text *t, const FileDescriptorProto *file, size_t index)
{
    enum { NO_SIDE_EFFECTS = 1 };
    const ServiceDescriptorProto *s = &file->service.items[index];
    const char *name = source_of(file)->services[index], *dot = file->package.len ? "." : "";

    if (s->method.count > 0)
        text_add(t, "\nstatic const mote_connect_method %s_connect_methods[] = {\n", name);
    for (size_t i = 0; i < s->method.count; i++) {
        method m = plan_method(file, s, i);
        const MethodDescriptorProto *p = m.proto;
        bool streams = p->client_streaming || p->server_streaming;
        bool safe = p->options && p->options->idempotency_level == NO_SIDE_EFFECTS;
        text_add(t, "    {\"%.*s\", {&%s_json, &%s, &%s},\n     {&%s_json, &%s, &%s}, %s, %s},\n",
                 S(p->name), m.request, m.encode_request, m.decode_request, m.response,
                 m.encode_response, m.decode_response, streams ? "true" : "false",
                 safe ? "true" : "false");
    }
    if (s->method.count > 0)
        text_add(t, "};");
    text_add(t, "\nconst mote_connect_service %s_CONNECT = {\"%.*s%s%.*s\", ", name,
             S(file->package), dot, S(s->name));
    text_add(t, s->method.count > 0 ? "%s_connect_methods, %zu};\n" : "NULL, 0};\n", name,
             s->method.count);
}

void put_service_header(text *t, const FileDescriptorProto *file, size_t index)
{
    const ServiceDescriptorProto *s = &file->service.items[index];

    text_add(t, "\n/* ---- service %.*s */\n\n", S(s->name));
    put_comment(t, file, (int32_t[]){6, (int32_t)index}, 2, "");
    for (size_t i = 0; i < s->method.count; i++) {
        method m = plan_method(file, s, i);
        put_comment(t, file, (int32_t[]){6, (int32_t)index, 2, (int32_t)i}, 4, "");
        text_add(t,
                 "extern const mote_hpack_field %s_path;\n"
                 "extern const mote_grpc_source %s_request, %s_response;\n",
                 m.name, m.name, m.name);
        if (opt.large)
            text_add(t, "extern const mote_grpc_source %s_large_request, %s_large_response;\n",
                     m.name, m.name);
        text_add(t, "\n");
        if (opt.client)
            put_client(t, &m);
        if (opt.server)
            put_server(t, &m);
    }
    if (opt.server && s->method.count > 0)
        put_method_table(t, file, s);
    if (opt.connect)
        text_add(t,
                 "/* For a server's door (grpc/web/connect.h). */\n"
                 "extern const mote_connect_service %s_CONNECT;\n",
                 source_of(file)->services[index]);
}

static void put_source_of(text *t, const method *m, const form *f, const char *part,
                          const char *what, const char *encoder)
{
    text_add(t, "const mote_grpc_source %s%s_%s = {%s, mote_pb_strerror, &%s};\n", m->name,
             f->suffix, what, part, encoder);
}

void put_service_source(text *t, const FileDescriptorProto *file, size_t index)
{
    const ServiceDescriptorProto *s = &file->service.items[index];
    const char *dot = file->package.len ? "." : "";

    for (size_t i = 0; i < s->method.count; i++) {
        method m = plan_method(file, s, i);
        text_add(t,
                 "\nconst mote_hpack_field %s_path =\n    MOTE_HPACK_NAMED(4, \":path\", "
                 "\"/%.*s%s%.*s/%.*s\");\n",
                 m.name, S(file->package), dot, S(s->name), S(m.proto->name));
        for (size_t k = 0; k < form_count(); k++) {
            const char *part = forms[k].is_large ? "mote_pb_walk_part" : "mote_pb_encode_part";
            put_source_of(t, &m, &forms[k], part, "request", m.encode_request);
            put_source_of(t, &m, &forms[k], part, "response", m.encode_response);
        }
    }
    if (opt.connect)
        put_connect_table(t, file, index);
}
