/* The differential mode and the text form of conversations, without a server of others: differences
 * that are planted are found, named and made small, and what is printed is what was said. */
#define _GNU_SOURCE

#include "../../fuzz/differ.h"
#include "../../fuzz/frames.h"
#include "../../fuzz/frames_minimise.h"
#include "../../fuzz/mutator.h"
#include "../test.h"

#define BEGIN         "preface\nSETTINGS\n"
#define FIELDS        "  index 2\n  index 6\n  index 4\n  plain 1 \"a.test\"\n"
#define GET(id)       "HEADERS stream=" #id " flags=END_STREAM|END_HEADERS\n" FIELDS
#define POST(id)      "HEADERS stream=" #id " flags=END_HEADERS\n" FIELDS
#define CONTENT(text) "DATA stream=1 flags=END_STREAM\n  data \"" text "\"\n"

static char *read_text(const char *path)
{
    static char text[1 << 18];
    FILE *f = fopen(path, "rb");

    if (!f)
        abort();
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static size_t bytes_of(const char *text, uint8_t *out, size_t room)
{
    const char *why;
    size_t line, n = mote_frames_parse(text, out, room, &line, &why);

    if (n == SIZE_MAX) {
        printf("line %zu: %s\n", line, why);
        abort();
    }
    return n;
}

static char *text_of(const uint8_t *in, size_t len, size_t choices)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    mote_frames_print(out, in, len, choices);
    fclose(out);
    return text;
}

/* ---- the text form ----------------------------------------------------------------------------
 */

static void check_both_ways(const uint8_t *in, size_t len, size_t choices)
{
    static uint8_t again[1 << 17];
    char *text = text_of(in, len, choices);
    size_t n = bytes_of(text, again, sizeof again);

    CHECK(n == len && memcmp(again, in, len) == 0);
    if (!test_ok)
        printf("%s\n", text);
    free(text);
}

static void all_seeds_and_their_mutants_are_text_and_back(void)
{
    static uint8_t bytes[1 << 17];
    const char *text = read_text("fuzz/seeds/http2.txt");
    mote_differ_seed seed;
    unsigned seeds = 0;

    for (; mote_differ_next_seed(&text, bytes, sizeof bytes, &seed) && test_ok; seeds++) {
        CHECK(!seed.why);
        check_both_ways(bytes, seed.len, 0);
        size_t len = seed.len < 4096 ? seed.len : 4096;
        for (unsigned i = 0; i < 8 && test_ok; i++) {
            len = LLVMFuzzerCustomMutator(bytes, len, 4096, seeds * 64 + i);
            check_both_ways(bytes, len, i % 4);
        }
    }
    CHECK(seeds > 150);
}

static void text_is_as_its_header_says(void)
{
    static uint8_t bytes[1000];
    static const char text[] =
        "choices 08 07\npreface\nSETTINGS\n  set MAX_FRAME_SIZE 16384\n  set 0x99 4294967295\n"
        "HEADERS stream=1 flags=END_HEADERS|PADDED|PRIORITY pad=3 exclusive=1 depends=5 "
        "weight=200\n"
        "  size 100\n  index 2 # :method: GET\n  plain 4 \"/books\" # :path: /books\n"
        "  add \"x-trace\" ~\"17\"\n  never 23 \"secret\" # authorization: secret\n"
        "  index 62 # x-trace: 17\n"
        "DATA stream=1 flags=PADDED pad=4\n  prefix 0 5\n  data \"he\\x5c\\x22\\x00\"\n"
        "PRIORITY stream=3 exclusive=0 depends=1 weight=0\nRST_STREAM stream=1 code=CANCEL\n"
        "WINDOW_UPDATE stream=3 increment=100\nGOAWAY last=7 code=0xff\n  data \"why\"\n"
        "PING flags=ACK\n  data \"01234567\"\ntype=0x2f stream=0x80000001 flags=0xff\n  data "
        "\"x\"\n"
        "CONTINUATION stream=1 length=70\n  hex 0001\n";
    size_t len = bytes_of(text, bytes, sizeof bytes);
    char *printed = text_of(bytes, len, 2);

    /* what has no form of its own: a type that nobody knows, a frame that is cut, padding that
     * hides something */
    CHECK(strstr(printed, "type=0x2f stream=0x80000001 flags=0xff\n  hex 78\n"));
    CHECK(strstr(printed, "CONTINUATION stream=1 length=70\n  hex 0001\n"));
    CHECK(strncmp(printed, text, (size_t)(strstr(text, "type=") - text)) == 0);
    if (!test_ok)
        printf("%s\n", printed);
    free(printed);
}

