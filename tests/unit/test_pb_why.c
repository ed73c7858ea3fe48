/* What cannot be encoded: the same error from each function, and the place of it. */
#include "../../fuzz/schema.mote.h"
#include "../test.h"

static uint64_t walk_memory[MOTE_PB_WALK_SIZE(102, 0) / 8];
static uint8_t out[1 << 12];

/* Whether all that encode say `code`; with 0 they succeed. */
static void check_all(const mote_pb_encoder *encoder, const void *message, int code)
{
    mote_pb_walk walk;
    const mote_pb_large large = {message, &walk};
    size_t len, total = 0;

    mote_pb_walk_init(&walk, walk_memory, sizeof walk_memory);
    CHECK_INT(mote_pb_encode(encoder, message, out, sizeof out, &len), code);
    CHECK_INT(mote_pb_size(encoder, message, &len), code == MOTE_PB_ERR_UTF8 ? 0 : code);
    CHECK_INT(mote_pb_encode_part(encoder, message, 0, out, sizeof out, &total), code);
    total = 0;
    CHECK_INT(mote_pb_encode_part(encoder, message, 0, out, 0, &total), code);
    total = 0;
    CHECK_INT(mote_pb_walk_part(encoder, &large, 0, NULL, 0, &total), code);
}

static void check_why(const mote_pb_names *names, const void *message, int code, const char *text)
{
    char why[256], cut[16];

    memset(why, 'x', sizeof why);
    CHECK_INT(mote_pb_why(names, message, why, sizeof why), code);
    CHECK_TEXT(strcmp(why, text) == 0);
    if (!test_ok)
        printf("%s\n", why);
    CHECK_INT(mote_pb_why(names, message, cut, sizeof cut), code);
    CHECK(strncmp(cut, why, sizeof cut - 1) == 0 && strlen(cut) < sizeof cut);
    CHECK_INT(mote_pb_why(names, message, cut, 0), code);
}

/* ---- texts --------------------------------------------------------------------------------- */

#define BAD MOTE_PB_STRING_INIT("ok\xc3(")
static const mote_pb_string texts[] = {MOTE_PB_STRING_INIT(""), MOTE_PB_STRING_INIT("\xc3\xa4"),
                                       BAD};
static const fuzz_Three_CountsEntry counts[] = {{.key = MOTE_PB_STRING_INIT("a")}, {.key = BAD}};
static const fuzz_Three bad = {.i32 = 1, .text = BAD};
static const fuzz_Three three[] = {{.i32 = 1}, {.i32 = 2}, {.self = &bad}};
static const fuzz_Three_ChildrenEntry children[] = {{.key = 1, .value = &three[0]},
                                                    {.key = 2, .value = &bad}};

static const struct {
    fuzz_Three message;
    const char *why;
} rows[] = {
    {{.text = BAD}, "fuzz.Three.text: pb: a string is no valid UTF-8, at byte 2"},
    {{.text = MOTE_PB_STRING_INIT("\xff")},
     "fuzz.Three.text: pb: a string is no valid UTF-8, at byte 0"},
    {{.text = MOTE_PB_STRING_INIT("\xe2\x82")},
     "fuzz.Three.text: pb: a string is no valid UTF-8, at byte 0"},
    {{.text = MOTE_PB_STRING_INIT("\xed\xa0\x80")},
     "fuzz.Three.text: pb: a string is no valid UTF-8, at byte 0"},
    {{.maybe_text = {true, BAD}},
     "fuzz.Three.maybe_text: pb: a string is no valid UTF-8, at byte 2"},
    {{.texts = {texts, 3}}, "fuzz.Three.texts[2]: pb: a string is no valid UTF-8, at byte 2"},
    {{.wide = {41, {.d = BAD}}}, "fuzz.Three.d: pb: a string is no valid UTF-8, at byte 2"},
    {{.wide = {42, {.e = &bad}}}, "fuzz.Three.e.text: pb: a string is no valid UTF-8, at byte 2"},
    {{.self = &bad}, "fuzz.Three.self.text: pb: a string is no valid UTF-8, at byte 2"},
    {{.selves = {three, 3}},
     "fuzz.Three.selves[2].self.text: pb: a string is no valid UTF-8, at byte 2"},
    {{.counts = {counts, 2}},
     "fuzz.Three.counts[1].key: pb: a string is no valid UTF-8, at byte 2"},
    {{.children = {children, 2}},
     "fuzz.Three.children[1].value.text: pb: a string is no valid UTF-8, at byte 2"},
};

static void a_text_that_is_no_utf8_is_not_encoded(void)
{
    for (size_t i = 0; MOTE_PB_CHECK_SENT && i < sizeof rows / sizeof rows[0]; i++) {
        check_all(&fuzz_Three_encoder, &rows[i].message, MOTE_PB_ERR_UTF8);
        check_why(&fuzz_Three_names, &rows[i].message, MOTE_PB_ERR_UTF8, rows[i].why);
    }
}

