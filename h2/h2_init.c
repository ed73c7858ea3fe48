/* Set-up: the config, and the preface (RFC 9113 3.4). */
#include "h2_internal.h"

#include <string.h>

const char mote_h2_preface[PREFACE_SIZE] = {'P',  'R',  'I', ' ', '*',  ' ',  'H',  'T',
                                            'T',  'P',  '/', '2', '.',  '0',  '\r', '\n',
                                            '\r', '\n', 'S', 'M', '\r', '\n', '\r', '\n'};

static bool span_ok(const void *p, size_t len, size_t min)
{
    return len >= min && (p || len == 0);
}

static bool config_ok(const mote_h2_config *g)
{
    return span_ok(g->streams, g->stream_count, 1) && g->stream_count <= UINT16_MAX &&
           span_ok(g->tx, g->tx_size, MOTE_H2_TX_MIN) &&
           (MOTE_CUTS || g->tx_size <= MOTE_H2_SMALL_TX_MAX) &&
           span_ok(g->table, g->table_size, 0) && g->table_size <= MOTE_H2_TABLE_MAX &&
           (g->dynamic || g->table_size == 0 || MOTE_SERVES(g)) &&
           span_ok(g->scratch, g->scratch_size, MOTE_H2_SCRATCH_MIN) &&
           span_ok(g->slots, g->slot_count, 0) && g->slot_count <= UINT16_MAX &&
           g->initial_window <= MOTE_H2_WINDOW_MAX && g->connection_window <= MAX_WINDOW;
}

static MOTE_ROLES_APART uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value == 0 ? fallback : value;
}

static void take_config(mote_h2 *c, const mote_h2_config *g)
{
    c->server = g->server;
    c->blank_ends = g->blank_ends;
    c->quiet = MOTE_SERVES(c) && g->quiet;
    c->streams = g->streams;
    c->stream_count = (uint16_t)g->stream_count;
    c->tx.bytes = g->tx;
    c->tx.size = g->tx_size;
    c->table_size = (uint32_t)g->table_size;
    c->initial_window = or_default(g->initial_window, DEFAULT_WINDOW);
    c->connection_window = or_default(g->connection_window, DEFAULT_WINDOW);
    c->max_list_size = g->max_list_size > 0 ? g->max_list_size : MOTE_H2_LIST_SIZE_DEFAULT;
    c->budget_max = or_default(g->budget, MOTE_H2_BUDGET_DEFAULT);
    c->settings_timeout_ms =
        g->settings_timeout_ms > 0 ? g->settings_timeout_ms : MOTE_H2_SETTINGS_TIMEOUT_MS;
}

/* A server's preface is its SETTINGS alone. */
static void write_preface(mote_h2 *c)
{
    if (!MOTE_SERVES(c)) {
        memcpy(c->tx.bytes, mote_h2_preface, PREFACE_SIZE);
        c->tx.tail = PREFACE_SIZE;
    }
    mote_h2_tx_settings(c);
    if (c->connection_window > DEFAULT_WINDOW) {
        c->credit = c->connection_window - DEFAULT_WINDOW;
        c->owed = OWE_WINDOW;
        mote_h2_flush(c);
    }
}

/* A client's SETTINGS arrive before its first request, so its own table size holds at once. */
static void take_table(mote_h2 *c, const mote_h2_config *g)
{
    const mote_hpack_dynamic *dynamic = MOTE_SERVES(g) && !(MOTE_HAS_REPEATS && g->dynamic)
                                            ? &mote_hpack_dynamic_table
                                            : g->dynamic;

    mote_hpack_decoder_init_bare(&c->decoder, MOTE_SERVES(g) ? 4096 : g->table_size, g->scratch,
                                 g->scratch_size);
    if (dynamic)
        dynamic->init(&c->decoder, g->table, g->table_size);
}

int mote_h2_init(mote_h2 *c, const mote_h2_config *config)
{
    if (!config_ok(config) || !MOTE_HAS_ROLE(config))
        return MOTE_H2_ERR_CONFIG;
    memset(c, 0, sizeof *c);
    take_config(c, config);
    if (c->connection_window < DEFAULT_WINDOW)
        return MOTE_H2_ERR_CONFIG;
    memset(config->streams, 0, config->stream_count * sizeof config->streams[0]);
    take_table(c, config);
    mote_hpack_encoder_init_bare(&c->encoder, config->slots, config->slot_count);
    c->encoder.coder = config->coder;
    c->peer_max_frame = MAX_FRAME;
    c->peer_max_streams = UINT32_MAX;
    c->peer_window = c->next_window = c->stream_window = DEFAULT_WINDOW;
    c->send_window = c->recv_window = DEFAULT_WINDOW;
    c->next_id = 1;
    c->last_opened = UINT32_MAX; /* so that id 1 is one step ahead */
    c->peer_goaway_id = MAX_WINDOW;
    c->frame.phase = MOTE_SERVES(config) ? MOTE_H2_AWAIT_PREFACE : MOTE_H2_AWAIT_SETTINGS;
    c->budget = c->budget_max;
    write_preface(c);
    return 0;
}
