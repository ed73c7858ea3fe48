/* HPACK of mote beside libnghttp2: the same fields, the same Huffman policy, one run. What each
 * encoder writes is decoded by both decoders first, and must be the same fields.
 *
 * Prints a line for each case and round: case, direction, ns for a block of mote, of libnghttp2,
 * and the bytes that each encoder wrote for it. */
#define _POSIX_C_SOURCE 200809L
#include "../../hpack/hpack.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIELDS_MAX = 24, BLOCKS = 256, BLOCK_MAX = 1024, ROUNDS = 4000 };

typedef struct {
    const char *name;
    const mote_hpack_field *fields; /* a value that begins with '#' differs from block to block */
    size_t count;
} workload;

#define F MOTE_HPACK_FIELD
#define STATIC(index, name, value)                                                                 \
    {                                                                                              \
        name, value, sizeof(name) - 1, sizeof(value) - 1, index, 0                                 \
    }
#define CALL                                                                                       \
    STATIC(3, ":method", "POST"), STATIC(6, ":scheme", "http"),                                    \
        F(":path", "/telemetry.Collector/Upload"), F(":authority", "collector.example:50051"),     \
        F("te", "trailers"), F("content-type", "application/grpc"),                                \
        F("user-agent", "grpc-c/1.51 (linux)")

static const mote_hpack_field steady[] = {CALL, F("grpc-accept-encoding", "identity,gzip")};
static const mote_hpack_field unique[] = {CALL, F("x-request-id", "#")};
static const mote_hpack_field browser[] = {
    STATIC(2, ":method", "GET"),
    STATIC(7, ":scheme", "https"),
    F(":authority", "www.example.com"),
    F(":path", "#"),
    F("sec-ch-ua", "\"Chromium\";v=\"120\", \"Not A(Brand\";v=\"24\""),
    F("sec-ch-ua-mobile", "?0"),
    F("sec-ch-ua-platform", "\"Linux\""),
    F("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                    "Chrome/120.0.0.0 Safari/537.36"),
    F("accept", "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"),
    F("sec-fetch-site", "same-origin"),
    F("sec-fetch-mode", "no-cors"),
    F("sec-fetch-dest", "image"),
    F("referer", "https://www.example.com/gallery/index.html"),
    F("accept-encoding", "gzip, deflate, br"),
    F("accept-language", "en-US,en;q=0.9"),
    F("cookie", "session=0f3b9c7a51d24e6f8091a2b3c4d5e6f7; theme=dark"),
};
#undef F

static const workload workloads[] = {
    {"gRPC request, repeated", steady, sizeof steady / sizeof steady[0]},
    {"gRPC request, one unique field", unique, sizeof unique / sizeof unique[0]},
    {"browser request, unique path", browser, sizeof browser / sizeof browser[0]},
};

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "bench hpack: error: %s\n", what);
    exit(1);
}

/* The unique value of block i: a path or an id, as it would be. */
static char values[BLOCKS][32];
static size_t value_len[BLOCKS];

static void make_values(void)
{
    uint32_t x = 12345;

    for (size_t i = 0; i < BLOCKS; i++) {
        x = x * 1664525u + 1013904223u;
        value_len[i] = (size_t)snprintf(values[i], sizeof values[i], "/image/%08x%04zx", x, i);
    }
}

static const char *value_of(const mote_hpack_field *f, size_t block, size_t *len)
{
    if (f->value[0] == '#') {
        *len = value_len[block % BLOCKS];
        return values[block % BLOCKS];
    }
    *len = f->value_len;
    return f->value;
}

/* ---- mote ---------------------------------------------------------------------------------- */

static mote_hpack_slot slots[32];
static uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
static char scratch[512];

