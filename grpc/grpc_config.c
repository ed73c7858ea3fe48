/* What is wrong with a config, in words: which member, what it is, what it must be. */
#include "grpc_internal.h"

/* The end of a text, in a buffer that is large enough for all that is written here. */
typedef struct {
    char *at;
} config_text;

static void config_say(config_text *t, const char *what)
{
    while (*what)
        *t->at++ = *what++;
    *t->at = '\0';
}

static void config_number(config_text *t, uint64_t value)
{
    char digits[21], *p = digits + 20;

    *p = '\0';
    do
        *--p = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    config_say(t, p);
}

static bool config_bound(config_text *t, const char *name, uint64_t value, const char *bound,
                         uint64_t limit)
{
    config_say(t, name);
    config_say(t, " is ");
    config_number(t, value);
    config_say(t, bound);
    config_number(t, limit);
    return false;
}

/* True: it is within. */
static bool config_within(config_text *t, const char *name, uint64_t value, uint64_t least,
                          uint64_t most)
{
    if (value < least)
        return config_bound(t, name, value, ": at least ", least);
    if (value > most)
        return config_bound(t, name, value, ": at most ", most);
    return true;
}

static bool config_given(config_text *t, bool there, const char *otherwise)
{
    if (!there)
        config_say(t, otherwise);
    return there;
}

static bool sizes_fit(config_text *t, const mote_grpc_config *c)
{
    uint32_t window = c->connection_window;

    return config_within(t, "max_calls", c->max_calls, 1, UINT16_MAX) &&
           config_within(t, "rx_size", c->rx_size, MOTE_GRPC_RX_MIN, INT32_MAX) &&
           config_within(t, "tx_size", c->tx_size, MOTE_H2_TX_MIN, UINT32_MAX) &&
           config_within(t, "field_size", c->field_size, MOTE_H2_SCRATCH_MIN, UINT32_MAX) &&
           config_within(t, "table_size", c->table_size, 0, MOTE_H2_TABLE_MAX) &&
           (window == 0 || config_within(t, "connection_window", window, 65535, INT32_MAX));
}

static bool parts_fit(config_text *t, const mote_grpc_config *c)
{
    return config_given(t, MOTE_HAS_ROLE(c), "server: this build has the other role alone") &&
           config_given(t, MOTE_SERVES(c) || c->authority.name, "authority is missing") &&
           config_given(t, MOTE_SERVES(c) || c->dynamic || c->table_size == 0,
                        "dynamic is missing, and table_size is not 0") &&
           config_given(t, MOTE_COMPRESSES || !c->codecs, "codecs: this build has no compression");
}

const char *mote_grpc_config_text(const mote_grpc_config *c, const void *memory, size_t memory_size,
                                  char out[MOTE_GRPC_CONFIG_TEXT])
{
    config_text t = {out};

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
