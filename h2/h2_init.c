/* Set-up, settings of our own, time, and graceful shutdown. */
#include "h2_internal.h"

#include <string.h>

static bool span_ok(const void *p, size_t len, size_t min)
{
    return len >= min && (p || len == 0);
}

static bool config_ok(const mote_h2_config *g)
{
    return span_ok(g->streams, g->stream_count, 1) && g->stream_count <= UINT16_MAX &&
           span_ok(g->tx, g->tx_size, MOTE_H2_TX_MIN) && span_ok(g->table, g->table_size, 0) &&
           g->table_size <= 65504 && span_ok(g->scratch, g->scratch_size, 32) &&
           span_ok(g->slots, g->slot_count, 0) && g->slot_count <= UINT16_MAX &&
           g->initial_window <= MAX_WINDOW && g->connection_window <= MAX_WINDOW;
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value == 0 ? fallback : value;
}

static void take_config(mote_h2 *c, const mote_h2_config *g)
{
    c->server = g->server;
    c->streams = g->streams;
    c->stream_count = (uint16_t)g->stream_count;
    c->tx = g->tx;
    c->tx_size = g->tx_size;
    c->table_size = (uint32_t)g->table_size;
    c->initial_window = or_default(g->initial_window, DEFAULT_WINDOW);
    c->connection_window = or_default(g->connection_window, DEFAULT_WINDOW);
    c->max_list_size = or_default(g->max_list_size, MOTE_H2_LIST_SIZE_DEFAULT);
    c->budget_max = or_default(g->budget, MOTE_H2_BUDGET_DEFAULT);
    c->settings_timeout_ms = or_default(g->settings_timeout_ms, MOTE_H2_SETTINGS_TIMEOUT_MS);
}

static uint8_t *put_setting(uint8_t *p, unsigned id, uint32_t value)
{
    p[0] = 0;
    p[1] = (uint8_t)id;
    mote_h2_put32(p + 2, value);
    return p + 6;
}

/* RFC 9113 3.4, 6.5: only what differs from the initial values is said. */
static void write_preface(mote_h2 *c)
{
    static const char magic[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    uint8_t settings[5 * 6], *p = settings;

    if (!MOTE_SERVES(c)) {
        memcpy(c->tx, magic, sizeof magic - 1);
        c->tx_tail = sizeof magic - 1;
        p = put_setting(p, SETTING_ENABLE_PUSH, 0);
    } else {
        p = put_setting(p, SETTING_MAX_CONCURRENT_STREAMS, (uint32_t)c->stream_count);
    }
    if (c->table_size != 4096)
        p = put_setting(p, SETTING_HEADER_TABLE_SIZE, (uint32_t)c->table_size);
    if (c->initial_window != DEFAULT_WINDOW)
        p = put_setting(p, SETTING_INITIAL_WINDOW_SIZE, c->initial_window);
    p = put_setting(p, SETTING_MAX_HEADER_LIST_SIZE, c->max_list_size);
    size_t len = (size_t)(p - settings);
    memcpy(mote_h2_tx_frame(c, FRAME_SETTINGS, 0, 0, len), settings, len);
    if (c->connection_window > DEFAULT_WINDOW) {
        c->credit = c->connection_window - DEFAULT_WINDOW;
        c->owed |= OWE_WINDOW;
        mote_h2_flush(c);
    }
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
    /* A client's SETTINGS arrive before its first request, so its own table size holds at once. */
    mote_hpack_decoder_init(&c->decoder, config->table, config->table_size,
                            MOTE_SERVES(config) ? 4096 : config->table_size, config->scratch,
                            config->scratch_size);
    mote_hpack_encoder_init(&c->encoder, config->slots, config->slot_count);
    c->tx_frame = config->tx_size;
    c->peer_max_frame = MAX_FRAME;
    c->peer_max_streams = UINT32_MAX;
    c->peer_window = c->stream_window = DEFAULT_WINDOW;
    c->send_window = c->recv_window = DEFAULT_WINDOW;
    c->next_id = 1;
    c->last_opened = UINT32_MAX; /* so that id 1 is one step ahead */
    c->peer_goaway_id = MAX_WINDOW;
    c->phase = MOTE_SERVES(config) ? 0 : 1;
    c->budget = c->budget_max;
    write_preface(c);
    return 0;
}

static void refill(mote_h2 *c)
{
    uint64_t passed = c->now_ms - c->refill_ms;
    uint32_t gain = (passed < UINT32_MAX ? (uint32_t)passed : UINT32_MAX) / REFILL_MS;

    if (gain == 0)
        return;
    c->refill_ms = c->now_ms;
    c->budget = gain < c->budget_max - c->budget ? c->budget + gain : c->budget_max;
}

uint32_t mote_h2_tick(mote_h2 *c, uint64_t now_ms)
{
    if (c->now_ms == 0) {
        c->settings_ms =
            c->settings_ms == UINT64_MAX ? UINT64_MAX : now_ms + c->settings_timeout_ms;
        c->refill_ms = now_ms;
    }
    c->now_ms = now_ms;
    if (c->error < 0)
        return UINT32_MAX;
    refill(c);
    if (c->settings_ms == UINT64_MAX)
        return UINT32_MAX;
    if (now_ms >= c->settings_ms) { /* RFC 9113 6.5.3 */
        mote_h2_fatal(c, MOTE_H2_ERR_TIMEOUT, MOTE_H2_SETTINGS_TIMEOUT,
                      MOTE_TEXT("no acknowledgement of SETTINGS in time"));
        return UINT32_MAX;
    }
    uint64_t left = c->settings_ms - now_ms;
    return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX - 1;
}

/* RFC 9113 6.8: a server says first that the end comes, and one round trip later where it is. */
void mote_h2_shutdown(mote_h2 *c)
{
    if (c->error < 0 || c->closing != CLOSING_NO)
        return;
    c->owed |= OWE_GOAWAY;
    if (!MOTE_SERVES(c)) {
        c->closing = CLOSING_DONE;
        c->goaway_last = 0;
    } else {
        c->closing = CLOSING_ANNOUNCED;
        c->goaway_last = MAX_WINDOW;
        mote_h2_flush(c);
        mote_h2_ping(c);
    }
    mote_h2_flush(c);
}
