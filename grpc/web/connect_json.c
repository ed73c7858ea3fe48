/* Between the JSON of a Connect call and the bytes of protobuf that its handler knows: through the
 * struct of the message, by the tables of both forms. */
#include "connect_internal.h"

#include <string.h>

static const mote_pb_json_options connect_unknown_skipped = {NULL, 0, true};

static const mote_pb_json_options *connect_json_options(const mote_grpc_call *call)
{
    const mote_connect_config *c = connect_config(call);

    return c->json ? c->json : &connect_unknown_skipped;
}

static size_t connect_rounded(size_t n)
{
    return (n + 7) / 8 * 8;
}

/* The struct of a message at the beginning of free memory; NULL: no room. */
static void *connect_place_struct(mote_pb_arena *arena, connect_half *free,
                                  const mote_pb_json *table)
{
    size_t size = connect_rounded(table->type->size);

    if (size > free->size)
        return NULL;
    mote_pb_arena_init(arena, free->memory + size, free->size - size);
    return free->memory;
}

/* ---- requests ------------------------------------------------------------------------------ */

static int json_to_wire(mote_grpc_call *call, mote_grpc_event *ev)
{
    const mote_pb_json_known *type = &mote_connect_method_of(call)->request;
    connect_half half = connect_request_half(connect_config(call));
    mote_pb_arena arena;
    void *message = connect_place_struct(&arena, &half, type->json);
    size_t len = 0;
    int r = message ? mote_pb_json_decode(type->json, message, (const char *)ev->data, ev->len,
                                          connect_json_options(call), &arena, NULL)
                    : MOTE_PB_ERR_ARENA;

    if (r < 0)
        return r;
    uint8_t *wire = arena.memory + arena.used;
    r = mote_pb_encode(type->encoder, message, wire, arena.size - arena.used, &len);
    ev->data = wire;
    ev->len = len;
    return r;
}

bool mote_connect_from_json(mote_grpc_call *call, mote_grpc_event *ev)
{
    int r = json_to_wire(call, ev);

    if (r == MOTE_PB_ERR_ARENA || r == MOTE_PB_ERR_SPACE)
        mote_grpc_door_fail(call, MOTE_GRPC_RESOURCE_EXHAUSTED,
                            MOTE_TEXT("JSON of the request is larger than half of the scratch"));
    else if (r < 0)
        mote_grpc_door_fail(call, MOTE_GRPC_INVALID_ARGUMENT, mote_pb_json_strerror(r));
    return r == 0;
}

/* ---- responses ----------------------------------------------------------------------------- */

int mote_connect_to_json(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                         connect_text *text)
{
    const mote_pb_json_known *type = &mote_connect_method_of(call)->response;
    connect_half half = connect_response_half(connect_config(call));
    const uint8_t *wire = half.memory;
    size_t len = 0;
    int r = source->write(source->type, message, 0, half.memory, half.size, &len);

    if (r < 0)
        return r;
    if (connect_rounded(len) > half.size)
        return MOTE_GRPC_ERR_LIMIT;
    half.memory += connect_rounded(len);
    half.size -= connect_rounded(len);
    void *it = connect_place_struct(&text->arena, &half, type->json);
    if (!it)
        return MOTE_GRPC_ERR_LIMIT;
    r = mote_pb_decode(type->decoder, it, wire, len, &text->arena, NULL);
    if (r == MOTE_PB_ERR_ARENA)
        return MOTE_GRPC_ERR_LIMIT;
    text->table = type->json;
    text->options = connect_json_options(call);
    text->message = it;
    text->event = connect_of(call)->form == CONNECT_EVENTS;
    return r;
}

/* The bytes [from, to) of a text, of which `at` bytes were put. */
typedef struct {
    uint8_t *out;
    size_t from, to, at;
} json_piece;

static void connect_put_piece(void *context, const char *text, size_t len)
{
    json_piece *p = context;
    size_t from = p->from > p->at ? p->from - p->at : 0;
    size_t to = p->to > p->at ? p->to - p->at : 0;

    to = to < len ? to : len;
    if (from < to)
        memcpy(p->out + (p->at + from - p->from), text + from, to - from);
    p->at += len;
}

/* A mote_grpc_source of a connect_text *. */
int mote_connect_write_json(const void *type, const void *message, size_t offset, uint8_t *out,
                            size_t cap, size_t *total)
{
    const connect_text *text = message;
    mote_pb_arena arena = text->arena;
    json_piece piece = {out, offset, offset + cap, 0};

    (void)type;
    if (text->event)
        connect_put_piece(&piece, "data: ", 6);
    int r = mote_pb_json_print(text->table, text->message, text->options, &arena, connect_put_piece,
                               &piece);
    if (text->event)
        connect_put_piece(&piece, "\n\n", 2);
    *total = piece.at;
    return r;
}
