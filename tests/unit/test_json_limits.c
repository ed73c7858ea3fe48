/* pb/json at its limits: of the text, of memory, of depth, of numbers; and what is not known. */
#include "../json/google/protobuf/any.mote.h"
#include "../json/json.mote.h"
#include "../test.h"

static _Alignas(8) uint8_t memory[1 << 16];
static mote_pb_arena arena;

#define IN_ANY(name)                                                                               \
    {                                                                                              \
        &name##_json, &name##_encoder, &name##_decoder                                             \
    }
static const mote_pb_json_known known[] = {
    IN_ANY(json_Kinds), IN_ANY(google_protobuf_Duration), IN_ANY(google_protobuf_Any),
    IN_ANY(google_protobuf_Struct), IN_ANY(google_protobuf_Int32Value)};
static const mote_pb_json_options strict = {known, sizeof known / sizeof known[0], false};
static const mote_pb_json_options lenient = {known, sizeof known / sizeof known[0], true};

static int read_text(json_Kinds *m, const char *text, size_t *offset)
{
    mote_pb_arena_init(&arena, memory, sizeof memory);
    return mote_pb_json_decode(&json_Kinds_json, m, text, strlen(text), &strict, &arena, offset);
}

enum {
    SYNTAX = MOTE_PB_JSON_ERR_SYNTAX,
    TYPE = MOTE_PB_JSON_ERR_TYPE,
    NAME = MOTE_PB_JSON_ERR_NAME,
    ANY = MOTE_PB_JSON_ERR_ANY,
    UTF8 = MOTE_PB_ERR_UTF8
};

/* ---- all of it ----------------------------------------------------------------------------- */

static const char everything[] = "{\"anInt32\":1,\"aDouble\":1.5,\"aString\":\"a\\u20acb\","
                                 "\"someBytes\":\"AAAA\",\"inner\":{\"ints\":[1,2,3,4,5,"
                                 "6],\"byString\":{\"a\":1,\"b\":2}},\"any\":{\"@type\":\"x/"
                                 "json.Kinds\",\"strings\":[\"x\",\"y\"]},\"mask\":"
                                 "\"fooBar,b\",\"object\":{\"a\":[1,{\"b\":null}]},\"list\":[\"z\"]"
                                 ",\"at\":\"1970-01-01T00:00:00Z\","
                                 "\"durations\":[\"1s\"],\"mayInt64s\":[\"1\"]}";

static void a_text_that_is_cut_is_refused_at_each_byte(void)
{
    json_Kinds m;
    size_t offset;

    for (size_t len = 0; len < sizeof everything - 1; len++) {
        char *cut = malloc(len + 1); /* so that a sanitizer sees a byte too many */
        memcpy(cut, everything, len);
        mote_pb_arena_init(&arena, memory, sizeof memory);
        int r = mote_pb_json_decode(&json_Kinds_json, &m, cut, len, &strict, &arena, &offset);
        CHECK(r == SYNTAX || r == TYPE || r == UTF8 || (len < 200 && r == ANY));
        CHECK(offset <= len);
        free(cut);
    }
}

/* Each size of the arena up to the one that is enough: nothing beyond it is touched. */
static void an_arena_is_enough_or_full(void)
{
    json_Kinds m;
    size_t len, size, needed = 0;
    char out[1024];

    for (size = 0; needed == 0 && size < 8192; size += 8) {
        mote_pb_arena own;
        uint8_t *block = malloc(size + 1);
        mote_pb_arena_init(&own, block, size);
        int r = mote_pb_json_decode(&json_Kinds_json, &m, everything, sizeof everything - 1,
                                    &strict, &own, NULL);
        CHECK(r == 0 || r == MOTE_PB_ERR_ARENA);
        if (r == 0) {
            needed = size;
            CHECK_INT(
                mote_pb_json_encode(&json_Kinds_json, &m, &strict, &own, out, sizeof out, &len),
                MOTE_PB_ERR_ARENA); /* which its maps and its Any need too */
        }
        free(block);
    }
    printf("%zu bytes of JSON, %zu of arena\n", sizeof everything - 1, needed);
    CHECK(needed > 0);
    CHECK_INT(
        mote_pb_json_decode(&json_Kinds_json, &m, "{\"aString\":\"x\"}", 15, NULL, NULL, NULL),
        0); /* a view */
    CHECK_INT(
        mote_pb_json_decode(&json_Kinds_json, &m, "{\"aString\":\"\\n\"}", 16, NULL, NULL, NULL),
        MOTE_PB_ERR_ARENA);
}