static size_t mote_encode(mote_hpack_encoder *e, const workload *w, size_t block, uint8_t *out)
{
    int n = mote_hpack_encode_start(e, out, BLOCK_MAX);
    size_t at = (size_t)n;

    for (size_t i = 0; i < w->count && n >= 0; i++, at += (size_t)n) {
        const mote_hpack_field *f = &w->fields[i];
        if (f->value[0] == '#')
            n = mote_hpack_encode_value(e, f, values[block % BLOCKS], value_len[block % BLOCKS],
                                        out + at, BLOCK_MAX - at);
        else
            n = mote_hpack_encode(e, f, out + at, BLOCK_MAX - at);
    }
    if (n < 0)
        fail("mote cannot encode");
    return at;
}

static size_t mote_decode(mote_hpack_decoder *d, const uint8_t *in, size_t len, const workload *w,
                          size_t block)
{
    mote_hpack_field_view f;
    size_t at = 0, used, fields = 0;
    int r;

    while ((r = mote_hpack_decode(d, in + at, len - at, &used, &f)) > 0) {
        at += used;
        if (w) {
            size_t n;
            const char *value = value_of(&w->fields[fields], block, &n);
            if (f.value_len != n || memcmp(f.value, value, n) != 0 ||
                f.name_len != w->fields[fields].name_len ||
                memcmp(f.name, w->fields[fields].name, f.name_len) != 0)
                fail("mote decoded another field");
        }
        fields++;
    }
    if (r < 0 || mote_hpack_decoder_end(d) < 0)
        fail("mote cannot decode");
    return fields;
}

/* ---- libnghttp2 ---------------------------------------------------------------------------- */

static void nv_of(const workload *w, size_t block, nghttp2_nv *nv)
{
    for (size_t i = 0; i < w->count; i++) {
        size_t len;
        const char *value = value_of(&w->fields[i], block, &len);
        nv[i] = (nghttp2_nv){(uint8_t *)w->fields[i].name, (uint8_t *)value, w->fields[i].name_len,
                             len, NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
    }
}

static size_t nghttp2_encode(nghttp2_hd_deflater *e, const nghttp2_nv *nv, size_t count,
                             uint8_t *out)
{
    ssize_t n = nghttp2_hd_deflate_hd(e, out, BLOCK_MAX, nv, count);

    if (n < 0)
        fail("libnghttp2 cannot encode");
    return (size_t)n;
}

static size_t nghttp2_decode(nghttp2_hd_inflater *d, const uint8_t *in, size_t len,
                             const workload *w, size_t block)
{
    size_t fields = 0;

    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t n = nghttp2_hd_inflate_hd2(d, &nv, &flags, in, len, 1);
        if (n < 0)
            fail("libnghttp2 cannot decode");
        in += n;
        len -= (size_t)n;
        if (flags & NGHTTP2_HD_INFLATE_EMIT) {
            size_t value;
            if (w && (value_of(&w->fields[fields], block, &value), nv.valuelen != value))
                fail("libnghttp2 decoded another field");
            fields++;
        }
        if (flags & NGHTTP2_HD_INFLATE_FINAL)
            break;
        if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && len == 0)
            break;
    }
    nghttp2_hd_inflate_end_headers(d);
    return fields;
}

/* ---- a case -------------------------------------------------------------------------------- */

typedef struct {
    uint8_t bytes[BLOCKS][BLOCK_MAX];
    size_t len[BLOCKS];
} blocks;

static blocks ours, theirs;
static volatile size_t sum;

/* A value that is met again would be in the table, so each round of BLOCKS has new ones: the last
 * digit of the value changes with the round, outside of the measured time. */
static void renew_values(size_t round)
{
    for (size_t i = 0; i < BLOCKS; i++)
        for (size_t digit = 0; digit < 4; digit++)
            values[i][value_len[i] - 1 - digit - 4] =
                "0123456789abcdef"[(round >> 4 * digit ^ i) & 15];
}