static void wrong_lines_are_named(void)
{
    static const struct {
        const char *text;
        size_t line;
        const char *why;
    } wrong[] = {
        {"preface\nNONE\n", 2, "no type of frame has this name"},
        {"DATA stream=x\n", 1, "a number is wanted"},
        {"DATA streams=1\n", 1, "unknown word in the line of a frame"},
        {"DATA pad=256\n", 1, "pad is at most 255"},
        {"preface\n  hex 00\n", 2, "there is no frame above"},
        {"DATA\n  word\n", 2, "unknown word below a frame"},
        {"DATA\n  hex 0\n", 2, "hexadecimal digits come in pairs"},
        {"DATA\n  data x\n", 2, "a string in quotes is wanted"},
        {"DATA\n  data \"x\n", 2, "a string has no end"},
        {"DATA\n  data \"\\q\"\n", 2, "behind \\ stands x and two digits, n, r, t, \" or \\"},
        {"HEADERS\n  index 2 3\n", 2, "more words than the line can have"},
        {"SETTINGS\n  set NONE 3\n", 2, "a number is wanted"},
        {"DATA length=16777216\n", 2, "a frame has at most 16,777,215 bytes"},
        {"DATA\n  data \"0123456789012345678901234567890123456789\"\n", 2, "a string is too long"},
        {"preface\npreface\n", 2, "the conversation is larger than there is room"},
    };
    uint8_t out[40];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *why;
        size_t line, n = mote_frames_parse(wrong[i].text, out, sizeof out, &line, &why);
        CHECK(n == SIZE_MAX && line == wrong[i].line && why && strcmp(why, wrong[i].why) == 0);
        if (!test_ok)
            printf("%s%zu: %s\n", wrong[i].text, line, why ? why : "");
    }
}

/* ---- planted differences ----------------------------------------------------------------------
 */

/* A server that was told something else. */
static size_t play_other(void *context, const uint8_t *in, size_t len, uint8_t *out, size_t room,
                         bool *closed, const mote_differ_answer *expected)
{
    static uint8_t other[10000];
    size_t n = bytes_of(context, other, sizeof other);

    memcpy(other + n, in + len - 17, 17); /* the last PING */
    return mote_differ_h2.play(NULL, other, n + 17, out, room, closed, expected);
}