/* However many elements an array has, it takes at most four times their bytes. */
static void an_array_takes_four_times_its_elements(void)
{
    static char text[20000];
    static uint8_t large[1 << 20];
    json_Kinds m;

    for (size_t count = 1; count < 3000; count = count * 5 / 4 + 1) {
        size_t n = (size_t)sprintf(text, "{\"strings\":[");
        for (size_t i = 0; i < count; i++) /* what has an escape lies between two growths */
            n += (size_t)sprintf(text + n, "%s\"\\n\"", i > 0 ? "," : "");
        n += (size_t)sprintf(text + n, "]}");
        mote_pb_arena_init(&arena, large, sizeof large);
        CHECK_INT(mote_pb_json_decode(&json_Kinds_json, &m, text, n, NULL, &arena, NULL), 0);
        CHECK_INT(m.strings.count, count);
        CHECK(arena.used <= 4 * count * sizeof(mote_pb_string) + 8 * count + 15 * 12 + 128);
    }
}

static void each_size_of_the_output_is_told(void)
{
    json_Kinds m;
    size_t len, whole = 0;
    char out[1024];

    CHECK_INT(read_text(&m, everything, NULL), 0);
    CHECK_INT(mote_pb_json_encode(&json_Kinds_json, &m, &strict, &arena, out, sizeof out, &whole),
              0);
    for (size_t cap = 0; cap <= whole; cap++) {
        char *small = malloc(cap + 1);
        int r = mote_pb_json_encode(&json_Kinds_json, &m, &strict, &arena, small, cap, &len);
        CHECK_INT(r, cap < whole ? MOTE_PB_ERR_SPACE : 0);
        CHECK_INT(len, whole);
        CHECK(memcmp(small, out, cap) == 0);
        free(small);
    }
}

/* ---- depth --------------------------------------------------------------------------------- */

/* Kinds inside of Kinds, lists inside of lists, unknown ones too: at the limit, and one more. */
static void nested(char *out, const char *open, const char *close, const char *core, unsigned count)
{
    *out = '\0';
    for (unsigned i = 0; i < count; i++)
        strcat(out, open);
    strcat(out, core);
    for (unsigned i = 0; i < count; i++)
        strcat(out, close);
}

static void depth_has_a_limit_in_both_directions(void)
{
    static const struct {
        const char *open, *close, *core;
        unsigned outside; /* levels beside those that are repeated */
    } rows[] = {{"{\"inner\":", "}", "{}", 1}, {"[", "]", "[]", 2}, {"{\"a\":", "}", "{}", 2}};
    static char text[16 * MOTE_PB_DEPTH + 64], whole[16 * MOTE_PB_DEPTH + 64];
    json_Kinds m, inner;
    size_t len;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (unsigned more = 0; more < 2; more++) {
            nested(text, rows[i].open, rows[i].close, rows[i].core,
                   MOTE_PB_DEPTH - rows[i].outside + more);
            sprintf(whole, rows[i].outside == 1 ? "%s" : "{\"value\":%s}", text);
            CHECK_INT(read_text(&m, whole, NULL), more ? MOTE_PB_ERR_DEPTH : 0);
            if (more)
                continue;
            CHECK_INT(
                mote_pb_json_encode(&json_Kinds_json, &m, NULL, &arena, text, sizeof text, &len),
                0);
            CHECK(len == strlen(whole) && memcmp(text, whole, len) == 0);
            inner = m;
            memset(&m, 0, sizeof m);
            m.inner = &inner;
            CHECK_INT(
                mote_pb_json_encode(&json_Kinds_json, &m, NULL, &arena, text, sizeof text, &len),
                MOTE_PB_ERR_DEPTH);
        }
    }
}

