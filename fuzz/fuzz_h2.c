/* The frame parser and the state of streams, without gRPC above: an engine of either role and a
 * hostile peer. Pieces agree with the whole in events and output, windows stay in range, nothing is
 * said without a cause, and a copy of the memory continues as the original does. A server that
 * knows header blocks again says what one says that does not. First byte: bit 0 client, bit 1 the
 * preface is there, bits 2-3 transmit buffer, bits 4-5 table, bits 6-7 streams; second: chunk size;
 * third: the chunk after which memory is restored from a copy; the rest: what the peer sends. */
#include "../h2/h2.h"
#include "fuzz.h"

#include <stdbool.h>

enum { STREAMS_MAX = 8 };
FUZZ_CHOICES(3)

typedef struct {
    mote_h2 h2;
    mote_h2_stream streams[STREAMS_MAX];
    mote_hpack_slot slots[4];
    uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
    _Alignas(8) char scratch[512 + MOTE_H2_REPEATS_SIZE];
    uint8_t tx[4096];
} state;

static state s, copy;
#ifdef MOTE_HPACK_SMALL
static const mote_hpack_dynamic *const repeating =
    &mote_hpack_dynamic_table; /* there is no other */
#else
static const mote_hpack_dynamic *const repeating = &mote_h2_repeating_table;
#endif
static const mote_hpack_dynamic *dynamic;
static bool full; /* no space: slots and answers then depend on when output is taken */

static void init(uint8_t mode)
{
    static const uint16_t tx[] = {MOTE_H2_TX_MIN, 300, 1024, 4096}, table[] = {4096, 0, 100, 1000};
    mote_h2_config config = {.server = !(mode & 1),
                             .streams = s.streams,
                             .stream_count = 1u << (mode >> 6),
                             .tx = s.tx,
                             .tx_size = tx[mode >> 2 & 3],
                             .table = s.table,
                             .dynamic = dynamic,
                             .coder = &mote_hpack_huffman_coder,
                             .table_size = table[mode >> 4 & 3],
                             .scratch = s.scratch,
                             .scratch_size = 512,
                             .slots = s.slots,
                             .slot_count = 4,
                             .initial_window = 2000};

    memset(&s, 0, sizeof s);
    ASSERT(mote_h2_init(&s.h2, &config) == 0);
    mote_h2_tick(&s.h2, 1);
}

static void check(void)
{
    const mote_h2 *c = &s.h2;
    uint32_t active = 0, owing = 0;

    ASSERT(c->recv_window >= 0 && c->send_window >= 0);
    ASSERT(c->budget <= c->budget_max);
    ASSERT(c->tx.head <= c->tx.tail && c->tx.tail <= c->tx.size);
    for (size_t i = 0; i < c->stream_count; i++) {
        const mote_h2_stream *stream = &c->streams[i];
        if (stream->id == 0)
            continue;
        active++;
        owing += stream->state == MOTE_H2_STATE_RESET_OWED || (stream->flags & 2); /* credit */
        ASSERT((int64_t)stream->recv_window + stream->credit <= 65535 + 2000);
    }
    ASSERT(active == c->active && (c->error < 0 || owing == c->owing_streams));
}

static void take_output(fuzz_log *log)
{
    size_t len;
    const uint8_t *p;

    full |= mote_h2_tx_space(&s.h2) < 64;
    while ((p = mote_h2_peek(&s.h2, &len))) {
        fuzz_put(log, p, len);
        mote_h2_ack(&s.h2, len);
    }
}

static void respond(mote_h2_stream *stream)
{
    static const mote_hpack_field ok = MOTE_HPACK_STATIC(8), name = MOTE_HPACK_FIELD("x", "y");

    mote_h2_headers_begin(&s.h2, stream);
    mote_h2_put(&s.h2, &ok);
    mote_h2_put(&s.h2, &name);
    mote_h2_headers_end(&s.h2, true);
}

static void request(void)
{
    static const mote_hpack_field get = MOTE_HPACK_STATIC(2), http = MOTE_HPACK_STATIC(6),
                                  path = MOTE_HPACK_FIELD(":path", "/a");
    mote_h2_stream *stream;

    if (mote_h2_open(&s.h2, &stream) < 0)
        return;
    mote_h2_headers_begin(&s.h2, stream);
    mote_h2_put(&s.h2, &get);
    mote_h2_put(&s.h2, &http);
    mote_h2_put(&s.h2, &path);
    mote_h2_headers_end(&s.h2, true);
}

