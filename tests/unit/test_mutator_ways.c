/* Each way in which the mutator changes a conversation, alone: what is kept right, what is broken
 * on purpose, and that the config is heeded. */
#include "../../fuzz/mutator.h"
#include "../../fuzz/schema3.mote.h"
#include "../../hpack/hpack.h"
#include "../test.h"

enum { MAX = 1 << 15, HEADERS = 1, CONTINUATION = 9, PADDED = 8 };

static uint8_t bytes[MAX], seed[MAX];
static size_t len, seed_len;

typedef struct {
    const uint8_t *payload;
    size_t says, len;
    uint32_t id;
    uint8_t type, flags;
} frame_view;

static void put_frame(uint8_t type, uint8_t flags, uint32_t id, const void *payload, size_t n)
{
    const uint8_t head[9] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, type, flags, 0, 0,
                             (uint8_t)(id >> 8), (uint8_t)id};

    memcpy(seed + seed_len, head, 9);
    memcpy(seed + seed_len + 9, payload, n);
    seed_len += 9 + n;
}

static bool next_frame(const uint8_t **at, const uint8_t *end, frame_view *f)
{
    const uint8_t *p = *at;

    if (end - p < 9)
        return false;
    *f = (frame_view){p + 9, (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2], 0, 0, p[3], p[4]};
    f->id = (uint32_t)p[5] << 24 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 8 | p[8];
    f->len = f->says < (size_t)(end - f->payload) ? f->says : (size_t)(end - f->payload);
    *at = f->payload + f->len;
    return true;
}

/* Behind the preface, if there is one. */
static const uint8_t *frames_of(const uint8_t *in)
{
    return memcmp(in, "PRI ", 4) == 0 ? in + 24 : in;
}

static const char request_block[] = "\x83\x86\x44\x05/m/Up\x41\x01"
                                    "a\x40\x02te\x08trailers";

