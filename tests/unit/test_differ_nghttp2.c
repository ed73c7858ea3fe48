/* mote's server of HTTP/2 beside libnghttp2's: each conversation of fuzz/seeds/http2.txt, and
 * mutants of them by a fixed seed, have the same fate but for what the lists name; and without the
 * lists it is seen where they are known to differ. */
#include "../../fuzz/differ.h"
#include "../../fuzz/frames.h"
#include "../../fuzz/mutator.h"
#include "../test.h"

enum { MUTANTS = 12, MUTANT_MAX = 4096 };

static char *read_text(char *text, size_t room, const char *path)
{
    FILE *f = fopen(path, "rb");

    if (!f)
        abort();
    text[fread(text, 1, room - 1, f)] = '\0';
    fclose(f);
    return text;
}

static void check(const mote_differ *d, const char *name, int name_len, const uint8_t *in,
                  size_t len)
{
    mote_difference found[8];
    size_t n = mote_differ_compare(d, in, len, found, 8);

    CHECK(n != SIZE_MAX);
    for (size_t i = 0; i < n; i++) {
        CHECK(found[i].open);
        if (!found[i].open)
            printf("%.*s: %s of stream %u: mote %s, libnghttp2 %s, at %s\n", name_len, name,
                   mote_differs_name(found[i].kind), (unsigned)found[i].stream, found[i].ours,
                   found[i].theirs, found[i].cause);
    }
}

static void only_what_the_lists_name_differs(void)
{
    static char seeds[1 << 18], rules[1 << 16];
    static uint8_t bytes[1 << 17];
    size_t len = strlen(read_text(rules, sizeof rules, "fuzz/differ.rules"));
    const char *text = read_text(seeds, sizeof seeds, "fuzz/seeds/http2.txt");
    mote_differ d = {&mote_differ_h2, &mote_differ_nghttp2, rules, false, 0};
    mote_differ_seed seed;

    read_text(rules + len, sizeof rules - len, "fuzz/differ-nghttp2.rules");
    for (unsigned n = 0; mote_differ_next_seed(&text, bytes, sizeof bytes, &seed); n++) {
        check(&d, seed.name, (int)seed.name_len, bytes, seed.len);
        len = seed.len < MUTANT_MAX ? seed.len : MUTANT_MAX;
        for (unsigned i = 0; i < MUTANTS; i++) {
            len = LLVMFuzzerCustomMutator(bytes, len, MUTANT_MAX, n * MUTANTS + i);
            check(&d, seed.name, (int)seed.name_len, bytes, len);
        }
    }
}

/* Seeds whose words of both are known. */
static void known_differences_are_found(void)
{
    static const struct {
        const char *seed;
        mote_differs kind;
        const char *ours, *theirs;
    } known[] = {
        {"3.4 other preface", MOTE_DIFFERS_CONNECTION, "GOAWAY PROTOCOL_ERROR", "closed"},
        {"5.1 DATA behind END_STREAM", MOTE_DIFFERS_CONNECTION,
         "goes on, 200 RST_STREAM STREAM_CLOSED", "GOAWAY STREAM_CLOSED"},
        {"5.1.1 stream id goes back", MOTE_DIFFERS_CONNECTION, "GOAWAY PROTOCOL_ERROR", "goes on"},
        {"5.1.1 ids left out are closed", MOTE_DIFFERS_STREAM, "RST_STREAM STREAM_CLOSED",
         "unanswered"},
        {"6.9.2 SETTINGS makes a window too large", MOTE_DIFFERS_CONNECTION,
         "GOAWAY FLOW_CONTROL_ERROR", "goes on, RST_STREAM FLOW_CONTROL_ERROR"},
        {"8.3.1 fragment in :path", MOTE_DIFFERS_STREAM, "RST_STREAM PROTOCOL_ERROR", "200"},
    };
    static char seeds[1 << 18];
    static uint8_t bytes[1 << 17];
    const char *text = read_text(seeds, sizeof seeds, "fuzz/seeds/http2.txt");
    mote_differ d = {&mote_differ_h2, &mote_differ_nghttp2, NULL, false, 0};
    mote_difference found[8];
    mote_differ_seed seed;
    size_t seen = 0;

    while (mote_differ_next_seed(&text, bytes, sizeof bytes, &seed)) {
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            if (strlen(known[i].seed) != seed.name_len ||
                memcmp(known[i].seed, seed.name, seed.name_len) != 0)
                continue;
            seen++;
            CHECK(mote_differ_compare(&d, bytes, seed.len, found, 8) > 0);
            CHECK_INT(found[0].kind, known[i].kind);
            CHECK(strcmp(found[0].ours, known[i].ours) == 0);
            CHECK(strcmp(found[0].theirs, known[i].theirs) == 0);
        }
    }
    CHECK_INT(seen, sizeof known / sizeof known[0]);
}

/* Without any list: whoever says a field twice that there is once is refused by both, with one
 * code. */
static void what_is_said_twice_is_refused_by_both(void)
{
    static const char *const names[] = {"8.1.1 two content-length",
                                        "8.1.1 two content-length that differ", "8.3.1 two hosts",
                                        "8.3.1 two hosts that differ"};
    static char seeds[1 << 18];
    static uint8_t bytes[1 << 17];
    const char *text = read_text(seeds, sizeof seeds, "fuzz/seeds/http2.txt");
    mote_differ d = {&mote_differ_h2, &mote_differ_nghttp2, NULL, false, 0};
    mote_difference found[8];
    mote_differ_seed seed;
    size_t seen = 0;

    while (mote_differ_next_seed(&text, bytes, sizeof bytes, &seed)) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            if (strlen(names[i]) != seed.name_len ||
                memcmp(names[i], seed.name, seed.name_len) != 0)
                continue;
            seen++;
            CHECK_INT(mote_differ_compare(&d, bytes, seed.len, found, 8), 0);
        }
    }
    CHECK_INT(seen, sizeof names / sizeof names[0]);
}

int main(void)
{
    RUN(what_is_said_twice_is_refused_by_both);
    RUN(only_what_the_lists_name_differs);
    RUN(known_differences_are_found);
    return test_summary();
}
