/* HPACK beside libnghttp2: both accept the same blocks and find the same fields in them; and what
 * one encodes the other decodes.
 * First byte: table size / 16; the rest: blocks, each behind its length: a byte, or 255 and two
 * bytes. */
#include "../hpack/hpack.h"
#include "fuzz.h"

#include <nghttp2/nghttp2.h>

enum { MAX_FIELDS = 300 };

static uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2],
    table_back[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
static char scratch[65535], scratch_back[65535];
static mote_hpack_slot slots[8];

typedef struct {
    mote_hpack_decoder mote, mote_back;
    mote_hpack_encoder encoder;
    nghttp2_hd_inflater *peer, *peer_back;
    nghttp2_hd_deflater *deflater;
} pair;

/* Fields, and beside them which of them must never be indexed. */
typedef struct {
    fuzz_log text, never;
} field_list;

static void put_field(field_list *list, const void *name, size_t name_len, const void *value,
                      size_t value_len, uint8_t never)
{
    fuzz_put_number(&list->text, (uint32_t)name_len);
    fuzz_put(&list->text, name, name_len);
    fuzz_put_number(&list->text, (uint32_t)value_len);
    fuzz_put(&list->text, value, value_len);
    fuzz_put(&list->never, &never, 1);
}

static int mote_decode(mote_hpack_decoder *d, const uint8_t *in, size_t len, field_list *list)
{
    mote_hpack_field_view f;
    size_t used;
    int r;

    list->text.len = list->never.len = 0;
    while ((r = mote_hpack_decode(d, in, len, &used, &f)) > 0) {
        in += used;
        len -= used;
        ASSERT(!(f.flags & MOTE_HPACK_TOO_LONG));
        put_field(list, f.name, f.name_len, f.value, f.value_len,
                  (f.flags & MOTE_HPACK_NEVER_INDEX) != 0);
    }
    return r < 0 ? r : mote_hpack_decoder_end(d);
}

static int peer_decode(nghttp2_hd_inflater *d, const uint8_t *in, size_t len, field_list *list)
{
    list->text.len = list->never.len = 0;
    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t n = nghttp2_hd_inflate_hd2(d, &nv, &flags, in, len, 1);
        if (n < 0)
            return (int)n;
        in += n;
        len -= (size_t)n;
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            put_field(list, nv.name, nv.namelen, nv.value, nv.valuelen,
                      (nv.flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0);
        if (flags & NGHTTP2_HD_INFLATE_FINAL)
            break;
        if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && len == 0)
            break;
    }
    return nghttp2_hd_inflate_end_headers(d);
}

static const uint8_t *take(const uint8_t *at, uint8_t **text, size_t *len)
{
    uint32_t n;

    memcpy(&n, at, 4);
    *len = n;
    *text = (uint8_t *)at + 4;
    return at + 4 + n;
}

/* Secrets are never indexed, whatever is said (RFC 7541 7.1.3). */
static uint8_t marked(const nghttp2_nv *f)
{
    static const char *const secrets[] = {"authorization", "cookie", "proxy-authorization",
                                          "set-cookie"};

    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        if (f->namelen == strlen(secrets[i]) && memcmp(f->name, secrets[i], f->namelen) == 0)
            return 1;
    return (f->flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0;
}

/* The fields of a block, encoded by one and decoded by the other. */
static void cross(pair *p, const field_list *fields)
{
    static uint8_t out[1 << 20];
    static field_list back;
    nghttp2_nv nv[MAX_FIELDS];
    size_t count = fields->never.len, n = 0;
    const uint8_t *at = fields->text.bytes;

    if (count > MAX_FIELDS || fields->text.len > sizeof fields->text.bytes / 2)
        return;
    for (size_t i = 0; i < count; i++) {
        unsigned never = fields->never.bytes[i];
        nghttp2_nv *f = &nv[i];
        at = take(at, &f->name, &f->namelen);
        at = take(at, &f->value, &f->valuelen);
        f->flags = never ? NGHTTP2_NV_FLAG_NO_INDEX : 0;
        int r = mote_hpack_encode_literal(
            &p->encoder, (char *)f->name, f->namelen, (char *)f->value, f->valuelen,
            never ? MOTE_HPACK_NEVER_INDEX : 0, out + n, sizeof out - n);
        ASSERT(r > 0);
        n += (size_t)r;
    }
    ASSERT(peer_decode(p->peer_back, out, n, &back) == 0);
    ASSERT(fuzz_same(&fields->text, &back.text) && fields->never.len == back.never.len);
    for (size_t i = 0; i < count; i++)
        ASSERT(back.never.bytes[i] == marked(&nv[i]));
    ssize_t m = nghttp2_hd_deflate_hd(p->deflater, out, sizeof out, nv, count);
    ASSERT(m >= 0);
    ASSERT(mote_decode(&p->mote_back, out, (size_t)m, &back) == 0);
    ASSERT(fuzz_same(&fields->text, &back.text)); /* it marks short cookies by itself */
}

static void start(pair *p, size_t table_size)
{
    mote_hpack_decoder_init(&p->mote, table, 4096, 4096, scratch, sizeof scratch);
    mote_hpack_decoder_init(&p->mote_back, table_back, 4096, 4096, scratch_back,
                            sizeof scratch_back);
    mote_hpack_encoder_init(&p->encoder, slots, 8);
    if (nghttp2_hd_inflate_new(&p->peer) || nghttp2_hd_inflate_new(&p->peer_back) ||
        nghttp2_hd_deflate_new(&p->deflater, 4096))
        abort();
    if (table_size < 4096) {
        mote_hpack_decoder_limit(&p->mote, table_size);
        nghttp2_hd_inflate_change_table_size(p->peer, table_size);
    }
}

/* The length of the block that the input begins with, at most what is there; it is left behind. */
static size_t block_len(const uint8_t **data, size_t *size)
{
    size_t len = *(*data)++;

    (*size)--;
    if (len == 255 && *size >= 2) {
        len = (size_t)(*data)[0] << 8 | (*data)[1];
        *data += 2;
        *size -= 2;
    }
    return len < *size ? len : *size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static field_list ours, theirs;
    pair p;
    int r = 0;

    if (size < 1)
        return 0;
    start(&p, data[0] * 16u + 16u);
    data++;
    size--;
    while (size > 0 && r == 0) {
        size_t len = block_len(&data, &size);
        r = mote_decode(&p.mote, data, len, &ours);
        int other = peer_decode(p.peer, data, len, &theirs);
        if (r != MOTE_HPACK_ERR_INTEGER) /* each has a limit of its own for padded integers */
            ASSERT((r == 0) == (other == 0));
        if (r == 0) {
            ASSERT(fuzz_same(&ours.text, &theirs.text) && fuzz_same(&ours.never, &theirs.never));
            cross(&p, &ours);
        }
        data += len;
        size -= len;
    }
    nghttp2_hd_inflate_del(p.peer);
    nghttp2_hd_inflate_del(p.peer_back);
    nghttp2_hd_deflate_del(p.deflater);
    return 0;
}
