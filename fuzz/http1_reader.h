/* What an engine behind mote_http1 is told: every request as a text, each answered at its end. */
#ifndef HTTP1_READER_H
#define HTTP1_READER_H

#include "../grpc/web/http1.h"
#include "fuzz.h"

static mote_h2 reader;
static mote_h2_stream reader_streams[2];
static uint8_t reader_tx[1 << 12], reader_scratch[1 << 14];
static uint16_t reader_table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
static mote_http1 http1;
static uint64_t http1_memory[MOTE_HTTP1_MEMORY / 8];

/* One run: what the reader was told, and what was written. */
typedef struct {
    fuzz_log told, output;
    bool ended;
} http1_run;
static http1_run *run;

static void answer(mote_h2_stream *stream)
{
    static const mote_hpack_field status = MOTE_HPACK_STATIC(8);

    mote_h2_headers_begin(&reader, stream);
    mote_h2_put(&reader, &status);
    mote_h2_headers_end(&reader, true);
}

static void on_reader_event(const mote_h2_event *ev)
{
    if (ev->type == MOTE_H2_FIELD) {
        fuzz_put(&run->told, ev->field.name, ev->field.name_len);
        fuzz_put(&run->told, ": ", 2);
        fuzz_put(&run->told, ev->field.value, ev->field.value_len);
        fuzz_put(&run->told, "\n", 1);
    }
    if (ev->type == MOTE_H2_HEADERS)
        fuzz_put(&run->told, "--\n", 3);
    if (ev->type == MOTE_H2_DATA && ev->len > 0) {
        fuzz_put(&run->told, ev->data, ev->len);
        mote_h2_consume(&reader, ev->stream, ev->len);
    }
    if (ev->type == MOTE_H2_RESET)
        fuzz_put(&run->told, "\nRESET\n", 7);
    if ((ev->type == MOTE_H2_HEADERS || ev->type == MOTE_H2_DATA) && ev->end_stream) {
        fuzz_put(&run->told, "\nEND\n", 5);
        answer(ev->stream);
    }
}

static bool reader_input(void *self, const uint8_t *in, size_t len)
{
    static const uint8_t nothing;
    mote_h2_event ev;
    size_t used, at = 0;
    int r;

    (void)self;
    in = in ? in : &nothing;
    while ((r = mote_h2_recv(&reader, in + at, len - at, &used, &ev)) > 0) {
        on_reader_event(&ev);
        at += used;
    }
    return r == 0;
}

static const uint8_t *reader_peek(void *self, size_t *len)
{
    (void)self;
    return mote_h2_peek(&reader, len);
}

static void reader_ack(void *self, size_t len)
{
    (void)self;
    mote_h2_ack(&reader, len);
}

static void begin_run(http1_run *r)
{
    static const mote_http1_engine engine = {reader_input, reader_peek, reader_ack};
    const mote_h2_config config = {.server = true,
                                   .streams = reader_streams,
                                   .stream_count = 2,
                                   .tx = reader_tx,
                                   .tx_size = sizeof reader_tx,
                                   .table = reader_table,
                                   .table_size = 4096,
                                   .scratch = reader_scratch,
                                   .scratch_size = sizeof reader_scratch,
                                   .max_list_size = 1 << 20};

    run = r;
    run->told.len = run->output.len = 0;
    run->ended = false;
    ASSERT(mote_h2_init(&reader, &config) == 0);
    ASSERT(mote_http1_init(&http1, &engine, NULL, http1_memory, sizeof http1_memory) == 0);
    mote_http1_tick(&http1, 1);
}

static void write_all(void)
{
    const uint8_t *p;
    size_t len;

    while ((p = mote_http1_peek(&http1, &len))) {
        ASSERT(len > 0);
        fuzz_put(&run->output, p, len);
        mote_http1_ack(&http1, len);
    }
}

/* Bytes of a client, in pieces, until the connection ends. */
static void feed(const uint8_t *data, size_t size, size_t piece)
{
    size_t used;

    for (size_t at = 0; at < size && !run->ended; at += used) {
        size_t n = size - at < piece ? size - at : piece;
        int r = mote_http1_recv(&http1, data + at, n, &used);
        ASSERT(used <= n);
        used = r == 0 ? n : used;
        size_t before = run->output.len;
        write_all();
        ASSERT(r <= 0 || run->output.len > before);
        run->ended = r < 0;
    }
    if (!run->ended)
        run->ended = mote_http1_recv(&http1, NULL, 0, &used) < 0;
    write_all();
}

#endif
