/* The known attacks on HTTP/2, one generator each. */
#include "attacks.h"

#include "../../h2/h2.h"

#include <stdlib.h>
#include <string.h>

enum {
    DATA,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION,
    END_STREAM = 1,
    ACK = 1,
    END_HEADERS = 4
};

static uint8_t get[96] = {0x82, 0x86, 0x84, 0x41, 0x01, 'x'}; /* GET http / x; or a call */
static size_t get_len = 6;
static uint8_t get_content[32]; /* the message of a call */
static size_t get_content_len;
static const uint8_t post[] = {0x83, 0x86, 0x04, 0x05, '/', 'e', 'c', 'h', 'o', 0x41, 0x01, 'x'};
static const uint8_t ok[] = {0x88};
static const uint8_t zeros[16384];

void attack_frame(attack_output *a, unsigned type, unsigned flags, uint32_t id, const void *payload,
                  size_t len)
{
    uint8_t header[9] = {(uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,
                         (uint8_t)type,        (uint8_t)flags,      (uint8_t)(id >> 24),
                         (uint8_t)(id >> 16),  (uint8_t)(id >> 8),  (uint8_t)id};

    if (sizeof a->bytes - a->len < 9 + len)
        abort();
    memcpy(a->bytes + a->len, header, 9);
    if (len > 0)
        memcpy(a->bytes + a->len + 9, payload, len);
    a->len += 9 + len;
}

static void number(attack_output *a, unsigned type, uint32_t id, uint32_t value)
{
    uint8_t payload[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                          (uint8_t)value};

    attack_frame(a, type, 0, id, payload, 4);
}

static void setting(attack_output *a, unsigned id, uint32_t value)
{
    uint8_t payload[6] = {0,
                          (uint8_t)id,
                          (uint8_t)(value >> 24),
                          (uint8_t)(value >> 16),
                          (uint8_t)(value >> 8),
                          (uint8_t)value};

    attack_frame(a, SETTINGS, 0, 0, payload, 6);
}

void attack_preface(attack_output *a)
{
    if (!a->on_client) {
        memcpy(a->bytes + a->len, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
        a->len += 24;
    }
    attack_frame(a, SETTINGS, 0, 0, NULL, 0);
    attack_frame(a, SETTINGS, ACK, 0, NULL, 0);
}

void attack_get(attack_output *a, uint32_t id)
{
    attack_frame(a, HEADERS, END_HEADERS | (get_content_len > 0 ? 0 : END_STREAM), id, get,
                 get_len);
    if (get_content_len > 0)
        attack_frame(a, DATA, END_STREAM, id, get_content, get_content_len);
}

void attack_calls(const char *path, const char *message)
{
    static const uint8_t behind[] = {0x41, 1,   'x', 0x0f, 0x10, 0x10, 'a', 'p', 'p', 'l', 'i',
                                     'c',  'a', 't', 'i',  'o',  'n',  '/', 'g', 'r', 'p', 'c'};
    size_t n = strlen(path);

    memcpy(get, "\x83\x86\x04", 3);
    get[3] = (uint8_t)n;
    memcpy(get + 4, path, n);
    memcpy(get + 4 + n, behind, sizeof behind);
    get_len = 4 + n + sizeof behind;
    get_content_len = 5 + strlen(message);
    get_content[4] = (uint8_t)strlen(message);
    memcpy(get_content + 5, message, strlen(message));
}

void attack_credit(attack_output *a)
{
    number(a, WINDOW_UPDATE, 0, 200);
}

/* The stream that an attack plays on: a new request, or the only one of the client. */
static uint32_t new_stream(attack_output *a)
{
    uint32_t id = a->on_client ? 1 : a->id;

    a->id += 2;
    return id;
}

static void block(attack_output *a, const void *bytes, size_t len)
{
    attack_frame(a, HEADERS, END_HEADERS | END_STREAM, new_stream(a), bytes, len);
}

/* The beginning of a message: a POST request, or the header section of a response. */
static uint32_t begin(attack_output *a)
{
    uint32_t id = new_stream(a);

    attack_frame(a, HEADERS, END_HEADERS, id, a->on_client ? ok : post,
                 a->on_client ? sizeof ok : sizeof post);
    return id;
}

static void begin_one(attack_output *a)
{
    begin(a);
}

/* ---- resets -------------------------------------------------------------------------------- */

static void rapid_reset(attack_output *a)
{
    for (int i = 0; i < 50; i++) {
        uint32_t id = new_stream(a);
        attack_get(a, id);
        number(a, RST_STREAM, id, MOTE_H2_CANCEL);
    }
}

static void headers_and_reset(attack_output *a)
{
    uint32_t id = begin(a);

    number(a, RST_STREAM, id, MOTE_H2_NO_ERROR);
}

/* The peer is made to reset the stream: four ways to break it. */
static void made_you_reset(attack_output *a)
{
    uint32_t id = begin(a);

    switch (id / 2 % 4) {
    case 0:
        number(a, WINDOW_UPDATE, id, 0);
        break;
    case 1:
        number(a, WINDOW_UPDATE, id, 0x7fffffff);
        break;
    case 2:
        attack_frame(a, DATA, END_STREAM, id, NULL, 0);
        attack_frame(a, DATA, 0, id, zeros, 1);
        break;
    default:
        attack_frame(a, PRIORITY, 0, id, zeros, 4);
    }
}

static void reset_flood(attack_output *a)
{
    for (int i = 0; i < 20; i++)
        block(a, get, 1); /* a request without a path */
}

static void refused_streams(attack_output *a)
{
    for (int i = 0; i < 50; i++)
        begin(a);
}

/* ---- header blocks ------------------------------------------------------------------------- */

static void continuation_begins(attack_output *a)
{
    attack_frame(a, HEADERS, 0, new_stream(a), a->on_client ? ok : get,
                 a->on_client ? sizeof ok : get_len);
}

static void continuation_flood(attack_output *a)
{
    static uint8_t fragment[16384];

    memset(fragment, 0x90, sizeof fragment); /* accept-encoding, again and again */
    attack_frame(a, CONTINUATION, 0, 1, fragment, sizeof fragment);
}

static void empty_continuations(attack_output *a)
{
    for (int i = 0; i < 100; i++)
        attack_frame(a, CONTINUATION, 0, 1, NULL, 0);
}

/* One field of 4,000 bytes enters the table; then each byte stands for it. */
static void hpack_bomb(attack_output *a)
{
    static uint8_t bytes[16384];
    size_t n = 0;

    bytes[n++] = 0x40;
    bytes[n++] = 0x01;
    bytes[n++] = 'a';
    bytes[n++] = 0x7f;
    bytes[n++] = 0xa1; /* 127 + 33 + 30 * 128 = 4000 */
    bytes[n++] = 0x1e;
    memset(bytes + n, 'b', 4000);
    n += 4000;
    memset(bytes + n, 0xbe, sizeof bytes - n);
    block(a, bytes, sizeof bytes);
}

static void header_count_bomb(attack_output *a)
{
    static uint8_t bytes[16384];

    memcpy(bytes, get, get_len);
    memset(bytes + get_len, 0x93, sizeof bytes - get_len); /* accept: */
    block(a, bytes, sizeof bytes);
}

static void cookie_crumbs(attack_output *a)
{
    static uint8_t bytes[16384];
    size_t n = get_len;

    memcpy(bytes, get, get_len);
    while (n + 5 <= sizeof bytes) {
        memcpy(bytes + n,
               "\x0f\x11\x02"
               "a=",
               5); /* cookie: a= */
        n += 5;
    }
    block(a, bytes, n);
}

static void hpack_oversized_integer(attack_output *a)
{
    block(a, "\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 9);
}

static void hpack_padded_integer(attack_output *a)
{
    static uint8_t bytes[4096];

    memset(bytes, 0x80, sizeof bytes);
    bytes[0] = 0xff;
    block(a, bytes, sizeof bytes);
}

static void zero_length_names(attack_output *a)
{
    static uint8_t bytes[300];
    size_t n = get_len;

    memcpy(bytes, get, get_len);
    while (n + 3 <= sizeof bytes) {
        memcpy(bytes + n, "\x00\x00\x00", 3);
        n += 3;
    }
    block(a, bytes, n);
}

static void interim_responses(attack_output *a)
{
    for (int i = 0; i < 50; i++)
        attack_frame(a, HEADERS, END_HEADERS, 1,
                     "\x08\x03"
                     "103",
                     5);
}

/* ---- control frames ------------------------------------------------------------------------ */

static void ping_flood(attack_output *a)
{
    for (int i = 0; i < 50; i++)
        attack_frame(a, PING, 0, 0, zeros, 8);
}

static void priority_churn(attack_output *a)
{
    for (int i = 0; i < 50; i++) {
        uint8_t payload[5] = {0, 0, 0, (uint8_t)(i * 2), (uint8_t)i};
        attack_frame(a, PRIORITY, 0, 1001 + 2 * (uint32_t)i, payload, 5);
    }
}

static void settings_flood(attack_output *a)
{
    for (int i = 0; i < 50; i++)
        attack_frame(a, SETTINGS, 0, 0, NULL, 0);
}

static void settings_entries(attack_output *a)
{
    static uint8_t payload[2730 * 6];

    for (size_t i = 0; i < sizeof payload; i += 6) {
        payload[i + 1] = 4; /* INITIAL_WINDOW_SIZE, up and down */
        payload[i + 5] = (uint8_t)(i / 6);
    }
    attack_frame(a, SETTINGS, 0, 0, payload, sizeof payload);
}

static void empty_data(attack_output *a)
{
    for (int i = 0; i < 50; i++)
        attack_frame(a, DATA, 0, 1, NULL, 0);
}

static void padding_only(attack_output *a)
{
    static const uint8_t pad[256] = {255};

    attack_frame(a, DATA, 8, 1, pad, sizeof pad);
}

static void unknown_frames(attack_output *a)
{
    for (int i = 0; i < 50; i++)
        attack_frame(a, 0xbb, 0, 0, NULL, 0);
}

static void goaway_first(attack_output *a)
{
    attack_frame(a, GOAWAY, 0, 0, zeros, 8);
}

/* To a server: more requests. To a client: more answers on streams that it was told are gone. */
static void frames_after_goaway(attack_output *a)
{
    attack_frame(a, GOAWAY, 0, 0, zeros, 8);
    attack_frame(a, PING, ACK, 0, zeros, 8);
}

static void push_promises(attack_output *a)
{
    attack_frame(a, PUSH_PROMISE, END_HEADERS, 1, "\0\0\0\2\x82", 5);
}

static void closed_stream(attack_output *a)
{
    uint32_t id = new_stream(a);

    if (a->on_client) {
        attack_frame(a, HEADERS, END_HEADERS | END_STREAM, id, ok, sizeof ok);
    } else {
        attack_get(a, id);
        number(a, RST_STREAM, id, MOTE_H2_CANCEL);
    }
}

static void window_updates_on_closed(attack_output *a)
{
    for (int i = 0; i < 50; i++)
        number(a, WINDOW_UPDATE, 1, 1);
}

static void window_updates_on_idle(attack_output *a)
{
    number(a, WINDOW_UPDATE, 2001, 1);
}

/* ---- windows and time ---------------------------------------------------------------------- */

static void many_gets(attack_output *a)
{
    for (int i = 0; i < 20; i++)
        attack_get(a, new_stream(a));
}

static void no_window(attack_output *a)
{
    setting(a, 4, 0);
    many_gets(a);
}

static void window_of_one(attack_output *a)
{
    setting(a, 4, 1);
    many_gets(a);
}

/* Each stream may send a byte more, a frame for each. */
static void dribble(attack_output *a)
{
    for (uint32_t id = 1; id < 40; id += 2)
        number(a, WINDOW_UPDATE, id, 1);
}

static void connection_window_dribble(attack_output *a)
{
    for (int i = 0; i < 50; i++)
        number(a, WINDOW_UPDATE, 0, 1);
}

static void slow_body(attack_output *a)
{
    for (int i = 0; i < 20; i++)
        attack_frame(a, DATA, 0, begin(a), "x", 1);
}

static void slow_answer(attack_output *a)
{
    attack_frame(a, DATA, 0, begin(a), "x", 1);
}

static void tiny_header_list(attack_output *a)
{
    setting(a, 6, 1);
}

static void one_get(attack_output *a)
{
    attack_get(a, new_stream(a));
    attack_credit(a);
}

static void hungry(attack_output *a)
{
    setting(a, 4, 0x7fffffff);
    number(a, WINDOW_UPDATE, 0, 0x7fff0000);
}

#define CALM MOTE_H2_ENHANCE_YOUR_CALM
#define BOTH (ON_SERVER | ON_CLIENT)

const attack attacks[] = {
    {"rapid_reset", "CVE-2023-44487", ON_SERVER, NULL, rapid_reset, CALM, 20, 0},
    {"headers_followed_by_reset", "CVE-2023-44487", ON_SERVER, NULL, headers_and_reset, CALM, 1, 0},
    {"made_you_reset", "CVE-2025-8671", ON_SERVER, NULL, made_you_reset, CALM, 1, 0},
    {"reset_flood", "CVE-2019-9514", ON_SERVER, NULL, reset_flood, CALM, 2, 0},
    {"refused_streams", "streams beyond the limit", ON_SERVER, NULL, refused_streams, CALM, 4, 0},
    {"continuation_flood", "CVE-2024-27316", BOTH, continuation_begins, continuation_flood, CALM, 0,
     0},
    {"empty_continuations", "CVE-2024-27316", BOTH, continuation_begins, empty_continuations, CALM,
     0, 0},
    {"hpack_bomb", "CVE-2016-6581", ON_SERVER, NULL, hpack_bomb, CALM, 1, 0},
    {"header_count_bomb", "CVE-2026-49975", ON_SERVER, NULL, header_count_bomb, CALM, 1, 0},
    {"cookie_crumbs", "CVE-2026-49975", ON_SERVER, NULL, cookie_crumbs, CALM, 1, 0},
    {"hpack_oversized_integer", "RFC 7541 5.1", BOTH, NULL, hpack_oversized_integer,
     MOTE_H2_COMPRESSION_ERROR, 1, 0},
    {"hpack_padded_integer", "RFC 7541 5.1", BOTH, NULL, hpack_padded_integer,
     MOTE_H2_COMPRESSION_ERROR, 1, 0},
    {"zero_length_names", "CVE-2019-9516", ON_SERVER, NULL, zero_length_names, CALM, 1, 0},
    {"interim_responses", "1xx without end", ON_CLIENT, NULL, interim_responses, CALM, 0, 0},
    {"ping_flood", "CVE-2019-9512", BOTH, NULL, ping_flood, CALM, 1, 0},
    {"priority_churn", "CVE-2019-9513", BOTH, NULL, priority_churn, CALM, 0, 0},
    {"settings_flood", "CVE-2019-9515", BOTH, NULL, settings_flood, CALM, 1, 0},
    {"settings_entries", "CVE-2020-11080", BOTH, begin_one, settings_entries, CALM, 0, 0},
    {"empty_data", "CVE-2019-9518", BOTH, begin_one, empty_data, CALM, 0, 0},
    {"padding_only", "CVE-2019-9518", BOTH, begin_one, padding_only, CALM, 0, 0},
    {"unknown_frames", "RFC 9113 5.5", BOTH, NULL, unknown_frames, CALM, 0, 0},
    {"frames_after_goaway", "RFC 9113 6.8", BOTH, goaway_first, frames_after_goaway, CALM, 0, 0},
    {"push_promises", "RFC 9113 8.4", BOTH, NULL, push_promises, MOTE_H2_PROTOCOL_ERROR, 1, 0},
    {"window_updates_on_closed_streams", "RFC 9113 5.1", BOTH, closed_stream,
     window_updates_on_closed, CALM, 0, ANSWERS},
    {"window_updates_on_idle_streams", "RFC 9113 5.1", BOTH, NULL, window_updates_on_idle,
     MOTE_H2_PROTOCOL_ERROR, 1, 0},
    {"data_dribble", "CVE-2019-9511", ON_SERVER, no_window, dribble, CALM, 1, 0},
    {"connection_window_dribble", "CVE-2019-9511", ON_SERVER, no_window, connection_window_dribble,
     SURVIVES, 0, 0},
    {"zero_window_stall", "CVE-2023-43622", ON_SERVER, no_window, NULL, STALLS, 4, 0},
    {"slow_read", "CVE-2023-43622", ON_SERVER, window_of_one, NULL, STALLS, 4, 0},
    {"slow_body", "CVE-2023-43622", ON_SERVER, slow_body, NULL, STALLS, 4, 0},
    {"slow_answer", "CVE-2023-43622", ON_CLIENT, slow_answer, NULL, STALLS, 1, 0},
    {"tiny_header_list", "CVE-2025-8671", ON_SERVER, tiny_header_list, one_get, SURVIVES, 20, 0},
    {"closed_tcp_window", "CVE-2019-9517", ON_SERVER, hungry, many_gets, CALM, 20, UNREAD},
};

const size_t attack_count = sizeof attacks / sizeof attacks[0];
