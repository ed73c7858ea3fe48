/* Mutations of header blocks: fields are decoded, changed and encoded again. */
#include "mutator_internal.h"

#include "../hpack/hpack.h"

enum {
    MAX_FIELDS = 512,
    TABLE = 4096,
    MAX_OLD = TABLE / 32,
    OVERHEAD = 32,
    FIRST_DYNAMIC = 62,
    MAX_UPDATES = 32
};

typedef struct {
    const char *name, *value;
    size_t name_len, value_len;
    size_t frame; /* of its block */
} field;

typedef struct {
    field fields[MAX_FIELDS];
    size_t count;
    /* The peer's table before the blocks that are encoded anew, its newest entry first, and the
     * size that it may have. */
    field old[MAX_OLD];
    size_t old_count, table_max;
    size_t inserted[64]; /* fields that this rewriting has put into the table, in order */
    size_t inserted_count, inserted_size;
} header_list;

/* A decoder, with memory that stays where it is. */
typedef struct {
    mote_hpack_decoder d;
    uint16_t table[MOTE_HPACK_TABLE_MEMORY(TABLE) / 2];
    char scratch[1 << 15];
} decoder;

static decoder now;
static header_list list;

/* What was said before the inputs begin. */
static struct {
    bool known, magic;
    uint32_t last_id;
    mote_hpack_decoder d;
    uint16_t table[MOTE_HPACK_TABLE_MEMORY(TABLE) / 2];
} context;

uint32_t mote_mutator_context_id(void)
{
    return context.last_id;
}

/* ---- decoding ------------------------------------------------------------------------------ */

static void start_decoder(void)
{
    mote_hpack_decoder_init(&now.d, now.table, TABLE, TABLE, now.scratch, sizeof now.scratch);
    if (context.known) {
        now.d = context.d;
        memcpy(now.table, context.table, sizeof now.table);
    }
}

static const char *keep_text(conversation *c, const char *text, size_t len)
{
    uint8_t *p = take_bytes(c, len);

    return p && len > 0 ? memcpy(p, text, len) : (void *)p;
}

static bool keep_field(conversation *c, field *to, const mote_hpack_field_view *v, size_t at)
{
    *to = (field){keep_text(c, v->name, v->name_len), keep_text(c, v->value, v->value_len),
                  v->name_len, v->value_len, at};
    return to->name && to->value;
}

/* The fields of the bytes of a block; false: it does not decode, or there is no room. */
static bool decode_piece(conversation *c, header_list *h, const uint8_t *in, size_t len, size_t at)
{
    mote_hpack_field_view v;
    size_t used;
    int r;

    while ((r = mote_hpack_decode(&now.d, in, len, &used, &v)) > 0) {
        in += used;
        len -= used;
        if (h->count == MAX_FIELDS || !keep_field(c, &h->fields[h->count], &v, at))
            return false;
        h->count++;
    }
    return r == 0;
}

/* The frame behind the block that begins at `at`; 0: it has no end. */
static size_t block_end(const conversation *c, size_t at)
{
    while (!(c->frames[at].flags & END_HEADERS)) {
        at++;
        if (at >= c->count || c->frames[at].type != CONTINUATION)
            return 0;
    }
    return at + 1;
}

static bool decode_block(conversation *c, header_list *h, size_t at)
{
    size_t end = block_end(c, at), len;
    const uint8_t *in = mote_mutator_content(&c->frames[at], &len);
    bool ok = end > 0 && decode_piece(c, h, in, len, at);

    for (size_t i = at + 1; ok && i < end; i++)
        ok = decode_piece(c, h, c->frames[i].payload, c->frames[i].len, at);
    return ok && mote_hpack_decoder_end(&now.d) == 0;
}

/* The table as it is now, its newest entry first. */
static void note_table(conversation *c, header_list *h)
{
    mote_hpack_field_view v;
    size_t n = 0;

    h->table_max = now.d.table.max;
    while (n < MAX_OLD && mote_hpack_dynamic_table.field(&now.d, n, &v) == 1 &&
           keep_field(c, &h->old[n], &v, 0))
        n++;
    h->old_count = n;
}

