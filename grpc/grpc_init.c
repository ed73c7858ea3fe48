/* Set-up of a connection in one span of memory. */
#include "grpc_internal.h"

#include <string.h>

typedef struct {
    uint8_t *at;
    size_t left;
    bool ok;
} carver;

/* Of 64 bits, so that no product and no rounding wraps where size_t has 32. */
static void *carve(carver *c, uint64_t bytes)
{
    uint8_t *p = c->at;

    bytes = MOTE_GRPC_ALIGN(bytes);
    if (bytes > c->left) {
        c->ok = false;
        return NULL;
    }
    c->at += bytes;
    c->left -= (size_t)bytes;
    return p;
}

/* What each call touches lies side by side; buffers stay empty as a rule. */
static void carve_calls(mote_grpc *g, carver *c)
{
    size_t count = g->config->max_calls;
    uint64_t user_size = MOTE_GRPC_ALIGN((uint64_t)g->config->user_size);
    uint64_t rx_size = MOTE_GRPC_ALIGN((uint64_t)g->config->rx_size) + MOTE_GRPC_PLACE;

    g->calls = carve(c, count * sizeof(mote_grpc_call));
    uint8_t *user = carve(c, count * user_size);
    uint8_t *rx = carve(c, count * rx_size);
    if (!c->ok)
        return;
    memset(g->calls, 0, count * sizeof(mote_grpc_call));
    for (mote_grpc_call *call = g->calls; count > 0; count--, call++) {
        call->user = user;
        call->rx = rx;
        user += user_size;
        rx += rx_size;
    }
}

void *mote_grpc_place_of(const mote_grpc_call *call)
{
    return MOTE_GRPC_PLACE > 0 ? call->rx + MOTE_GRPC_ALIGN(call->grpc->config->rx_size) : NULL;
}

mote_hpack_field mote_grpc_authority(const char *text)
{
    mote_hpack_field f = MOTE_GRPC_AUTHORITY("");
    size_t same = 0;

    while (same < 5 && text[same] == "unix:"[same])
        same++;
    f.value = same == 5 ? "localhost" : text; /* a path is none (RFC 3986 3.2) */
    while (f.value[f.value_len] != '\0')
        f.value_len++;
    return f;
}

int mote_grpc_init(mote_grpc *g, const mote_grpc_config *config, void *memory, size_t memory_size)
{
    carver c = {memory, memory_size, memory != NULL};
    mote_h2_config h = {0};

    memset(g, 0, sizeof *g);
    g->config = config;
    if (config->max_calls == 0 || config->rx_size < MOTE_GRPC_RX_MIN ||
        (!MOTE_SERVES(config) && !config->authority.name))
        return MOTE_GRPC_ERR_CONFIG;
    if (!MOTE_COMPRESSES && config->codecs)
        return MOTE_GRPC_ERR_CONFIG;
    h.server = config->server;
    h.blank_ends = !config->strict;
    h.quiet = true; /* of a server */
    h.stream_count = config->max_calls;
    h.tx_size = config->tx_size;
    h.dynamic = config->dynamic;
    h.coder = config->coder;
    h.table_size = config->table_size;
    h.scratch_size = config->field_size;
    h.slot_count = config->slots;
    h.initial_window = config->rx_size;
    h.connection_window = config->connection_window;
    h.budget = config->budget;
    h.streams = carve(&c, h.stream_count * sizeof(mote_h2_stream));
    h.slots = carve(&c, h.slot_count * sizeof(mote_hpack_slot));
    h.table = carve(&c, MOTE_HPACK_TABLE_MEMORY((uint64_t)h.table_size));
    h.tx = carve(&c, h.tx_size);
    h.scratch = carve(&c, h.scratch_size);
    carve_calls(g, &c);
    if (!c.ok)
        return MOTE_GRPC_ERR_CONFIG;
    g->next_deadline_ms = UINT64_MAX;
    return mote_h2_init(&g->h2, &h);
}

void mote_grpc_shutdown(mote_grpc *g)
{
    mote_h2_shutdown(&g->h2);
}
