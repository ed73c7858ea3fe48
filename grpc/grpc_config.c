/* What is wrong with a config, in words: which member, what it is, what it must be. */
#include "grpc_internal.h"

static bool config_bound(mote_grpc_words *t, const char *name, uint64_t value, const char *bound,
                         uint64_t limit)
{
    mote_grpc_put_word(t, name);
    mote_grpc_put_word(t, " is ");
    mote_grpc_put_number(t, value);
    mote_grpc_put_word(t, bound);
    mote_grpc_put_number(t, limit);
    return false;
}

/* True: it is within. */
static bool config_within(mote_grpc_words *t, const char *name, uint64_t value, uint64_t least,
                          uint64_t most)
{
    if (value < least)
        return config_bound(t, name, value, ": at least ", least);
    if (value > most)
        return config_bound(t, name, value, ": at most ", most);
    return true;
}

static bool config_given(mote_grpc_words *t, bool there, const char *otherwise)
{
    if (!there)
        mote_grpc_put_word(t, otherwise);
    return there;
}

static bool sizes_fit(mote_grpc_words *t, const mote_grpc_config *c)
{
    const uint64_t most = MOTE_GRPC_SIZE_MAX; /* on 32 bits less than a window may be */
    uint32_t window = c->connection_window;

    return config_within(t, "max_calls", c->max_calls, 1, UINT16_MAX) &&
           config_within(t, "rx_size", c->rx_size, MOTE_GRPC_RX_MIN,
                         most < MOTE_H2_WINDOW_MAX ? most : MOTE_H2_WINDOW_MAX) &&
           config_within(t, "tx_size", c->tx_size, MOTE_H2_TX_MIN,
                         MOTE_CUTS ? MOTE_GRPC_SIZE_MAX : MOTE_H2_SMALL_TX_MAX) &&
           config_within(t, "field_size", c->field_size, MOTE_H2_SCRATCH_MIN, MOTE_GRPC_SIZE_MAX) &&
           config_within(t, "user_size", c->user_size, 0, MOTE_GRPC_SIZE_MAX) &&
           config_within(t, "table_size", c->table_size, 0, MOTE_H2_TABLE_MAX) &&
           (window == 0 || config_within(t, "connection_window", window, 65535, INT32_MAX));
}

static bool door_fits(mote_grpc_words *t, const mote_grpc_config *c)
{
    if (!MOTE_SERVES(c) || !c->door)
        return true;
    return config_given(t, MOTE_HAS_DOOR, "door: this build has none") &&
           config_within(t, "user_size, with this door,", c->user_size,
                         c->door->protocol->state_size, MOTE_GRPC_SIZE_MAX);
}

static bool parts_fit(mote_grpc_words *t, const mote_grpc_config *c)
{
    return config_given(t, MOTE_HAS_ROLE(c), "server: this build has the other role alone") &&
           config_given(t, MOTE_SERVES(c) || c->authority.name, "authority is missing") &&
           config_given(t, !MOTE_SENDS_METADATA || MOTE_SERVES(c) || mote_grpc_speaks(c),
                        "authority or user_agent has characters that no header field has") &&
           config_given(t, MOTE_SERVES(c) || c->dynamic || c->table_size == 0,
                        "dynamic is missing, and table_size is not 0") &&
           door_fits(t, c) &&
           config_given(t, MOTE_COMPRESSES || !c->codecs, "codecs: this build has no compression");
}

const char *mote_grpc_config_text(const mote_grpc_config *c, const void *memory, size_t memory_size,
                                  char out[MOTE_GRPC_CONFIG_TEXT])
{
    mote_grpc_words t = {out, out + MOTE_GRPC_CONFIG_TEXT - 1};

    *out = '\0';
    if (sizes_fit(&t, c) && parts_fit(&t, c) &&
        config_given(&t, memory != NULL, "memory is missing"))
        config_within(&t, "memory_size", memory_size,
                      MOTE_GRPC_MEMORY((uint64_t)c->max_calls, (uint64_t)c->rx_size,
                                       (uint64_t)c->tx_size, (uint64_t)c->table_size,
                                       (uint64_t)c->field_size, c->slots, (uint64_t)c->user_size),
                      SIZE_MAX);
    return out;
}
