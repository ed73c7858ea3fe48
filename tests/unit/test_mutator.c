/* The mutator: what it makes of a conversation is still one. Compared with bits that are flipped at
 * random, a server follows its conversations much longer. */
#include "../../fuzz/mutator.h"
#include "../../h2/h2.h"
#include "../test.h"

enum { ROUNDS = 3000, MAX = 16384, PREFIX_BYTES = 3 };

static uint8_t seed_bytes[MAX], mutant[MAX];
static size_t seed_len;

static void read_seed(const char *path)
{
    FILE *f = fopen(path, "rb");

    if (!f)
        abort();
    seed_len = fread(seed_bytes, 1, sizeof seed_bytes, f) - PREFIX_BYTES;
    memmove(seed_bytes, seed_bytes + PREFIX_BYTES, seed_len);
    fclose(f);
}

/* Bytes that a server takes before it ends the connection. */
static size_t accepted(const uint8_t *in, size_t len)
{
    static mote_h2 h2;
    static mote_h2_stream streams[16];
    static uint8_t tx[4096];
    static uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
    static char scratch[4096];
    mote_h2_config config = {.server = true,
                             .streams = streams,
                             .stream_count = 16,
                             .tx = tx,
                             .tx_size = sizeof tx,
                             .table = table,
                             .table_size = 4096,
                             .scratch = scratch,
                             .scratch_size = sizeof scratch};
    size_t at = 0, used, n;
    mote_h2_event ev;
    int r;

    CHECK_INT(mote_h2_init(&h2, &config), 0);
    while ((r = mote_h2_recv(&h2, in + at, len - at, &used, &ev)) > 0) {
        at += used;
        while (mote_h2_peek(&h2, &n))
            mote_h2_ack(&h2, n);
    }
    return at + used;
}

static bool is_whole(const uint8_t *in, size_t len)
{
    size_t at = len >= 24 && memcmp(in, "PRI ", 4) == 0 ? 24 : 0;

    while (len - at >= 9) {
        size_t size = (size_t)in[at] << 16 | (size_t)in[at + 1] << 8 | in[at + 2];
        if (size > len - at - 9)
            return false;
        at += 9 + size;
    }
    return at == len;
}

/* Nothing that is wrong on purpose, and nothing plain. */
static const mote_mutator_config whole = {
    .weights = {[MOTE_MUTATE_FRAMES] = 6, [MOTE_MUTATE_CALLS] = 1, [MOTE_MUTATE_HEADERS] = 6}};

static void mutants_are_conversations_that_go_on(void)
{
    uint64_t plausible = 0, flipped = 0, original = accepted(seed_bytes, seed_len);
    unsigned changed = 0;
    uint32_t state = 7;

    CHECK_INT(original, seed_len);
    for (unsigned i = 0; i < ROUNDS; i++) {
        memcpy(mutant, seed_bytes, seed_len);
        size_t len = LLVMFuzzerCustomMutator(mutant, seed_len, MAX, i + 1);
        CHECK(len <= MAX);
        CHECK(is_whole(mutant, len));
        changed += len != seed_len || memcmp(mutant, seed_bytes, len) != 0;
        plausible += accepted(mutant, len);
        memcpy(mutant, seed_bytes, seed_len);
        for (int k = 0; k < 4; k++)
            mutant[24 + test_random(&state) % (seed_len - 24)] ^=
                (uint8_t)(1u << test_random(&state) % 8);
        flipped += accepted(mutant, seed_len);
    }
    printf("bytes that a server takes: %llu of %zu; with flipped bits: %llu\n",
           (unsigned long long)(plausible / ROUNDS), seed_len,
           (unsigned long long)(flipped / ROUNDS));
    CHECK(changed > ROUNDS * 8 / 10);
    CHECK(plausible > flipped * 11 / 10);
}

static void mutants_repeat_with_their_seed(void)
{
    static uint8_t again[MAX];

    for (unsigned i = 0; i < 100; i++) {
        memcpy(mutant, seed_bytes, seed_len);
        memcpy(again, seed_bytes, seed_len);
        size_t n = LLVMFuzzerCustomMutator(mutant, seed_len, MAX, i);
        CHECK_INT(LLVMFuzzerCustomMutator(again, seed_len, MAX, i), n);
        CHECK(memcmp(mutant, again, n) == 0);
    }
}

static void any_input_is_taken(void)
{
    uint32_t state = 1;

    for (unsigned i = 0; i < 2000; i++) {
        size_t len = i % 300;
        for (size_t k = 0; k < len; k++)
            mutant[k] = (uint8_t)test_random(&state);
        CHECK(LLVMFuzzerCustomMutator(mutant, len, 400, i) <= 400);
    }
}

static void two_conversations_become_one(void)
{
    for (unsigned i = 0; i < 200; i++) {
        size_t n =
            LLVMFuzzerCustomCrossOver(seed_bytes, seed_len, seed_bytes, seed_len, mutant, MAX, i);
        CHECK(is_whole(mutant, n));
    }
}

static void afl_gets_the_same(void)
{
    void *state = afl_custom_init(NULL, 5);
    uint8_t *out;

    for (unsigned i = 0; i < 200; i++) {
        size_t n = afl_custom_fuzz(state, seed_bytes, seed_len, &out, seed_bytes, seed_len, MAX);
        CHECK(n <= MAX && is_whole(out, n));
    }
    afl_custom_deinit(state);
}

int main(void)
{
    read_seed("fuzz/corpus/conversations/nghttp.server");
    mote_mutator_use(&whole);
    RUN(mutants_are_conversations_that_go_on);
    RUN(mutants_repeat_with_their_seed);
    RUN(any_input_is_taken);
    RUN(two_conversations_become_one);
    RUN(afl_gets_the_same);
    return test_summary();
}