/* ---- what is not known --------------------------------------------------------------------- */

static const char *const unknown_values[] = {"null",
                                             "true",
                                             "false",
                                             "0",
                                             "-1.5e-3",
                                             "1e999",
                                             "\"\\u20ac\\ud83d\\ude00\"",
                                             "[]",
                                             "{}",
                                             "[[],{},[{\"a\":[1,2,{}],\"b\":{\"c\":null}}]]",
                                             "{\"a\":{\"a\":{\"a\":[]}}}"};
static const struct {
    const char *text;
    int error;
} unknown_broken[] = {{"", SYNTAX},
                      {"nul", SYNTAX},
                      {"True", SYNTAX},
                      {"01", SYNTAX},
                      {"1.", SYNTAX},
                      {"+1", SYNTAX},
                      {"\"", SYNTAX},
                      {"\"\\x\"", SYNTAX},
                      {"\"\\ud800\"", SYNTAX},
                      {"\"\xff\"", UTF8},
                      {"[", SYNTAX},
                      {"[1,]", SYNTAX},
                      {"[1 2]", SYNTAX},
                      {"{\"a\"}", SYNTAX},
                      {"{\"a\":}", SYNTAX},
                      {"{a:1}", SYNTAX},
                      {"{\"a\":1,}", SYNTAX},
                      {"{\"a\":1]", SYNTAX},
                      {"[1}", SYNTAX},
                      {"\"\x02\"", SYNTAX},
                      {"]", SYNTAX},
                      {"{\"\xff\":1}", UTF8},
                      {"[\"\xff\"]", UTF8},
                      {"fals", SYNTAX},
                      {"{\"a\":1 \"b\":2}", SYNTAX},
                      {"{\"a\" 1}", SYNTAX}};

static void what_is_not_known_is_skipped_on_request_and_whole(void)
{
    static char text[16 * MOTE_PB_DEPTH + 64];
    json_Kinds m;

    for (size_t i = 0; i < sizeof unknown_values / sizeof unknown_values[0]; i++) {
        sprintf(text, "{\"x\":%s,\"anInt32\":7,\"y\":%s }", unknown_values[i], unknown_values[i]);
        CHECK_INT(read_text(&m, text, NULL), NAME);
        CHECK_INT(
            mote_pb_json_decode(&json_Kinds_json, &m, text, strlen(text), &lenient, NULL, NULL), 0);
        CHECK_INT(m.an_int32, 7);
    }
    for (size_t i = 0; i < sizeof unknown_broken / sizeof unknown_broken[0]; i++) {
        sprintf(text, "{\"x\":%s}", unknown_broken[i].text);
        CHECK_INT(
            mote_pb_json_decode(&json_Kinds_json, &m, text, strlen(text), &lenient, NULL, NULL),
            unknown_broken[i].error);
    }
    for (unsigned more = 0; more < 2; more++) {
        char inner[4 * MOTE_PB_DEPTH + 8];
        nested(inner, "[", "]", "", MOTE_PB_DEPTH + more);
        sprintf(text, "{\"x\":%s}", inner);
        CHECK_INT(
            mote_pb_json_decode(&json_Kinds_json, &m, text, strlen(text), &lenient, NULL, NULL),
            more ? MOTE_PB_ERR_DEPTH : 0);
    }
}