/* The fields of all blocks, as far as they decode, and the table before the block at `from`, or, if
 * that is c->count, behind all of them. */
static void decode_blocks(conversation *c, header_list *h, size_t from)
{
    bool noted = false;

    h->count = h->old_count = h->inserted_count = h->inserted_size = 0;
    h->table_max = 0;
    start_decoder();
    for (size_t i = 0; i < c->count; i++) {
        if (i == from) {
            note_table(c, h);
            noted = true;
        }
        if (c->frames[i].type == HEADERS && !decode_block(c, h, i)) {
            while (h->count > 0 && h->fields[h->count - 1].frame == i)
                h->count--; /* half a block */
            return;
        }
    }
    if (!noted)
        note_table(c, h);
}

/* ---- changes ------------------------------------------------------------------------------- */

static bool has_name(const field *f, const char *name)
{
    return f->name_len == strlen(name) && memcmp(f->name, name, f->name_len) == 0;
}

static bool is_kept(const conversation *c, const field *f)
{
    for (const char *const *k = c->config->keep; k && *k; k++) {
        if (has_name(f, *k))
            return true;
    }
    return false;
}

/* A text of its own, changed as plain bytes are. */
static void change_text(conversation *c, const char **text, size_t *len)
{
    uint8_t *bytes = (uint8_t *)*text;

    mote_mutator_plain_bytes(c, &bytes, len);
    *text = (const char *)bytes;
}

static void change_field(conversation *c, header_list *h, size_t at)
{
    /* clang-format off */
    static const char *const names[] = {
        ":method", ":path", ":status", ":authority", "te", "host", "connection", "content-length",
        "cookie", "UPPER", "", "x", "grpc-timeout", "content-type", "expect", "transfer-encoding",
        "grpc-status", "grpc-message", "grpc-encoding",
    };
    static const char *const values[] = {
        "", "GET", "POST", "/", "*", "200", "100", "trailers", " ", "0", "18446744073709551616",
        "a\nb", "1S", "gzip",
    };
    /* clang-format on */
    field *f = &h->fields[at];
    size_t block = f->frame;
    const char *name = names[roll(c, sizeof names / sizeof names[0])];
    const char *value = values[roll(c, sizeof values / sizeof values[0])];

    if (is_kept(c, f))
        return;
    switch (roll(c, 8)) {
    case 0:
        f->name = name;
        f->name_len = strlen(name);
        break;
    case 1:
        f->value = value;
        f->value_len = strlen(value);
        break;
    case 2: /* gone, by another one in its place */
        *f = h->fields[roll(c, (uint32_t)h->count)];
        f->frame = block;
        break;
    case 3:
        if (h->count == MAX_FIELDS)
            break;
        memmove(f + 1, f, (h->count - at) * sizeof *f);
        h->count++;
        break;
    case 4:
        f->value_len = roll(c, (uint32_t)f->value_len + 1);
        break;
    case 5:
        change_text(c, &f->name, &f->name_len);
        break;
    default:
        change_text(c, &f->value, &f->value_len);
    }
}

/* ---- encoding ------------------------------------------------------------------------------ */

static size_t put_integer(uint8_t *out, unsigned first, unsigned bits, size_t value)
{
    size_t mask = (1u << bits) - 1, n = 1;

    out[0] = (uint8_t)(first | (value < mask ? value : mask));
    if (value < mask)
        return 1;
    for (value -= mask; value >= 128; value >>= 7)
        out[n++] = (uint8_t)(value | 128);
    out[n++] = (uint8_t)value;
    return n;
}

static size_t put_string(conversation *c, uint8_t *out, const char *text, size_t len)
{
    size_t n;

    if (roll(c, 2)) {
        n = put_integer(out, 0, 7, len);
        memcpy(out + n, text, len);
        return n + len;
    }
    size_t coded = mote_hpack_huffman_size(text, len);
    n = put_integer(out, 0x80, 7, coded);
    mote_hpack_huffman_encode(text, len, out + n);
    return n + coded;
}