static void planted_differences_are_named(void)
{
    static const struct {
        const char *said, *heard;
        mote_differs kind;
        uint32_t stream;
        const char *ours, *theirs, *cause;
    } planted[] = {
        {GET(1), "SETTINGS stream=1\n", MOTE_DIFFERS_CONNECTION, 0, "goes on",
         "GOAWAY PROTOCOL_ERROR",
         "HEADERS stream=1 flags=END_STREAM|END_HEADERS;  index 2;  index 6;  index 4;  plain 1 "
         "\"a.test\""},
        {"WINDOW_UPDATE increment=0\n", "WINDOW_UPDATE increment=2147483647\n",
         MOTE_DIFFERS_CONNECTION, 0, "GOAWAY PROTOCOL_ERROR", "GOAWAY FLOW_CONTROL_ERROR",
         "WINDOW_UPDATE increment=0"},
        {"PING stream=1\n  data \"01234567\"\n",
         POST(1) "RST_STREAM stream=1 code=CANCEL\n" CONTENT("x"), MOTE_DIFFERS_CONNECTION, 0,
         "GOAWAY PROTOCOL_ERROR", "goes on, RST_STREAM STREAM_CLOSED",
         "PING stream=1;  data \"01234567\""},
        {GET(1), GET(1) GET(3), MOTE_DIFFERS_STREAM, 3, "unanswered", "200", NULL},
        {GET(1), POST(1) "WINDOW_UPDATE stream=1 increment=0\n", MOTE_DIFFERS_STREAM, 1, "200",
         "RST_STREAM PROTOCOL_ERROR", NULL},
        {"SETTINGS\n" GET(1), "SETTINGS\n  set INITIAL_WINDOW_SIZE 1\n" GET(1), MOTE_DIFFERS_STREAM,
         1, "200", "200 unfinished", NULL},
        {GET(1) "SETTINGS\n", GET(1), MOTE_DIFFERS_SETTINGS, 0, "2", "1", "SETTINGS"},
        {GET(1) "PING\n  data \"01234567\"\n", GET(1), MOTE_DIFFERS_PING, 0, "2", "1",
         "PING;  data \"01234567\""},
        {"HEADERS stream=1 flags=END_STREAM|END_HEADERS\n" FIELDS
         "  plain \"x-b\" \"1\"\n  plain \"x-a\" \"2\"\n",
         "HEADERS stream=1 flags=END_STREAM|END_HEADERS\n" FIELDS
         "  plain \"x-b\" \"3\"\n  plain \"x-a\" \"2\"\n",
         MOTE_DIFFERS_FIELDS, 1, "GET / a.test\\x0ax-a: 2\\x0ax-b: 1\\x0a\\x0a",
         "GET / a.test\\x0ax-a: 2\\x0ax-b: 3\\x0a\\x0a", NULL},
        {POST(1) CONTENT("hello"), POST(1) CONTENT("hell"), MOTE_DIFFERS_BODY, 1, "hello",
         "(ends) hell", "DATA stream=1 flags=END_STREAM;  data \"hello\""},
    };

    for (size_t i = 0; i < sizeof planted / sizeof planted[0]; i++) {
        static uint8_t in[10000];
        char said[4000], heard[4000];
        snprintf(said, sizeof said, BEGIN "%s", planted[i].said);
        snprintf(heard, sizeof heard, BEGIN "%s", planted[i].heard);
        mote_differ_server other = {"other", play_other, heard};
        mote_differ d = {&mote_differ_h2, &other, NULL, false, 0};
        mote_difference found[4];
        CHECK_INT(mote_differ_compare(&d, in, bytes_of(said, in, sizeof in), found, 4), 1);
        CHECK_INT(found[0].kind, planted[i].kind);
        CHECK_INT(found[0].stream, planted[i].stream);
        CHECK(strcmp(found[0].ours, planted[i].ours) == 0);
        CHECK(strcmp(found[0].theirs, planted[i].theirs) == 0);
        CHECK(!planted[i].cause || strcmp(found[0].cause, planted[i].cause) == 0);
        CHECK(!found[0].open);
        if (!test_ok)
            printf("%zu: %s | %s | %s\n", i, found[0].ours, found[0].theirs, found[0].cause);
    }
}

/* A server that does not hear one field: another takes its place. */
static size_t play_deaf(void *context, const uint8_t *in, size_t len, uint8_t *out, size_t room,
                        bool *closed, const mote_differ_answer *expected)
{
    static uint8_t other[10000];

    (void)context;
    memcpy(other, in, len);
    for (size_t i = 0; i + 5 <= len; i++) {
        if (memcmp(other + i, "x-bug", 5) == 0)
            other[i + 3] = 'a';
    }
    return mote_differ_h2.play(NULL, other, len, out, room, closed, expected);
}

static const mote_differ_server deaf = {"deaf", play_deaf, NULL};

static size_t long_conversation(uint8_t *in, size_t room)
{
    return bytes_of(BEGIN "PING\n  data \"01234567\"\n" GET(1) GET(
                        3) "WINDOW_UPDATE increment=7\nHEADERS stream=5 flags=END_HEADERS\n" FIELDS
                           "  add \"x-other\" \"1\"\n  plain \"x-bug\" \"2\"\n  never 23 \"3\"\n"
                           "DATA stream=5\n  data \"a\"\nDATA stream=5 flags=END_STREAM\n"
                           "PRIORITY stream=9 exclusive=0 depends=3 weight=1\n",
                    in, room);
}