static void values_of_enums_that_are_not_known_are_left_out_on_request(void)
{
    static const char text[] =
        "{\"colour\":\"BLUE\",\"colours\":[\"RED\",\"BLUE\",\"NONE\"],\"byBool\":{\"true\":"
        "\"BLUE\",\"false\":\"RED\"}}";
    char out[200];
    json_Kinds m;
    size_t len;

    mote_pb_arena_init(&arena, memory, sizeof memory);
    CHECK_INT(
        mote_pb_json_decode(&json_Kinds_json, &m, text, sizeof text - 1, &lenient, &arena, NULL),
        0);
    CHECK_INT(mote_pb_json_encode(&json_Kinds_json, &m, NULL, &arena, out, sizeof out, &len), 0);
    out[len] = '\0';
    CHECK(strcmp(out, "{\"colours\":[\"RED\",\"NONE\"],\"byBool\":{\"false\":\"RED\"}}") == 0);
}

/* ---- what cannot be written ---------------------------------------------------------------- */

static int write_message(const json_Kinds *m, const mote_pb_json_options *options,
                         mote_pb_arena *with)
{
    static char out[1024];
    size_t len;
    int r = mote_pb_json_encode(&json_Kinds_json, m, options, with, out, sizeof out, &len);

    return r;
}

static void what_has_no_form_is_not_written(void)
{
    static const mote_pb_string paths[] = {MOTE_PB_STRING_INIT("Upper"),
                                           MOTE_PB_STRING_INIT("a__b"), MOTE_PB_STRING_INIT("a_"),
                                           MOTE_PB_STRING_INIT("a_1"), MOTE_PB_STRING_INIT("aB")};
    static const struct {
        int64_t seconds;
        int32_t nanos;
    } times[] = {{-62135596801, 0}, {253402300800, 0}, {0, -1}, {0, 1000000000}};
    static const struct {
        int64_t seconds;
        int32_t nanos;
    } spans[] = {{315576000001, 0}, {-315576000001, 0}, {1, -1}, {-1, 1}, {0, 1000000000}};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        google_protobuf_FieldMask mask = {.paths = {&paths[i], 1}};
        CHECK_INT(write_message(&(json_Kinds){.mask = &mask}, NULL, NULL), MOTE_PB_JSON_ERR_FORM);
    }
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        google_protobuf_Timestamp at = {times[i].seconds, times[i].nanos};
        CHECK_INT(write_message(&(json_Kinds){.at = &at}, NULL, NULL), MOTE_PB_JSON_ERR_FORM);
    }
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        google_protobuf_Duration span = {spans[i].seconds, spans[i].nanos};
        CHECK_INT(write_message(&(json_Kinds){.duration = &span}, NULL, NULL),
                  MOTE_PB_JSON_ERR_FORM);
    }
    google_protobuf_Value unset = {0}, infinite = {0};
    infinite.kind.which = google_protobuf_Value_number_value;
    infinite.kind.is.number_value = 1e308 * 10;
    CHECK_INT(write_message(&(json_Kinds){.value = &unset}, NULL, NULL), MOTE_PB_JSON_ERR_FORM);
    CHECK_INT(write_message(&(json_Kinds){.value = &infinite}, NULL, NULL), MOTE_PB_JSON_ERR_FORM);
    CHECK_INT(write_message(&(json_Kinds){.a_string = MOTE_PB_STRING("\xff")}, NULL, NULL), UTF8);
}

static void an_any_is_written_when_its_type_is_known(void)
{
    static const uint8_t bytes[] = {8, 7};
    google_protobuf_Any any = {MOTE_PB_STRING("x/json.Kinds"), {bytes, 2}};
    json_Kinds m = {.any = &any};

    mote_pb_arena_init(&arena, memory, sizeof memory);
    CHECK_INT(write_message(&m, &strict, &arena), 0);
    CHECK_INT(arena.used, 0);
    CHECK_INT(write_message(&m, NULL, &arena), ANY);
    CHECK_INT(write_message(&m, &strict, NULL), MOTE_PB_ERR_ARENA);
    any.value.len = 1;
    CHECK_INT(write_message(&m, &strict, &arena), MOTE_PB_ERR_TRUNCATED);
    any.value.len = 0;
    any.type_url.len = 0;
    CHECK_INT(write_message(&m, NULL, NULL), 0);
    any.value.len = 2;
    CHECK_INT(write_message(&m, &strict, &arena), ANY);
}