/* Bytes may be any, absent texts too, and those of proto2 are not checked. */
static void what_is_no_text_is_encoded(void)
{
    static const fuzz_Empty empty;
    static const fuzz_Three bytes = {.blob = {(const uint8_t *)"\xff", 1},
                                     .maybe_text = {false, BAD},
                                     .wide = {43, {.f = {(const uint8_t *)"\xff", 1}}},
                                     .texts = {texts, 2}};
    static const fuzz_Two two = {.unchecked = {true, BAD}, .empty = &empty};

    check_all(&fuzz_Three_encoder, &bytes, 0);
    check_why(&fuzz_Three_names, &bytes, 0, "");
    check_all(&fuzz_Two_encoder, &two, 0);
    check_why(&fuzz_Two_names, &two, 0, "");
}

/* ---- messages ------------------------------------------------------------------------------ */

static void a_required_message_that_is_missing_is_named(void)
{
    static const fuzz_Empty empty;
    static const fuzz_Two lacks = {.id = 1};
    static const fuzz_Two_Single single = {.two = &lacks};
    static const fuzz_Two left = {.empty = &empty, .choice = {fuzz_Two_left, {.left = &lacks}}};
    static const fuzz_Two group = {.empty = &empty, .single = &single};

    check_all(&fuzz_Two_encoder, &lacks, MOTE_PB_ERR_REQUIRED);
    check_why(&fuzz_Two_names, &lacks, MOTE_PB_ERR_REQUIRED,
              "fuzz.Two.empty: pb: a required field is missing");
    check_all(&fuzz_Two_encoder, &left, MOTE_PB_ERR_REQUIRED);
    check_why(&fuzz_Two_names, &left, MOTE_PB_ERR_REQUIRED,
              "fuzz.Two.left.empty: pb: a required field is missing");
    check_all(&fuzz_Two_encoder, &group, MOTE_PB_ERR_REQUIRED);
    check_why(&fuzz_Two_names, &group, MOTE_PB_ERR_REQUIRED,
              "fuzz.Two.Single.two.empty: pb: a required field is missing");
}

static void a_required_field_that_did_not_come_is_named(void)
{
    static const struct {
        const char *bytes, *path;
    } cases[] = {
        {"", "fuzz.Two.id"},
        {"20 01", "fuzz.Two.id"},
        {"08 01", "fuzz.Two.empty"},
        {"0d 01 00 00 00", "fuzz.Two.id"},         /* of another wire type */
        {"08 01 33 0b 34", "fuzz.Two.Single.two"}, /* groups do not match: another error */
        {"08 01 3b 3c", "fuzz.Two.Many[0].value"},
        {"08 01 3b 09 01 02 03 04 05 06 07 08 3c 3b 3c", "fuzz.Two.Many[1].value"},
        {"08 01 33 0a 00 34", "fuzz.Two.Single.two.id"},
        {"08 01 33 0a 02 08 01 34", "fuzz.Two.Single.two.empty"},
        {"33 0a 02 08 01", "fuzz.Two.Single.two.empty"},
        {"20 01 33 0b", "fuzz.Two.Single.two"}, /* cut */
    };
    static uint64_t memory[512];
    uint8_t in[32];
    char path[64];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = unhex(cases[i].bytes, in);
        mote_pb_arena arena;
        mote_pb_where where;
        fuzz_Two two;
        mote_pb_arena_init(&arena, memory, sizeof memory);
        int r = mote_pb_decode(&fuzz_Two_decoder, &two, in, len, &arena, &where);
        CHECK(r < 0);
        mote_pb_path(&fuzz_Two_names, in, len, where.offset, path, sizeof path);
        if (strcmp(path, cases[i].path) != 0)
            printf("%s: %s\n", cases[i].bytes, path);
        CHECK(strcmp(path, cases[i].path) == 0);
    }
}

static void depth_is_named_with_its_limit(void)
{
    static fuzz_Three chain[MOTE_PB_DEPTH + 1];
    static char why[MOTE_PB_DEPTH * 5 + 128], expected[sizeof why];

    for (int i = 0; i < MOTE_PB_DEPTH; i++)
        chain[i].self = &chain[i + 1];
    CHECK_INT(mote_pb_why(&fuzz_Three_names, &chain[1], why, sizeof why), 0);
    CHECK_INT(why[0], '\0');
    snprintf(expected, sizeof expected, "fuzz.Three");
    for (int i = 0; i < MOTE_PB_DEPTH; i++)
        strcat(expected, ".self");
    snprintf(expected + strlen(expected), 100,
             ": pb: messages are nested too deeply, the limit is %d", MOTE_PB_DEPTH);
    CHECK_INT(mote_pb_why(&fuzz_Three_names, &chain[0], why, sizeof why), MOTE_PB_ERR_DEPTH);
    CHECK_TEXT(strcmp(why, expected) == 0);
    check_all(&fuzz_Three_encoder, &chain[1], 0);
}

int main(void)
{
    RUN(a_text_that_is_no_utf8_is_not_encoded);
    RUN(what_is_no_text_is_encoded);
    RUN(a_required_message_that_is_missing_is_named);
    RUN(a_required_field_that_did_not_come_is_named);
    RUN(depth_is_named_with_its_limit);
    return test_summary();
}