static void check(const workload *w)
{
    static nghttp2_hd_deflater *e;
    nghttp2_hd_inflater *d;
    mote_hpack_encoder me;
    mote_hpack_decoder md;
    nghttp2_nv nv[FIELDS_MAX];

    mote_hpack_encoder_init(&me, slots, 32);
    nghttp2_hd_deflate_new(&e, 4096);
    for (size_t i = 0; i < BLOCKS; i++) {
        nv_of(w, i, nv);
        ours.len[i] = mote_encode(&me, w, i, ours.bytes[i]);
        theirs.len[i] = nghttp2_encode(e, nv, w->count, theirs.bytes[i]);
    }
    const blocks *all[] = {&ours, &theirs};
    for (int k = 0; k < 2; k++) {
        mote_hpack_decoder_init(&md, table, 4096, 4096, scratch, sizeof scratch);
        nghttp2_hd_inflate_new(&d);
        for (size_t i = 0; i < BLOCKS; i++) {
            if (mote_decode(&md, all[k]->bytes[i], all[k]->len[i], w, i) != w->count ||
                nghttp2_decode(d, all[k]->bytes[i], all[k]->len[i], w, i) != w->count)
                fail("fields are missing");
        }
        nghttp2_hd_inflate_del(d);
    }
    nghttp2_hd_deflate_del(e);
}

static void measure(const workload *w)
{
    double encode[2] = {0}, decode[2] = {0};
    size_t bytes[2] = {0};
    nghttp2_hd_deflater *e;
    nghttp2_hd_inflater *d;
    mote_hpack_encoder me;
    mote_hpack_decoder md;
    static nghttp2_nv nv[BLOCKS][FIELDS_MAX];

    mote_hpack_encoder_init(&me, slots, 32);
    mote_hpack_decoder_init(&md, table, 4096, 4096, scratch, sizeof scratch);
    nghttp2_hd_deflate_new(&e, 4096);
    nghttp2_hd_inflate_new(&d);
    for (size_t round = 0; round <= ROUNDS; round++) {
        if (round == 1) /* the first round fills the tables */
            encode[0] = encode[1] = decode[0] = decode[1] = 0;
        renew_values(round);
        for (size_t i = 0; i < BLOCKS; i++)
            nv_of(w, i, nv[i]);
        double t0 = now_ns();
        for (size_t i = 0; i < BLOCKS; i++)
            ours.len[i] = mote_encode(&me, w, i, ours.bytes[i]);
        double t1 = now_ns();
        for (size_t i = 0; i < BLOCKS; i++)
            theirs.len[i] = nghttp2_encode(e, nv[i], w->count, theirs.bytes[i]);
        double t2 = now_ns();
        for (size_t i = 0; i < BLOCKS; i++)
            sum += mote_decode(&md, ours.bytes[i], ours.len[i], NULL, 0);
        double t3 = now_ns();
        for (size_t i = 0; i < BLOCKS; i++)
            sum += nghttp2_decode(d, theirs.bytes[i], theirs.len[i], NULL, 0);
        double t4 = now_ns();
        encode[0] += t1 - t0, encode[1] += t2 - t1, decode[0] += t3 - t2, decode[1] += t4 - t3;
    }
    bytes[0] = ours.len[BLOCKS - 1], bytes[1] = theirs.len[BLOCKS - 1];
    for (int k = 0; k < 2; k++)
        encode[k] /= (double)ROUNDS * BLOCKS, decode[k] /= (double)ROUNDS * BLOCKS;
    printf("%s\tencode\t%.1f\t%.1f\t%zu\t%zu\n", w->name, encode[0], encode[1], bytes[0], bytes[1]);
    printf("%s\tdecode\t%.1f\t%.1f\t%zu\t%zu\n", w->name, decode[0], decode[1], bytes[0], bytes[1]);
    nghttp2_hd_deflate_del(e);
    nghttp2_hd_inflate_del(d);
}

int main(void)
{
    make_values();
    for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
        check(&workloads[i]);
        measure(&workloads[i]);
    }
    return 0;
}