/* Entries of a map that came by the wire: of those with the same key the last one is written. */
static void a_key_is_written_once(void)
{
    enum { COUNT = 300 };
    static json_Kinds_ByStringEntry entries[COUNT];
    static char keys[COUNT][4], out[8192];
    json_Kinds m = {.by_string = {entries, COUNT}};
    size_t len;

    for (int i = 0; i < COUNT; i++) {
        sprintf(keys[i], "%d", i * 7 % 100);
        entries[i].key = mote_pb_cstring(keys[i]);
        entries[i].value = i;
    }
    mote_pb_arena_init(&arena, memory, sizeof memory);
    CHECK_INT(mote_pb_json_encode(&json_Kinds_json, &m, NULL, &arena, out, sizeof out - 1, &len),
              0);
    out[len] = '\0';
    for (int i = 0; i < COUNT; i++) {
        char entry[20];
        sprintf(entry, "\"%s\":%d%c", keys[i], i, i == COUNT - 1 ? '}' : ',');
        CHECK((strstr(out, entry) != NULL) == (i >= 200));
    }
    CHECK_INT(mote_pb_json_encode(&json_Kinds_json, &m, NULL, NULL, out, sizeof out - 1, &len), 0);
    out[len] = '\0';
    CHECK(strstr(out, "\"7\":1,") != NULL);             /* without an arena they all are */
    mote_pb_arena_init(&arena, memory, 40 + 4 * COUNT); /* 300 bits, then 300 numbers */
    CHECK_INT(mote_pb_json_encode(&json_Kinds_json, &m, NULL, &arena, out, sizeof out, &len), 0);
    arena.size--;
    CHECK_INT(mote_pb_json_encode(&json_Kinds_json, &m, NULL, &arena, out, sizeof out, &len),
              MOTE_PB_ERR_ARENA);
}

/* ---- numbers ------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* The shortest that strtod() reads back, against printf()'s 17 digits, and the nearest double. */
static void doubles_are_the_shortest_that_read_back(void)
{
    uint64_t state = 88172645463325252;
    char text[64], shorter[64];
    double v, back;
    float f;

    for (int i = 0; i < 20000; i++) {
        uint64_t bits = next_random(&state);
        uint32_t half = (uint32_t)bits;
        if (i % 3 == 0) /* few decimals */
            v = (double)(int32_t)(bits >> 40) / 1000;
        else if (i % 3 == 1)
            memcpy(&v, &bits, sizeof v);
        else /* powers of two, and those beside them */
            bits = (bits & 0x7ff0000000000000) - (bits & 1), memcpy(&v, &bits, sizeof v);
        memcpy(&f, &half, sizeof f);
        if (v - v != 0 || f - f != 0)
            continue;
        size_t n = mote_pb_json_double(v, text);
        CHECK(n <= MOTE_PB_JSON_NUMBER);
        text[n] = '\0';
        back = strtod(text, NULL);
        CHECK(memcmp(&back, &v, sizeof v) == 0);
        CHECK(mote_pb_json_real(text, n, &back) && memcmp(&back, &v, sizeof v) == 0);
        int digits = 1; /* the fewest that printf() needs */
        while (snprintf(shorter, sizeof shorter, "%.*e", digits - 1, v), strtod(shorter, NULL) != v)
            digits++;
        int written = 0, zeros = 0;
        for (const char *p = text; *p && *p != 'e'; p++) {
            if (*p >= '0' && *p <= '9' && (written > 0 || *p != '0')) {
                written++;
                zeros = *p == '0' ? zeros + 1 : 0;
            }
        }
        CHECK(v == 0 || written - zeros <= digits);
        text[mote_pb_json_float(f, text)] = '\0';
        CHECK(strtof(text, NULL) == f);
    }
}