/* Preface, and a call with a message of fuzz.Three; its path enters the table. */
static void begin_requests(void)
{
    static const uint8_t call[] = {0, 0, 0, 0, 10, 0x72, 3, 'a', 'b', 'c', 0x18, 5, 0x8a, 2, 0};

    seed_len = 24;
    memcpy(seed, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    put_frame(4, 0, 0, "", 0);
    put_frame(HEADERS, 4, 1, request_block, sizeof request_block - 1);
    put_frame(0, 1, 1, call, sizeof call);
}

static void mutate(unsigned random)
{
    memcpy(bytes, seed, seed_len);
    len = LLVMFuzzerCustomMutator(bytes, seed_len, MAX, random);
}

/* ---- messages ------------------------------------------------------------------------------ */

static const mote_mutator_method three[] = {{NULL, &fuzz_Three_layout, NULL}};
static const mote_mutator_config messages = {
    .weights = {[MOTE_MUTATE_MESSAGES] = 1}, .methods = three, .method_count = 1};

/* All content of the conversation, in one. */
static size_t content(uint8_t *out)
{
    const uint8_t *at = frames_of(bytes);
    size_t n = 0;
    frame_view f;

    while (next_frame(&at, bytes + len, &f)) {
        if (f.type == 0) {
            memcpy(out + n, f.payload, f.len);
            n += f.len;
        }
    }
    return n;
}

static bool prefix_is_right(const uint8_t *in, size_t n)
{
    while (n >= 5) {
        size_t says = (size_t)in[1] << 24 | (size_t)in[2] << 16 | (size_t)in[3] << 8 | in[4];
        if (in[0] > 1 || says > n - 5)
            return false;
        in += 5 + says;
        n -= 5 + says;
    }
    return n == 0;
}

/* What a generation of mutants saw, each made of one that was right. */
typedef struct {
    unsigned right, wrong, decoded;
    size_t depth;
    uint64_t fields; /* bit N: number N */
} message_walk;

static size_t depth_of(const fuzz_Three *m)
{
    size_t depth = 0;

    for (; m; m = m->self)
        depth++;
    return depth;
}

static bool note_message(message_walk *w, const uint8_t *in, size_t n)
{
    static uint64_t memory[1 << 14];
    mote_pb_arena arena;
    fuzz_Three m;
    mote_pb_where where;

    mote_pb_arena_init(&arena, memory, sizeof memory);
    int r = mote_pb_decode(&fuzz_Three_decoder, &m, in, n, &arena, &where);
    if (r < 0)
        return false;
    w->decoded++;
    if (depth_of(&m) > w->depth)
        w->depth = depth_of(&m);
    return true;
}

static void note_fields(message_walk *w, const uint8_t *in, size_t n)
{
    mote_pb_splitter s;
    mote_pb_piece p;
    uint8_t buffer[64];
    size_t used;

    mote_pb_splitter_init(&s, buffer, sizeof buffer);
    while (mote_pb_split(&s, in, n, &used, &p) > 0) {
        if (p.number < 64)
            w->fields |= (uint64_t)1 << p.number;
        in += used;
        n -= used;
    }
}

static void walk_messages(message_walk *w, unsigned rounds)
{
    uint8_t all[MAX];

    for (unsigned i = 0; i < rounds; i++) {
        mutate(i + 1);
        size_t n = content(all);
        if (n < 5 || !prefix_is_right(all, n)) {
            w->wrong++;
            continue;
        }
        w->right++;
        size_t says = (size_t)all[3] << 8 | all[4];
        note_fields(w, all + 5, says);
        if (note_message(w, all + 5, says) && i % 3 == 0 && len < 2000) { /* what is kept grows */
            memcpy(seed, bytes, len);
            seed_len = len;
        }
    }
}

static void messages_keep_their_prefix_and_their_lengths(void)
{
    message_walk w = {0};

    begin_requests();
    mote_mutator_use(&messages);
    walk_messages(&w, 4000);
    CHECK(w.wrong > 50 && w.wrong < w.right / 5); /* on purpose, now and then */
    CHECK(w.decoded > w.right * 8 / 10);
    CHECK(w.depth >= 2);
}

static void fields_of_the_table_all_come(void)
{
    message_walk w = {0};

    begin_requests();
    mote_mutator_use(&messages);
    walk_messages(&w, 6000);
    for (size_t i = 0; i < fuzz_Three_layout.field_count; i++) {
        uint32_t number = fuzz_Three_layout.fields[i].key >> 3;
        if (number > 0 && number < 64 && !(w.fields >> number & 1)) {
            printf("field %u\n", number);
            CHECK(false);
        }
    }
}

/* Fuzzed as a client: what a server says is of the type of responses. */
static void responses_have_their_own_type(void)
{
    static const mote_mutator_method both[] = {{NULL, NULL, &fuzz_Three_layout}};
    static const mote_mutator_config config = {
        .weights = {[MOTE_MUTATE_MESSAGES] = 1}, .methods = both, .method_count = 1};
    message_walk w = {0};

    seed_len = 0;
    put_frame(4, 0, 0, "", 0);
    put_frame(HEADERS, 4, 1, "\x88", 1);
    put_frame(0, 0, 1, "\0\0\0\0\2\x18\5", 7);
    mote_mutator_use(&config);
    walk_messages(&w, 2000);
    CHECK(w.decoded > w.right * 8 / 10 && w.depth >= 2);
}

/* The table is that of the path, which a block before has entered into the table of HPACK. */
static void methods_are_told_by_their_paths(void)
{
    static const mote_mutator_method by_path[] = {{"/m/Down", &fuzz_Three_layout, NULL},
                                                  {"/m/Up", &fuzz_Three_layout, NULL}};
    mote_mutator_config config = {.weights = {[MOTE_MUTATE_MESSAGES] = 1}, .methods = by_path};
    message_walk known = {0}, unknown = {0};

    begin_requests();
    config.method_count = 2;
    mote_mutator_use(&config);
    walk_messages(&known, 2000);
    begin_requests();
    config.method_count = 1;
    walk_messages(&unknown, 2000);
    mote_mutator_use(NULL);
    CHECK(known.decoded > known.right * 8 / 10);
    CHECK(unknown.decoded < unknown.right * 7 / 10);
}

/* ---- damage -------------------------------------------------------------------------------- */

enum {
    CUT,
    LONGER,
    SHORTER,
    OVERSIZE,
    LONGEST,
    PAD_ROOM_LESS,
    PAD_ROOM,
    PAD_ROOM_MORE,
    STRAY,
    BACK,
    RESERVED,
    KINDS
};

static void note_padding(unsigned *seen, const frame_view *f)
{
    if (f->type > HEADERS || !(f->flags & PADDED) || f->len == 0)
        return;
    for (int kind = PAD_ROOM_LESS; kind <= PAD_ROOM_MORE; kind++)
        seen[kind] += f->payload[0] == (uint8_t)(f->len - 1 + (size_t)(kind - PAD_ROOM));
}

static void note_damage(unsigned *seen)
{
    const uint8_t *at = frames_of(bytes), *end = bytes + len;
    uint32_t last = 0;
    frame_view f = {0};

    while (next_frame(&at, end, &f)) {
        seen[OVERSIZE] += f.says == 16385 && f.len == 16385;
        seen[LONGEST] += f.says == 0xffffff;
        seen[STRAY] += f.type == CONTINUATION && f.id != last;
        seen[BACK] += f.type == HEADERS && f.id > 0 && f.id < last;
        seen[RESERVED] += f.id >> 31;
        seen[LONGER] += f.says > f.len && f.says < 16384;
        note_padding(seen, &f);
        last = f.id & 0x7fffffff;
    }
    seen[CUT] += len < seed_len && at == end;
    seen[SHORTER] += len == seed_len && at != end;
}

static void damage_of_each_kind_is_done(void)
{
    static const mote_mutator_config config = {.weights = {[MOTE_MUTATE_DAMAGE] = 1}};
    unsigned seen[KINDS] = {0};

    begin_requests();
    put_frame(HEADERS, 5, 3, "\x83\x86\x84\xbf", 4);
    put_frame(HEADERS, 5, 5, "\x83\x86\x84\xbf", 4);
    mote_mutator_use(&config);
    for (unsigned i = 1; i <= 6000; i++) {
        mutate(i);
        note_damage(seen);
    }
    for (int kind = 0; kind < KINDS; kind++) {
        CHECK(seen[kind] >= 20);
        if (seen[kind] < 20)
            printf("kind %d: %u\n", kind, seen[kind]);
    }
}

/* ---- what is not to be changed ------------------------------------------------------------- */

static void chosen_fields_stay_as_they_are(void)
{
    static const char *const keep[] = {":path", "te", NULL};
    static const mote_mutator_config config = {.weights = {[MOTE_MUTATE_HEADERS] = 1},
                                               .keep = keep};
    static uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
    static char scratch[4096];

    begin_requests();
    mote_mutator_use(&config);
    for (unsigned i = 1; i <= 1000; i++) {
        const uint8_t *at;
        mote_hpack_decoder d;
        mote_hpack_field_view v;
        unsigned kept = 0;
        frame_view f = {0};
        size_t used;
        mutate(i);
        at = frames_of(bytes);
        CHECK(next_frame(&at, bytes + len, &f) && next_frame(&at, bytes + len, &f));
        mote_hpack_decoder_init(&d, table, 4096, 4096, scratch, sizeof scratch);
        for (; mote_hpack_decode(&d, f.payload, f.len, &used, &v) > 0; f.len -= used) {
            f.payload += used;
            kept |= v.value_len == 5 && memcmp(v.value, "/m/Up", 5) == 0 ? 1u : 0;
            kept |= v.value_len == 8 && memcmp(v.value, "trailers", 8) == 0 ? 2u : 0;
        }
        CHECK_INT(mote_hpack_decoder_end(&d), 0);
        CHECK_INT(kept, 3);
    }
}

static void only_chosen_frames_are_changed(void)
{
    static const mote_mutator_config config = {.weights = {8, 2, 8, 0, 8, 8, 0},
                                               .frames = 1u << 8 /* WINDOW_UPDATE */};
    unsigned added = 0;

    begin_requests();
    mote_mutator_use(&config);
    for (unsigned i = 1; i <= 2000; i++) {
        const uint8_t *at = frames_of(bytes), *old = frames_of(seed);
        frame_view f, g = {0};
        mutate(i);
        while (next_frame(&at, bytes + len, &f)) {
            if (f.type == 8) {
                added++;
                continue;
            }
            CHECK(next_frame(&old, seed + seed_len, &g));
            CHECK(g.says == f.says && g.id == f.id && g.flags == f.flags);
            CHECK(f.len == 0 || (g.payload && memcmp(f.payload, g.payload, f.len) == 0));
        }
    }
    CHECK(added > 30);
}

static unsigned hooked;

static size_t add_a_byte(void *context, uint8_t *data, size_t size, size_t max_size)
{
    hooked += *(unsigned *)context;
    if (size == max_size)
        return size;
    data[size] = 0x77;
    return size + 1;
}

static void the_hook_has_the_last_word(void)
{
    static unsigned one = 1;
    static const mote_mutator_config config = {.after = add_a_byte, .context = &one};

    begin_requests();
    mote_mutator_use(&config);
    hooked = 0;
    for (unsigned i = 1; i <= 500; i++) {
        mutate(i);
        CHECK_INT(bytes[len - 1], 0x77);
        len = LLVMFuzzerCustomCrossOver(seed, seed_len, seed, seed_len, bytes, MAX, i);
        CHECK_INT(bytes[len - 1], 0x77);
    }
    CHECK_INT(hooked, 1000);
}

/* ---- calls, and what was before ------------------------------------------------------------ */

static uint16_t peer_table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
static char peer_scratch[4096];
static mote_hpack_decoder peer;

/* Decodes the blocks of a conversation as its peer would; the ids, in order, and how many fields
 * came from the dynamic table. */
static int follow(const uint8_t *in, size_t n, uint32_t *ids, size_t *count, unsigned *indexed)
{
    const uint8_t *at = frames_of(in);
    mote_hpack_field_view v;
    frame_view f;
    size_t used;
    int r;

    for (*count = 0; next_frame(&at, in + n, &f);) {
        if (f.type != HEADERS)
            continue;
        if (*count < 8)
            ids[(*count)++] = f.id;
        do {
            *indexed += f.len > 0 && f.payload[0] >= 0x80 + 62;
            r = mote_hpack_decode(&peer, f.payload, f.len, &used, &v);
            f.payload += used;
            f.len -= used;
        } while (r > 0);
        if (r < 0 || mote_hpack_decoder_end(&peer) < 0)
            return -1;
    }
    return 0;
}

static void begin_peer(void)
{
    mote_hpack_decoder_init(&peer, peer_table, 4096, 4096, peer_scratch, sizeof peer_scratch);
}

static void calls_are_said_again_on_new_streams(void)
{
    static const mote_mutator_config config = {.weights = {[MOTE_MUTATE_CALLS] = 1}};
    uint32_t ids[8];
    unsigned indexed = 0;
    size_t count;

    begin_requests();
    mote_mutator_use(&config);
    for (unsigned i = 1; i <= 200; i++) {
        mutate(i);
        begin_peer();
        CHECK_INT(follow(bytes, len, ids, &count, &indexed), 0);
        CHECK(count >= 2);
        for (size_t k = 0; k < count; k++)
            CHECK_INT(ids[k], 1 + 2 * k);
    }
    CHECK(indexed > 100);
}

static void behind_a_snapshot_the_table_goes_on(void)
{
    static const mote_mutator_config config = {
        .weights = {[MOTE_MUTATE_CALLS] = 1, [MOTE_MUTATE_HEADERS] = 3}};
    uint32_t ids[8];
    unsigned indexed = 0, ignored = 0;
    static uint8_t before[MAX];
    size_t count, before_len;

    begin_requests();
    before_len = seed_len;
    memcpy(before, seed, seed_len);
    seed_len = 0;
    put_frame(HEADERS, 5, 3, "\x83\x86\xc0\xbf\xbe", 5); /* path, authority, te of the first */
    mote_mutator_use(&config);
    CHECK_INT(mote_mutator_context(before, before_len), 0);
    for (unsigned i = 1; i <= 2000; i++) {
        mutate(i);
        begin_peer();
        CHECK_INT(follow(before, before_len, ids, &count, &ignored), 0);
        CHECK_INT(follow(bytes, len, ids, &count, &indexed), 0);
        CHECK_INT(ids[0], 3);
        CHECK(count < 2 || ids[1] == 5);
    }
    CHECK(indexed > 2000);
    CHECK_INT(mote_mutator_context((const uint8_t *)"\0\0\1\1\4\0\0\0\1\xff", 10), -1);
    CHECK_INT(mote_mutator_context(NULL, 0), 0);
}

int main(void)
{
    RUN(messages_keep_their_prefix_and_their_lengths);
    RUN(fields_of_the_table_all_come);
    RUN(responses_have_their_own_type);
    RUN(methods_are_told_by_their_paths);
    RUN(damage_of_each_kind_is_done);
    RUN(chosen_fields_stay_as_they_are);
    RUN(only_chosen_frames_are_changed);
    RUN(the_hook_has_the_last_word);
    RUN(calls_are_said_again_on_new_streams);
    RUN(behind_a_snapshot_the_table_goes_on);
    return test_summary();
}
