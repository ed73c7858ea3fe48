/* application/grpc-web-text: content in base64 (RFC 4648 4). Padding may stand behind any piece. */
#include "web_internal.h"

static uint8_t base64_digit(unsigned value)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    return (uint8_t)digits[value & 63];
}

/* From the end to the beginning, as it grows. */
size_t mote_web_pack(uint8_t *bytes, size_t len)
{
    size_t count = (len + 2) / 3, missing = count * 3 - len;

    for (size_t i = count; i-- > 0;) {
        size_t pad = i + 1 == count ? missing : 0;
        const uint8_t *in = bytes + 3 * i;
        unsigned long bits = (unsigned long)in[0] << 16 |
                             (pad < 2 ? (unsigned long)in[1] << 8 : 0) | (pad < 1 ? in[2] : 0);
        uint8_t *out = bytes + 4 * i;
        out[3] = pad > 0 ? '=' : base64_digit((unsigned)bits);
        out[2] = pad > 1 ? '=' : base64_digit((unsigned)(bits >> 6));
        out[1] = base64_digit((unsigned)(bits >> 12));
        out[0] = base64_digit((unsigned)(bits >> 18));
    }
    return count * 4;
}

enum { BASE64_PAD = 64, BASE64_NONE };

static unsigned base64_value(uint8_t ch)
{
    uint8_t letter = (uint8_t)((ch | 0x20) - 'a');

    if (letter < 26)
        return ch & 0x20 ? letter + 26u : letter;
    if (ch >= '0' && ch <= '9')
        return ch - '0' + 52u;
    if (ch == '+')
        return 62;
    if (ch == '/')
        return 63;
    return ch == '=' ? BASE64_PAD : BASE64_NONE;
}

/* A group is complete: its `bytes` lie at the end of state->group. */
static void close_group(mote_grpc_call *call, web_state *state, uint8_t bytes)
{
    state->chars = 0;
    state->held = bytes;
    if (call->stream)
        mote_h2_consume(&call->grpc->h2, call->stream, 4u - bytes);
}

/* The last characters of a group may be padding; the bits that are left over are then 0, and there
 * is one text for the same bytes. False: this is not so. */
static bool take_padding(mote_grpc_call *call, web_state *state)
{
    uint8_t *g = state->group;

    if (state->chars < 2)
        return false;
    if (state->chars == 2) { /* 12 bits: a byte and 4 more; another '=' must follow */
        if (g[2] & 15)
            return false;
        g[1] = (uint8_t)(g[1] << 4 | g[2] >> 4);
        state->chars = 5;
        return true;
    }
    if (state->chars == 5) {
        g[2] = g[1];
        close_group(call, state, 1);
        return true;
    }
    if (g[2] & 3) /* 18 bits: two bytes and 2 more */
        return false;
    unsigned bits = (unsigned)g[0] << 16 | (unsigned)g[1] << 8 | g[2];
    g[1] = (uint8_t)(bits >> 10);
    g[2] = (uint8_t)(bits >> 2);
    close_group(call, state, 2);
    return true;
}

/* The next character: the bits of a group are a number in state->group. */
static bool take_char(mote_grpc_call *call, web_state *state, uint8_t ch)
{
    uint8_t *g = state->group;
    unsigned value = base64_value(ch);

    if (value == BASE64_PAD)
        return take_padding(call, state);
    if (value == BASE64_NONE || state->chars == 5)
        return false;
    if (state->chars == 0)
        g[0] = g[1] = g[2] = 0;
    g[0] = (uint8_t)(g[0] << 6 | g[1] >> 2);
    g[1] = (uint8_t)(g[1] << 6 | g[2] >> 2);
    g[2] = (uint8_t)((unsigned)g[2] << 6 | value);
    if (++state->chars == 4)
        close_group(call, state, 3);
    return true;
}

size_t mote_web_unpack(mote_grpc_call *call, const uint8_t **in, size_t *len, uint8_t *out,
                       size_t cap)
{
    web_state *state = mote_grpc_door_state(call);
    size_t n = 0;

    for (;;) {
        while (state->held > 0 && n < cap)
            out[n++] = state->group[3 - state->held--];
        if (state->held > 0 || *len == 0 || state->broken)
            break;
        state->broken = !take_char(call, state, **in);
        ++*in;
        --*len;
    }
    if (state->broken)
        *len = 0;
    return n;
}

enum mote_grpc_door_content mote_web_content(const mote_grpc_call *call)
{
    const web_state *state = mote_grpc_door_state(call);

    if (state->held > 0)
        return MOTE_GRPC_DOOR_HELD;
    if (state->broken)
        return MOTE_GRPC_DOOR_BROKEN;
    return state->chars > 0 ? MOTE_GRPC_DOOR_MIDWAY : MOTE_GRPC_DOOR_WHOLE;
}