/* Digits of any number, at the borders between doubles too. */
static void decimals_are_the_nearest_double(void)
{
    static const char *const borders[] = {"2.2250738585072011e-308",
                                          "2.2250738585072012e-308",
                                          "2.4703282292062327e-324",
                                          "2.4703282292062328e-324",
                                          "9007199254740993",
                                          "9007199254740993.0000000000000000000000000000000000001",
                                          "1.7976931348623158e308",
                                          "1e23",
                                          "8.5e22",
                                          "6.631236846766476e-316",
                                          "0.1e-99999999999999999999",
                                          "0e99999999999999999999"};
    static char text[1024];
    uint64_t state = 1;
    double v, expected;

    for (size_t i = 0; i < sizeof borders / sizeof borders[0]; i++) {
        expected = strtod(borders[i], NULL);
        CHECK(mote_pb_json_real(borders[i], strlen(borders[i]), &v) && v == expected);
    }
    for (int i = 0; i < 3000; i++) {
        size_t digits = i % 100 == 0 ? 900 : 1 + next_random(&state) % 40, n = 0;
        text[n++] = (char)('1' + next_random(&state) % 9);
        while (n < digits)
            text[n++] = (char)('0' + next_random(&state) % 10);
        n += (size_t)sprintf(text + n, "e%d", (int)(next_random(&state) % 1300) - 950);
        expected = strtod(text, NULL);
        bool ok = mote_pb_json_real(text, n, &v);
        CHECK(ok == (expected - expected == 0));
        CHECK(!ok || v == expected);
    }
}

static void each_error_has_its_text(void)
{
    static const struct {
        int code;
        const char *text;
    } rows[] = {{MOTE_PB_JSON_ERR_SYNTAX, "json: the text is no JSON"},
                {MOTE_PB_JSON_ERR_TYPE, "json: the value is not of the type of its field"},
                {MOTE_PB_JSON_ERR_RANGE, "json: a number or time is beyond what its field holds"},
                {MOTE_PB_JSON_ERR_NAME, "json: no field or enum value has this name"},
                {MOTE_PB_JSON_ERR_TWICE, "json: a field or oneof is set twice"},
                {MOTE_PB_JSON_ERR_ANY, "json: an Any of a type that is not known here"},
                {MOTE_PB_JSON_ERR_FORM, "json: a value that has no form in JSON"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_INT(rows[i].code, -430 - (int)i);
        CHECK_TEXT(strcmp(mote_pb_json_strerror(rows[i].code), rows[i].text) == 0);
    }
    CHECK_TEXT(strcmp(mote_pb_json_strerror(MOTE_PB_ERR_ARENA), "pb: the arena is full") == 0);
    CHECK_TEXT(strcmp(mote_pb_json_strerror(0), "no error") == 0);
    CHECK_TEXT(strcmp(mote_pb_json_strerror(-449), "unknown error") == 0);
}

int main(void)
{
    RUN(a_text_that_is_cut_is_refused_at_each_byte);
    RUN(an_arena_is_enough_or_full);
    RUN(an_array_takes_four_times_its_elements);
    RUN(each_size_of_the_output_is_told);
    RUN(depth_has_a_limit_in_both_directions);
    RUN(what_is_not_known_is_skipped_on_request_and_whole);
    RUN(values_of_enums_that_are_not_known_are_left_out_on_request);
    RUN(what_has_no_form_is_not_written);
    RUN(an_any_is_written_when_its_type_is_known);
    RUN(a_key_is_written_once);
    RUN(doubles_are_the_shortest_that_read_back);
    RUN(decimals_are_the_nearest_double);
    RUN(each_error_has_its_text);
    return test_summary();
}
