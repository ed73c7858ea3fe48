/* A GET of the Connect protocol: its message stands in the query of its target. */
#include "connect_internal.h"

#include <string.h>

typedef struct {
    const char *at;
    size_t len;
} query_span;

static bool query_says(query_span s, const char *text)
{
    size_t i = 0;

    while (i < s.len && text[i] != '\0' && s.at[i] == text[i])
        i++;
    return i == s.len && text[i] == '\0';
}

/* Up to the character, behind which *rest begins. */
static query_span query_cut(query_span *rest, char ch)
{
    query_span part = {rest->at, 0};

    while (part.len < rest->len && rest->at[part.len] != ch)
        part.len++;
    size_t n = part.len < rest->len ? part.len + 1 : part.len;
    rest->at += n;
    rest->len -= n;
    return part;
}

/* The value of the first parameter of this name; false: there is none. */
static bool query_find(query_span query, const char *name, query_span *value)
{
    while (query.len > 0) {
        query_span one = query_cut(&query, '&');
        if (query_says(query_cut(&one, '='), name)) {
            *value = one;
            return true;
        }
    }
    return false;
}

static int query_digit(char ch)
{
    int letter = (ch | 0x20) - 'a';

    if (ch >= '0' && ch <= '9')
        return ch - '0';
    return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/* One character, which is at the beginning of *rest; < 0: "%" without two digits. */
static int query_next(query_span *rest)
{
    char ch = *rest->at;
    size_t n = 1;
    int value = (uint8_t)ch;

    if (ch == '%') {
        int high = rest->len < 3 ? -1 : query_digit(rest->at[1]);
        int low = rest->len < 3 ? -1 : query_digit(rest->at[2]);
        if (high < 0 || low < 0)
            return -1;
        value = high * 16 + low;
        n = 3;
    }
    rest->at += n;
    rest->len -= n;
    return value;
}

/* The alphabet of RFC 4648 5 is as good as that of 4. */
static int query_base64(int ch)
{
    if (ch == '-')
        return '+';
    return ch == '_' ? '/' : ch;
}

static uint8_t query_take(mote_grpc_call *call, query_span value, bool base64)
{
    uint8_t *rx = call->rx;
    size_t n = 0;

    while (value.len > 0) {
        char first = *value.at;
        int ch = query_next(&value);
        if (ch < 0)
            return CONNECT_BAD_ESCAPE;
        if (n == call->grpc->config->rx_size)
            return CONNECT_NO_ROOM;
        if (base64)
            ch = query_base64(ch);
        else if (first == '+')
            ch = ' ';
        rx[n++] = (uint8_t)ch;
    }
    if (base64) {
        int r = mote_grpc_bin_decode((const char *)rx, n, rx, n);
        if (r < 0)
            return CONNECT_BAD_BASE64;
        n = (size_t)r;
    }
    call->rx_len = (uint32_t)n;
    return CONNECT_FINE;
}

void mote_connect_read_query(mote_grpc_call *call, const char *query, size_t len)
{
    connect_state *state = connect_of(call);
    query_span q = {query, len}, value;

    bool is_old = query_find(q, "connect", &value) && !query_says(value, "v1");
    if (query_find(q, "encoding", &value)) {
        state->query.json = query_says(value, "json");
        state->query.known = state->query.json || query_says(value, "proto");
    }
    if (query_find(q, "compression", &value))
        state->query.codec = (uint8_t)mote_grpc_door_codec(call->grpc, value.at, value.len);
    bool base64 = query_find(q, "base64", &value) && query_says(value, "1");
    if (is_old)
        state->query.fault = CONNECT_BAD_VERSION;
    else if (query_find(q, "message", &value))
        state->query.fault = query_take(call, value, base64);
}
