/* Set-up of a connection in one span of memory. */
#include "../h2/rest.h"
#include "../hpack/mote_apart.h"
#include "grpc_internal.h"
#include "rest.h"

#include <string.h>

#ifdef MOTE_RED_ZONES
void __asan_poison_memory_region(void const volatile *at, size_t size); /* of its runtime */
void __asan_unpoison_memory_region(void const volatile *at, size_t size);
#define FORBID(at, size) __asan_poison_memory_region(at, size)
#define PERMIT(at, size) __asan_unpoison_memory_region(at, size)
#else
#define FORBID(at, size) ((void)0)
#define PERMIT(at, size) ((void)0)
#endif

/* Whether the memory is enough: MOTE_GRPC_MEMORY(), in which each call takes the same. No size is
 * so large that a sum wraps, and what all calls take together is not added up. */
static bool memory_fits(const mote_grpc_config *c, size_t memory_size)
{
    uint32_t sizes = c->rx_size | c->tx_size | c->table_size | c->field_size | c->user_size;
    size_t once = MOTE_GRPC_MEMORY(0, 0, c->tx_size, c->table_size, c->field_size, c->slots, 0);
    size_t each = MOTE_GRPC_MEMORY(1, c->rx_size, 0, 0, 0, 0, c->user_size) -
                  MOTE_GRPC_MEMORY(0, 0, 0, 0, 0, 0, 0);

    return sizes <= MOTE_GRPC_SIZE_MAX && once <= memory_size &&
           (memory_size - once) / each >= c->max_calls;
}

/* The next of the bytes at *at, which are enough; behind them a red zone, where there are such. */
static void *take(uint8_t **at, size_t bytes)
{
    uint8_t *p = *at;

    *at += MOTE_GRPC_ALIGN(bytes) + MOTE_GRPC_RED_ZONE;
    FORBID(p + bytes, (size_t)(*at - p) - bytes);
    return p;
}

/* Calls that are prepared before they are used. */
static size_t prepared(const mote_grpc_config *c)
{
    return MOTE_HAS_MANY_CALLS && MOTE_GRPC_RED_ZONE == 0 ? 1 : c->max_calls;
}

/* What each call touches lies side by side; buffers stay empty as a rule. Where there are many
 * calls, each gets its parts when it is used first: what never is takes no page. */
static MOTE_SMALL_INLINE void take_calls(mote_grpc *g, uint8_t **at)
{
    size_t count = g->config->max_calls;
    size_t user_size = MOTE_GRPC_ALIGN((size_t)g->config->user_size) + MOTE_GRPC_RED_ZONE;
    size_t place = MOTE_GRPC_ALIGN((size_t)g->config->rx_size) + MOTE_GRPC_RED_ZONE;
    size_t rx_size = place + MOTE_GRPC_PLACE + MOTE_GRPC_RED_ZONE;

    g->calls = take(at, count * sizeof(mote_grpc_call));
    memset(g->calls, 0, prepared(g->config) * sizeof(mote_grpc_call));
    uint8_t *user = take(at, count * user_size);
    uint8_t *rx = *at;
    count = prepared(g->config);
    for (mote_grpc_call *call = g->calls; count > 0; count--, call++) {
        call->user = user;
        call->rx = rx;
        FORBID(user + g->config->user_size, user_size - g->config->user_size);
        FORBID(rx + g->config->rx_size, place - g->config->rx_size);
        FORBID(rx + place + MOTE_GRPC_PLACE, rx_size - place - MOTE_GRPC_PLACE);
        user += user_size;
        rx += rx_size;
    }
}

void *mote_grpc_place_of(const mote_grpc_call *call)
{
    return MOTE_GRPC_PLACE > 0
               ? call->rx + MOTE_GRPC_ALIGN(call->grpc->config->rx_size) + MOTE_GRPC_RED_ZONE
               : NULL;
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

/* A server on a host knows header blocks again, unless the config says otherwise. */
static const mote_hpack_dynamic *table_of(const mote_grpc_config *config)
{
#if MOTE_HAS_REPEATS
    if (MOTE_GRPC_REPEATS > 0 && config->server && !config->dynamic)
        return &mote_h2_repeating_table;
#endif
    return config->dynamic;
}

/* Bytes of the scratch. */
static size_t scratch_room(const mote_h2_config *h)
{
#if MOTE_HAS_REPEATS
    if (h->dynamic == &mote_h2_repeating_table)
        return MOTE_H2_REPEATS_AT(h->scratch_size) + MOTE_H2_REPEATS_SIZE;
#endif
    return h->scratch_size;
}

/* Where the parts of its memory lie, one behind the other. */
static MOTE_SMALL_INLINE void lay_out(mote_grpc *g, mote_h2_config *h, void *memory)
{
    const mote_grpc_config *config = g->config;
    uint8_t *at = memory;

    h->dynamic = table_of(config);
    h->scratch_size = config->field_size;
    h->streams = take(&at, config->max_calls * sizeof(mote_h2_stream));
    h->slots = take(&at, config->slots * sizeof(mote_hpack_slot));
    h->table = take(&at, MOTE_HPACK_TABLE_MEMORY(config->table_size));
    h->tx = take(&at, config->tx_size);
    h->scratch = take(&at, scratch_room(h));
    take_calls(g, &at);
}

int mote_grpc_init(mote_grpc *g, const mote_grpc_config *config, void *memory, size_t memory_size)
{
    mote_h2_config h = {0};

    MOTE_CHECK_THAT(mote_grpc_sorted(config));
    memset(g, 0, sizeof *g);
    g->config = config;
    if (config->max_calls == 0 || config->rx_size < MOTE_GRPC_RX_MIN ||
        (!MOTE_SERVES(config) && !config->authority.name) || !memory ||
        !memory_fits(config, memory_size))
        return MOTE_GRPC_ERR_CONFIG;
    if (!MOTE_COMPRESSES && config->codecs)
        return MOTE_GRPC_ERR_CONFIG;
    if (MOTE_SENDS_METADATA && !MOTE_SERVES(config) && !mote_grpc_speaks(config))
        return MOTE_GRPC_ERR_CONFIG;
    if (MOTE_SERVES(config) && config->door &&
        (!MOTE_HAS_DOOR || config->user_size < config->door->protocol->state_size))
        return MOTE_GRPC_ERR_CONFIG;
    PERMIT(memory, memory_size);
    h.server = config->server;
    h.blank_ends = !config->strict;
    h.quiet = !(MOTE_HAS_DOOR && config->door); /* of a server: a door looks at the host */
    h.stream_count = config->max_calls;
    h.tx_size = config->tx_size;
    h.coder = config->coder;
    h.table_size = config->table_size;
    h.slot_count = config->slots;
    h.initial_window = config->rx_size;
    h.connection_window = config->connection_window;
    h.budget = config->budget;
    lay_out(g, &h, memory);
    int r = mote_h2_init(&g->h2, &h);
    g->next_deadline_ms = UINT64_MAX;
    return r;
}

void mote_grpc_lend(mote_grpc *g, void *loan)
{
    mote_h2_config h = {0};

    lay_out(g, &h, loan);
    mote_h2_lend(&g->h2, &h);
}

void mote_grpc_shutdown(mote_grpc *g)
{
    mote_h2_shutdown(&g->h2);
}
