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

static void set_default(uint32_t *value, uint32_t fallback)
{
    if (*value == 0)
        *value = fallback;
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
    const mote_h2_config *g = &c->config;
    uint8_t settings[5 * 6], *p = settings;

    if (!g->server) {
        memcpy(g->tx, magic, sizeof magic - 1);
        c->tx_tail = sizeof magic - 1;
        p = put_setting(p, SETTING_ENABLE_PUSH, 0);
    } else {
        p = put_setting(p, SETTING_MAX_CONCURRENT_STREAMS, (uint32_t)g->stream_count);
    }
    if (g->table_size != 4096)
        p = put_setting(p, SETTING_HEADER_TABLE_SIZE, (uint32_t)g->table_size);
    if (g->initial_window != DEFAULT_WINDOW)
        p = put_setting(p, SETTING_INITIAL_WINDOW_SIZE, g->initial_window);
    p = put_setting(p, SETTING_MAX_HEADER_LIST_SIZE, g->max_list_size);
    mote_h2_tx_frame(c, FRAME_SETTINGS, 0, 0, settings, (size_t)(p - settings));
    if (g->connection_window > DEFAULT_WINDOW) {
        c->credit = g->connection_window - DEFAULT_WINDOW;
        c->owed |= OWE_WINDOW;
        mote_h2_flush(c);
    }
}

int mote_h2_init(mote_h2 *c, const mote_h2_config *config)
{
    if (!config_ok(config))
        return MOTE_H2_ERR_CONFIG;
    memset(c, 0, sizeof *c);
    c->config = *config;
    set_default(&c->config.initial_window, DEFAULT_WINDOW);
    set_default(&c->config.connection_window, DEFAULT_WINDOW);
    set_default(&c->config.max_list_size, MOTE_H2_LIST_SIZE_DEFAULT);
    set_default(&c->config.budget, MOTE_H2_BUDGET_DEFAULT);
    set_default(&c->config.settings_timeout_ms, MOTE_H2_SETTINGS_TIMEOUT_MS);
    if (c->config.connection_window < DEFAULT_WINDOW)
        return MOTE_H2_ERR_CONFIG;
    memset(config->streams, 0, config->stream_count * sizeof config->streams[0]);
    /* A client's SETTINGS arrive before its first request, so its own table size holds at once. */
    mote_hpack_decoder_init(&c->decoder, config->table, config->table_size,
                            config->server ? 4096 : config->table_size, config->scratch,
                            config->scratch_size);
    mote_hpack_encoder_init(&c->encoder, config->slots, config->slot_count);
    c->error_text = "";
    c->tx_frame = config->tx_size;
    c->peer_max_frame = MAX_FRAME;
    c->peer_max_streams = UINT32_MAX;
    c->peer_window = c->stream_window = DEFAULT_WINDOW;
    c->send_window = c->recv_window = DEFAULT_WINDOW;
    c->next_id = 1;
    c->last_opened = UINT32_MAX; /* so that id 1 is one step ahead */
    c->peer_goaway_id = MAX_WINDOW;
    c->phase = config->server ? 0 : 1;
    c->budget = c->config.budget;
    write_preface(c);
    return 0;
}

static void refill(mote_h2 *c)
{
    uint64_t gain = (c->now_ms - c->refill_ms) * REFILL_PER_SECOND / 1000;

    if (gain == 0)
        return;
    c->refill_ms = c->now_ms;
    c->budget = gain < c->config.budget - c->budget ? c->budget + (uint32_t)gain : c->config.budget;
}

uint32_t mote_h2_tick(mote_h2 *c, uint64_t now_ms)
{
    if (c->now_ms == 0) {
        c->settings_ms =
            c->settings_ms == UINT64_MAX ? UINT64_MAX : now_ms + c->config.settings_timeout_ms;
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
                      "no acknowledgement of SETTINGS in time");
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
    c->goaway_code = MOTE_H2_NO_ERROR;
    c->owed |= OWE_GOAWAY;
    if (!c->config.server) {
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