static void note(fuzz_log *log, const mote_h2_event *ev)
{
    if (ev->type == MOTE_H2_DATA) { /* how content is cut is up to the chunks */
        fuzz_put(log, ev->data, ev->len);
        if (!ev->end_stream)
            return;
    }
    fuzz_put_number(log, ev->type | (uint32_t)ev->end_stream << 8 | (uint32_t)ev->trailers << 9 |
                             (uint32_t)ev->truncated << 10);
    if (ev->type == MOTE_H2_HEADERS)
        fuzz_put_number(log, ev->status);
    if (ev->type == MOTE_H2_FIELD) {
        fuzz_put(log, ev->field.name, ev->field.name_len);
        fuzz_put(log, ev->field.value, ev->field.value_len);
        fuzz_put_number(log, (uint32_t)ev->kind | (uint32_t)ev->field.flags << 8 |
                                 (uint32_t)ev->field.name_index << 16 |
                                 (uint32_t)ev->field.full_index << 24);
    }
    if (ev->type == MOTE_H2_RESET || ev->type == MOTE_H2_GOAWAY)
        fuzz_put_number(log, ev->code);
}

static int feed(const uint8_t *in, size_t len, fuzz_log *events, fuzz_log *output)
{
    mote_h2_event ev;
    size_t used;
    int r;

    while ((r = mote_h2_recv(&s.h2, in, len, &used, &ev)) > 0) {
        in += used;
        len -= used;
        note(events, &ev);
        if (ev.type == MOTE_H2_DATA)
            mote_h2_consume(&s.h2, ev.stream, ev.len);
        else if (ev.type == MOTE_H2_HEADERS && ev.end_stream && s.h2.server)
            respond(ev.stream);
        else if (ev.type == MOTE_H2_SETTINGS && !s.h2.server)
            request();
        check();
        take_output(output);
    }
    take_output(output);
    return r;
}

/* Without input or time nothing happens. */
static void check_silence(void)
{
    mote_h2_event ev;
    size_t used, len;

    if (s.h2.error == 0 && s.h2.sweep == 0 && s.h2.frame.remaining > 0)
        ASSERT(mote_h2_recv(&s.h2, NULL, 0, &used, &ev) == 0);
    ASSERT(mote_h2_peek(&s.h2, &len) == NULL);
}

static void restore_from_copy(void)
{
    memcpy(&copy, &s, sizeof s);
    memset(&s, 0xa5, sizeof s);
    memcpy(&s, &copy, sizeof s);
}

static void run(const uint8_t *data, size_t size, uint8_t mode, size_t chunk, unsigned restore,
                fuzz_log *events, fuzz_log *output)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    int r = 0;

    init(mode);
    take_output(output);
    if (mode & 1)
        request();
    if (mode & 2)
        r = feed((const uint8_t *)preface + (mode & 1 ? 24 : 0), mode & 1 ? 9 : 33, events, output);
    for (size_t at = 0, n; at < size && r >= 0; at += n) {
        n = size - at < chunk ? size - at : chunk;
        r = feed(data + at, n, events, output);
        check_silence();
        if (restore-- == 0)
            restore_from_copy();
    }
    fuzz_put_number(events, (uint32_t)r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fuzz_log events[3], output[3];

    if (size < 3)
        return 0;
    full = false;
    for (int i = 0; i < 3; i++)
        events[i].len = output[i].len = 0;
    dynamic = &mote_hpack_dynamic_table;
    run(data + 3, size - 3, data[0], SIZE_MAX, UINT32_MAX, &events[0], &output[0]);
    run(data + 3, size - 3, data[0], 1 + data[1] % 64u, data[2], &events[1], &output[1]);
    dynamic = data[0] & 1 ? dynamic : repeating;
    run(data + 3, size - 3, data[0], SIZE_MAX, data[2], &events[2], &output[2]);
    ASSERT(fuzz_same(&events[0], &events[2]) && fuzz_same(&output[0], &output[2]));
    ASSERT(full || fuzz_same(&events[0], &events[1]));
    ASSERT(full || fuzz_same(&output[0], &output[1]));
    return 0;
}