static void a_difference_is_made_small(void)
{
    static uint8_t in[10000];
    mote_differ d = {&mote_differ_h2, &deaf, NULL, false, 0};
    mote_difference found[4];
    size_t len = long_conversation(in, sizeof in);

    CHECK_INT(mote_differ_compare(&d, in, len, found, 4), 1);
    CHECK_INT(found[0].kind, MOTE_DIFFERS_FIELDS);
    len = mote_differ_minimise(&d, found, in, len);
    char *text = text_of(in, len, 0);
    CHECK(strcmp(text, BEGIN "HEADERS stream=5 flags=END_HEADERS\n  index 2 # :method: GET\n"
                             "  index 6 # :scheme: http\n  index 4 # :path: /\n"
                             "  plain \"x-bug\" \"2\"\nDATA stream=5 flags=END_STREAM\n") == 0);
    if (!test_ok)
        printf("%s", text);
    free(text);
    CHECK(strcmp(found[0].cause, "DATA stream=5 flags=END_STREAM") == 0);
}

static void a_list_says_what_is_open(void)
{
    static const struct {
        const char *rules;
        bool open;
        const char *section, *reason;
    } lists[] = {
        {"# none\n\n", false, "", ""},
        {"fields | * | *x-bag* | PRIORITY * | 8.2 | names may change", true, "8.2",
         "names may change"},
        {"body | * | * | * | 8.2 | x\nfields | *x-bug* | * | * | 1 | second\n", true, "1",
         "second"},
        {"fields | * | *x-bag* | DATA * | 8.2 | another cause\n", false, "", ""},
        {"fields | *x-bag* | * | * | 8.2 | the other way round\n", false, "", ""},
    };
    static uint8_t in[10000];
    size_t len = long_conversation(in, sizeof in);

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        mote_differ d = {&mote_differ_h2, &deaf, lists[i].rules, false, 0};
        mote_difference found[4];
        CHECK_INT(mote_differ_compare(&d, in, len, found, 4), 1);
        CHECK_INT(found[0].open, lists[i].open);
        CHECK(strcmp(found[0].section, lists[i].section) == 0);
        CHECK(strcmp(found[0].reason, lists[i].reason) == 0);
    }
}

static void no_bodies_are_compared_where_one_is_no_echo(void)
{
    static uint8_t in[10000];
    mote_differ d = {&mote_differ_h2, &deaf, NULL, true, 0};
    mote_difference found[4];

    CHECK_INT(mote_differ_compare(&d, in, long_conversation(in, sizeof in), found, 4), 0);
}

static void wrong_rules_are_named(void)
{
    CHECK_INT(mote_differ_check_rules("# x\n\na | b | c | d | e | f\n"), 0);
    CHECK_INT(mote_differ_check_rules("a | b | c | d | e | f\na | b | c | d | e\n"), 2);
    CHECK_INT(mote_differ_check_rules("a | b | c | d | | f"), 1);
    CHECK_INT(mote_differ_check_rules("\na | b | c | d | e | f | g"), 2);
    CHECK_INT(mote_differ_check_rules(read_text("fuzz/differ.rules")), 0);
    CHECK_INT(mote_differ_check_rules(read_text("fuzz/differ-nghttp2.rules")), 0);
}

/* Both roles of mote beside themselves: whatever is said, nothing differs. */
static void mote_does_not_differ_from_itself(void)
{
    static const struct {
        const char *seeds;
        const mote_differ_server *server;
    } pairs[] = {{"fuzz/seeds/http2.txt", &mote_differ_h2},
                 {"fuzz/seeds/grpc.txt", &mote_differ_grpc}};

    for (int i = 0; i < 2; i++) {
        static uint8_t bytes[1 << 17];
        const char *text = read_text(pairs[i].seeds);
        mote_differ d = {pairs[i].server, pairs[i].server, NULL, false, 0};
        mote_differ_seed seed;
        mote_difference found[4];
        while (mote_differ_next_seed(&text, bytes, sizeof bytes, &seed)) {
            CHECK(!seed.why);
            CHECK_INT(mote_differ_compare(&d, bytes, seed.len, found, 4), 0);
        }
    }
}

int main(void)
{
    RUN(all_seeds_and_their_mutants_are_text_and_back);
    RUN(text_is_as_its_header_says);
    RUN(wrong_lines_are_named);
    RUN(planted_differences_are_named);
    RUN(a_difference_is_made_small);
    RUN(a_list_says_what_is_open);
    RUN(no_bodies_are_compared_where_one_is_no_echo);
    RUN(wrong_rules_are_named);
    RUN(mote_does_not_differ_from_itself);
    return test_summary();
}