static bool same(const field *a, const field *b)
{
    return a->name_len == b->name_len && a->value_len == b->value_len &&
           memcmp(a->name, b->name, a->name_len) == 0 &&
           memcmp(a->value, b->value, a->value_len) == 0;
}

/* An entry that was there before the rewriting, unless it has been pushed out since. 0: none. */
static size_t old_index(const header_list *h, const field *f)
{
    size_t size = h->inserted_size;

    for (size_t i = 0; i < h->old_count; i++) {
        size += h->old[i].name_len + h->old[i].value_len + OVERHEAD;
        if (size > h->table_max)
            return 0;
        if (same(&h->old[i], f))
            return FIRST_DYNAMIC + h->inserted_count + i;
    }
    return 0;
}

/* The index of a field in the tables; 0: none, or it is not to be used. */
static size_t find_index(conversation *c, const header_list *h, const field *f, unsigned full)
{
    size_t old = old_index(h, f);

    for (size_t i = 0; i < h->inserted_count; i++) {
        if (same(&h->fields[h->inserted[i]], f) && roll(c, 4))
            return FIRST_DYNAMIC + h->inserted_count - 1 - i;
    }
    if (full > 0 && roll(c, 4))
        return full;
    return roll(c, 4) ? old : 0;
}

/* One field in any of its representations. What it enters into the table is remembered, so that
 * references to it are right. */
static size_t encode_field(conversation *c, header_list *h, size_t at, uint8_t *out)
{
    static const uint8_t firsts[] = {0x40, 0x40, 0x00, 0x10};
    const field *f = &h->fields[at];
    unsigned full, first = firsts[roll(c, 4)];
    unsigned name = mote_hpack_static_find(f->name, f->name_len, f->value, f->value_len, &full);
    size_t n, size = f->name_len + f->value_len + OVERHEAD, index = find_index(c, h, f, full);

    if (index > 0)
        return put_integer(out, 0x80, 7, index);
    if (h->inserted_count == 64 || h->inserted_size + size > h->table_max)
        first &= 0x10;
    if (first == 0x40) {
        h->inserted[h->inserted_count++] = at;
        h->inserted_size += size;
    }
    n = put_integer(out, first, first == 0x40 ? 6 : 4, roll(c, 8) ? name : 0);
    if (out[0] == first)
        n += put_string(c, out + n, f->name, f->name_len);
    return n + put_string(c, out + n, f->value, f->value_len);
}

/* A block in the frames that it had: each as long as it was, and the last one takes the rest. */
static void put_block(conversation *c, size_t at, uint8_t *block, size_t n)
{
    size_t end = block_end(c, at), len;

    c->frames[at].flags &= (uint8_t) ~(PADDED | PRIORITY_FLAG);
    for (size_t i = at; i < end; i++) {
        frame *f = &c->frames[i];
        len = i + 1 == end || f->len > n ? n : f->len;
        f->payload = block;
        f->len = len;
        f->more = 0;
        block += len;
        n -= len;
    }
}

static size_t room_for_block(const header_list *h, size_t from)
{
    size_t room = 64;

    for (size_t k = from; k < h->count && h->fields[k].frame == h->fields[from].frame; k++)
        room += 4 * (h->fields[k].name_len + h->fields[k].value_len) + 24;
    return room;
}

/* Size updates, with which a block may begin, stay (RFC 7541 6.3). */
static size_t keep_updates(const frame *f, uint8_t *out)
{
    size_t len, n = 0;
    const uint8_t *in = mote_mutator_content(f, &len);

    while (n < len && n < MAX_UPDATES && (in[n] & 0xe0) == 0x20) {
        bool more = (in[n++] & 0x1f) == 0x1f;
        while (more && n < len)
            more = in[n++] & 0x80;
    }
    if (n >= MAX_UPDATES)
        return 0;
    memcpy(out, in, n);
    return n;
}

/* The blocks of the fields from `i` on. */
static void encode_blocks(conversation *c, header_list *h, size_t i)
{
    while (i < h->count) {
        size_t block = h->fields[i].frame, n;
        uint8_t *to = take_bytes(c, room_for_block(h, i));
        if (!to)
            return;
        n = keep_updates(&c->frames[block], to);
        for (; i < h->count && h->fields[i].frame == block; i++)
            n += encode_field(c, h, i, to + n);
        put_block(c, block, to, n);
    }
}

static size_t some_headers(conversation *c)
{
    size_t from = roll(c, (uint32_t)c->count);

    for (size_t i = 0; i < c->count; i++) {
        size_t at = (from + i) % c->count;
        if (c->frames[at].type == HEADERS)
            return at;
    }
    return c->count;
}

void mote_mutator_change_headers(conversation *c)
{
    size_t block = some_headers(c), first = 0, end;

    if (block == c->count || (c->config->frames && !(c->config->frames >> HEADERS & 1)))
        return;
    decode_blocks(c, &list, block);
    while (first < list.count && list.fields[first].frame < block)
        first++;
    for (end = first; end < list.count && list.fields[end].frame == block; end++) {}
    if (end == first)
        return;
    change_field(c, &list, first + roll(c, (uint32_t)(end - first)));
    encode_blocks(c, &list, first);
}

/* ---- calls --------------------------------------------------------------------------------- */

/* The fields of a block once more, for the frame at `to`. */
static void repeat_fields(header_list *h, size_t from, size_t to)
{
    for (size_t i = 0, count = h->count; i < count && h->count < MAX_FIELDS; i++) {
        if (h->fields[i].frame != from)
            continue;
        h->fields[h->count] = h->fields[i];
        h->fields[h->count++].frame = to;
    }
}

void mote_mutator_repeat_call(conversation *c)
{
    size_t block = some_headers(c), count = c->count, first;
    uint32_t id, fresh = mote_mutator_last_id(c) + 2;

    if (block == count || (c->config->frames && !(c->config->frames >> HEADERS & 1)))
        return;
    id = c->frames[block].id;
    decode_blocks(c, &list, count);
    first = list.count;
    for (size_t i = 0; i < count && c->count < MAX_FRAMES; i++) {
        if (c->frames[i].id != id)
            continue;
        c->frames[c->count] = c->frames[i];
        c->frames[c->count].id = fresh;
        if (c->frames[i].type == HEADERS)
            repeat_fields(&list, i, c->count);
        c->count++;
    }
    encode_blocks(c, &list, first);
}

bool mote_mutator_requests(conversation *c)
{
    if (c->magic || context.magic)
        return true;
    decode_blocks(c, &list, c->count);
    return list.count == 0 || !has_name(&list.fields[0], ":status");
}

/* The path of a stream, if it was said here. */
static const field *path_of(const conversation *c, const header_list *h, uint32_t id)
{
    for (size_t i = 0; i < h->count; i++) {
        if (c->frames[h->fields[i].frame].id == id && has_name(&h->fields[i], ":path"))
            return &h->fields[i];
    }
    return NULL;
}

const mote_mutator_method *mote_mutator_method_of(conversation *c, uint32_t id)
{
    const mote_mutator_config *config = c->config;
    const field *path = NULL;

    if (config->method_count > 0 && config->methods[0].path) {
        decode_blocks(c, &list, c->count);
        path = path_of(c, &list, id);
    }
    for (size_t i = 0; i < config->method_count; i++) {
        const mote_mutator_method *m = &config->methods[i];
        if (!m->path || (path && strlen(m->path) == path->value_len &&
                         memcmp(m->path, path->value, path->value_len) == 0))
            return m;
    }
    return NULL;
}

int mote_mutator_context(const uint8_t *said, size_t len)
{
    static conversation c;

    memset(&context, 0, sizeof context);
    if (len == 0)
        return 0;
    c.config = &(const mote_mutator_config){0};
    mote_mutator_parse(&c, said, len);
    context.magic = c.magic;
    context.last_id = mote_mutator_last_id(&c);
    start_decoder();
    for (size_t i = 0; i < c.count; i++) {
        list.count = 0;
        if (c.frames[i].type == HEADERS && !decode_block(&c, &list, i))
            return -1;
    }
    context.d = now.d;
    memcpy(context.table, now.table, sizeof context.table);
    context.known = true;
    return 0;
}
