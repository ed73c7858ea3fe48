/* pb/json: each kind of value in both directions, and what is refused, with its code and place. */
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

static int read_text(json_Kinds *m, const char *text, size_t *offset)
{
    mote_pb_arena_init(&arena, memory, sizeof memory);
    return mote_pb_json_decode(&json_Kinds_json, m, text, strlen(text), &strict, &arena, offset);
}

/* What a text is when it was read and written. */
static int rewrite(const char *text, char *out, size_t cap)
{
    json_Kinds m;
    size_t len = 0;
    int r = read_text(&m, text, NULL);

    if (r == 0)
        r = mote_pb_json_encode(&json_Kinds_json, &m, &strict, &arena, out, cap - 1, &len);
    out[r == 0 ? len : 0] = '\0';
    return r;
}

/* A text, and what is written for it; NULL: the same. */
static const struct {
    const char *in, *out;
} values[] = {
    {"{}", NULL},
    {" { } \r\n\t", "{}"},
    /* integers: at their limits, as texts, as other ways to write a whole number */
    {"{\"anInt32\":2147483647}", NULL},
    {"{\"anInt32\":-2147483648}", NULL},
    {"{\"an_int32\":1}", "{\"anInt32\":1}"},
    {"{\"anInt32\":\"12\"}", "{\"anInt32\":12}"},
    {"{\"anInt32\":1e2}", "{\"anInt32\":100}"},
    {"{\"anInt32\":12.50e1}", "{\"anInt32\":125}"},
    {"{\"anInt32\":1200e-2}", "{\"anInt32\":12}"},
    {"{\"anInt32\":3.000}", "{\"anInt32\":3}"},
    {"{\"anInt32\":0e99999999999999999999}", "{}"},
    {"{\"anInt32\":-0}", "{}"},
    {"{\"anInt32\":0.0}", "{}"},
    {"{\"aUint32\":4294967295,\"aSint32\":-2147483648,\"aFixed32\":4294967295,\"aSfixed32\":-1}",
     NULL},
    {"{\"anInt64\":\"9223372036854775807\"}", NULL},
    {"{\"anInt64\":-9223372036854775808}", "{\"anInt64\":\"-9223372036854775808\"}"},
    {"{\"anInt64\":9223372036854775.807e3}", "{\"anInt64\":\"9223372036854775807\"}"},
    {"{\"anInt64\":1e18}", "{\"anInt64\":\"1000000000000000000\"}"},
    {"{\"aUint64\":\"18446744073709551615\",\"aSint64\":\"-1\",\"aFixed64\":\"1\","
     "\"aSfixed64\":\"-9223372036854775808\"}",
     NULL},
    /* numbers with decimals */
    {"{\"aDouble\":0.1}", NULL},
    {"{\"aDouble\":-0}", "{\"aDouble\":-0.0}"},
    {"{\"aDouble\":1e+21}", NULL},
    {"{\"aDouble\":123456789012345680000}", NULL},
    {"{\"aDouble\":0.000001}", NULL},
    {"{\"aDouble\":1e-7}", NULL},
    {"{\"aDouble\":1.7976931348623157e+308}", NULL},
    {"{\"aDouble\":5e-324}", NULL},
    {"{\"aDouble\":\"NaN\"}", NULL},
    {"{\"aDouble\":\"-Infinity\"}", NULL},
    {"{\"aDouble\":\"1.5\"}", "{\"aDouble\":1.5}"},
    {"{\"aFloat\":0.1,\"aDouble\":16777217}", NULL},
    {"{\"aFloat\":3.4028235e+38}", NULL},
    {"{\"aFloat\":1e-45}", NULL},
    {"{\"aFloat\":\"Infinity\"}", NULL},
    {"{\"aFloat\":16777217}", "{\"aFloat\":16777216}"},
    /* bools, strings, bytes, enums */
    {"{\"aBool\":true}", NULL},
    {"{\"aBool\":false}", "{}"},
    {"{\"aString\":\"\\u20ac\\ud83d\\ude00\\/\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007f<>\"}",
     "{\"aString\":\"\xe2\x82\xac\xf0\x9f\x98\x80/\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007f\\u003c"
     "\\u003e\"}"},
    {"{\"\\u0061String\":\"key\"}", "{\"aString\":\"key\"}"},
    {"{\"someBytes\":\"AP/+\"}", NULL},
    {"{\"someBytes\":\"AP_-\"}", "{\"someBytes\":\"AP/+\"}"},
    {"{\"someBytes\":\"/w==\"}", NULL},
    {"{\"someBytes\":\"/w\"}", "{\"someBytes\":\"/w==\"}"},
    {"{\"someBytes\":\"//8=\"}", NULL},
    {"{\"someBytes\":\"\"}", "{}"},
    {"{\"colour\":\"RED\"}", NULL},
    {"{\"colour\":\"CRIMSON\"}", "{\"colour\":\"RED\"}"},
    {"{\"colour\":\"FAR\"}", NULL},
    {"{\"colour\":7}", NULL},
    {"{\"colour\":\"NONE\"}", "{}"},
    {"{\"nothing\":null}", "{}"},
    {"{\"nothing\":\"NULL_VALUE\"}", "{}"},
    /* presence */
    {"{\"anOptional\":0,\"anOptionalString\":\"\"}", NULL},
    {"{\"anOptional\":null}", "{}"},
    {"{\"inner\":{}}", NULL},
    {"{\"inner\":null}", "{}"},
    {"{\"oneInt\":0}", NULL},
    {"{\"oneNull\":null}", NULL},
    {"{\"oneValue\":null}", NULL},
    {"{\"oneInt\":null,\"oneBool\":false}", "{\"oneBool\":false}"},
    {"{\"@\\\"\\\\\xe2\x82\xac\":\"renamed\",\"OddName1x\":\"odd\"}", NULL},
    {"{\"_odd__name_1x\":\"odd\"}", "{\"OddName1x\":\"odd\"}"},
    /* lists and maps */
    {"{\"ints\":[1,-2,3,4,5,6,7,8,9]}", NULL},
    {"{\"ints\":[]}", "{}"},
    {"{\"ints\":null}", "{}"},
    {"{\"strings\":[\"\",\"a\"],\"colours\":[\"NONE\",\"RED\",3],\"kinds\":[{},{\"ints\":[0]}]}",
     NULL},
    {"{\"nothings\":[null,\"NULL_VALUE\"]}", "{\"nothings\":[null,null]}"},
    {"{\"byString\":{\"\":0,\"a\\n\":1},\"byInt64\":{\"-1\":\"x\"},\"byBool\":{\"true\":\"RED\","
     "\"false\":\"NONE\"},\"byUint32\":{\"4294967295\":{\"anInt32\":1}}}",
     NULL},
    {"{\"byString\":{}}", "{}"},
    {"{\"byString\":{\"a\":1,\"b\":2,\"a\":3}}", "{\"byString\":{\"b\":2,\"a\":3}}"},
    {"{\"valuesByName\":{\"a\":null}}", NULL},
    /* google.protobuf */
    {"{\"at\":\"1970-01-01T00:00:00Z\"}", NULL},
    {"{\"at\":\"2026-11-30T10:50:19.5+01:30\"}", "{\"at\":\"2026-11-30T09:20:19.500Z\"}"},
    {"{\"at\":\"0001-01-01T00:00:00Z\"}", NULL},
    {"{\"at\":\"9999-12-31T23:59:59.999999999Z\"}", NULL},
    {"{\"at\":\"2000-02-29T23:59:59.000001Z\"}", NULL},
    {"{\"duration\":\"0s\"}", NULL},
    {"{\"duration\":\"-0.000000001s\"}", NULL},
    {"{\"duration\":\"315576000000s\"}", NULL},
    {"{\"duration\":\"1.5s\"}", "{\"duration\":\"1.500s\"}"},
    {"{\"mask\":\"\"}", NULL},
    {"{\"mask\":\"fooBar,baz.quX\"}", NULL},
    {"{\"value\":null}", NULL},
    {"{\"value\":1.5}", NULL},
    {"{\"value\":\"text\"}", NULL},
    {"{\"value\":true}", NULL},
    {"{\"value\":{\"a\":[1,{\"b\":null}],\"c\":{}}}", NULL},
    {"{\"value\":[[],[[]]]}", NULL},
    {"{\"object\":{},\"list\":[]}", NULL},
    {"{\"object\":{\"a\":1,\"a\":2}}", "{\"object\":{\"a\":2}}"},
    {"{\"list\":[null,false,\"x\",-1]}", NULL},
    {"{\"mayBool\":false,\"mayBytes\":\"\",\"mayDouble\":0,\"mayFloat\":\"NaN\",\"mayInt32\":0,"
     "\"mayInt64\":\"0\",\"mayString\":\"\",\"mayUint32\":0,\"mayUint64\":\"0\"}",
     NULL},
    {"{\"mayInt64\":null}", "{}"},
    {"{\"mayInt64s\":[\"1\",2]}", "{\"mayInt64s\":[\"1\",\"2\"]}"},
    {"{\"any\":{}}", NULL},
    {"{\"any\":{\"@type\":\"x/json.Kinds\",\"anInt32\":1}}", NULL},
    {"{\"any\":{\"ints\":[1],\"@type\":\"x/json.Kinds\"}}",
     "{\"any\":{\"@type\":\"x/json.Kinds\",\"ints\":[1]}}"},
    {"{\"any\":{\"@type\":\"x/google.protobuf.Duration\",\"value\":\"1s\"}}", NULL},
    {"{\"any\":{\"value\":7,\"@type\":\"x/google.protobuf.Int32Value\"}}",
     "{\"any\":{\"@type\":\"x/google.protobuf.Int32Value\",\"value\":7}}"},
    {"{\"any\":{\"@type\":\"x/google.protobuf.Struct\",\"value\":{\"a\":{}}}}", NULL},
    {"{\"any\":{\"@type\":\"x/google.protobuf.Any\",\"value\":{\"@type\":\"y/json.Kinds\","
     "\"any\":{\"@type\":\"z/json.Kinds\"}}},\"anys\":[{},{\"@type\":\"x/json.Kinds\"}]}",
     NULL},
};

static void values_are_read_and_written(void)
{
    char out[1024];

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const char *expected = values[i].out ? values[i].out : values[i].in;
        int r = rewrite(values[i].in, out, sizeof out);
        if (r != 0 || strcmp(out, expected) != 0)
            printf("%s: %d, %s\n", values[i].in, r, out);
        CHECK(r == 0 && strcmp(out, expected) == 0);
    }
}

enum {
    SYNTAX = MOTE_PB_JSON_ERR_SYNTAX,
    TYPE = MOTE_PB_JSON_ERR_TYPE,
    RANGE = MOTE_PB_JSON_ERR_RANGE,
    NAME = MOTE_PB_JSON_ERR_NAME,
    TWICE = MOTE_PB_JSON_ERR_TWICE,
    ANY = MOTE_PB_JSON_ERR_ANY,
    UTF8 = MOTE_PB_ERR_UTF8
};

/* A text, its error, and the byte at which it is noticed. */
static const struct {
    const char *in;
    int error;
    size_t offset;
} refused[] = {
    {"", TYPE, 0},
    {"null", TYPE, 0},
    {"[]", TYPE, 0},
    {"{}{}", SYNTAX, 2},
    {"{},", SYNTAX, 2},
    {"{", SYNTAX, 1},
    {"{,}", SYNTAX, 1},
    {"{\"ints\"}", SYNTAX, 7},
    {"{\"ints\":}", TYPE, 8},
    {"{\"ints\":[1,]}", TYPE, 11},
    {"{\"ints\":[1 2]}", SYNTAX, 11},
    {"{\"ints\":[1],}", SYNTAX, 12},
    {"{'ints':[1]}", SYNTAX, 1},
    {"{ints:[1]}", SYNTAX, 1},
    {"{\"aBool\":true \"ints\":[]}", SYNTAX, 14},
    {"{\"aBool\":TRUE}", TYPE, 9},
    {"{\"aBool\":tru}", TYPE, 9},
    {"{\"aBool\":\"true\"}", TYPE, 9},
    {"{\"aBool\":1}", TYPE, 9},
    {"{\"inner\":nul}", SYNTAX, 9},
    {"{\"inner\":1}", TYPE, 9},
    {"{\"inner\":[]}", TYPE, 9},
    {"{\"ints\":1}", TYPE, 8},
    {"{\"ints\":{}}", TYPE, 8},
    {"{\"byString\":[]}", TYPE, 12},
    {"{\"ints\":[null]}", TYPE, 9},
    {"{\"kinds\":[null]}", TYPE, 10},
    {"{\"byString\":{\"a\":null}}", TYPE, 17},
    {"{\"byString\":{null:1}}", SYNTAX, 13},
    {"{\"byBool\":{\"True\":\"RED\"}}", TYPE, 18},
    {"{\"byInt64\":{\"1x\":\"\"}}", TYPE, 17},
    {"{\"byInt64\":{\"01\":\"\"}}", TYPE, 17},
    {"{\"nobody\":1}", NAME, 10},
    {"{\"anInt\":1}", NAME, 9},
    {"{\"anInt321\":1}", NAME, 12},
    {"{\"\":1}", NAME, 4},
    {"{\"colour\":\"BLUE\"}", NAME, 16},
    {"{\"colour\":\"RE\"}", NAME, 14},
    {"{\"colour\":\"REDD\"}", NAME, 16},
    {"{\"colour\":\"red\"}", NAME, 15},
    {"{\"colour\":true}", TYPE, 10},
    {"{\"nothing\":\"NULL\"}", NAME, 17},
    {"{\"inner\":{},\"inner\":{}}", TWICE, 20},
    {"{\"anInt32\":1,\"an_int32\":2}", TWICE, 24},
    {"{\"oneInt\":0,\"oneBool\":true}", TWICE, 22},
    {"{\"oneNull\":null,\"oneInt\":1}", TWICE, 25},
    {"{\"ints\":[1],\"ints\":[2]}", TWICE, 19},
    {"{\"anOptional\":0,\"anOptional\":0}", TWICE, 29},
    /* numbers */
    {"{\"anInt32\":2147483648}", RANGE, 21},
    {"{\"anInt32\":-2147483649}", RANGE, 22},
    {"{\"aUint32\":4294967296}", RANGE, 21},
    {"{\"aUint32\":-1}", RANGE, 13},
    {"{\"anInt64\":9223372036854775808}", RANGE, 30},
    {"{\"anInt64\":-9223372036854775809}", RANGE, 31},
    {"{\"aUint64\":18446744073709551616}", RANGE, 31},
    {"{\"aUint64\":184467440737095516150}", RANGE, 32},
    {"{\"aUint64\":1e20}", RANGE, 15},
    {"{\"aUint64\":18446744073709551621}", RANGE, 31},
    {"{\"aUint64\":1844674407370955162e1}", RANGE, 32},
    {"{\"colour\":\"\\x\"}", SYNTAX, 12},
    {"{\"colour\":\"R", SYNTAX, 11},
    {"{\"aUint64\":1e99999999999999999999}", RANGE, 33},
    {"{\"anInt32\":0.5}", RANGE, 14},
    {"{\"anInt32\":1e-1}", RANGE, 15},
    {"{\"anInt32\":01}", SYNTAX, 13},
    {"{\"anInt32\":+1}", SYNTAX, 13},
    {"{\"anInt32\":1.}", SYNTAX, 13},
    {"{\"anInt32\":.5}", SYNTAX, 13},
    {"{\"anInt32\":1e}", SYNTAX, 13},
    {"{\"anInt32\":1e+}", SYNTAX, 14},
    {"{\"anInt32\":--1}", SYNTAX, 14},
    {"{\"anInt32\":-}", SYNTAX, 12},
    {"{\"anInt32\":0x1}", SYNTAX, 12},
    {"{\"anInt32\":\" 1\"}", TYPE, 15},
    {"{\"anInt32\":\"\"}", TYPE, 13},
    {"{\"anInt32\":true}", TYPE, 11},
    {"{\"anInt32\":NaN}", TYPE, 11},
    {"{\"aDouble\":1.7976931348623159e308}", RANGE, 33},
    {"{\"aDouble\":-1e309}", RANGE, 17},
    {"{\"aDouble\":Infinity}", TYPE, 11},
    {"{\"aDouble\":\"infinity\"}", TYPE, 21},
    {"{\"aFloat\":3.4028236e38}", RANGE, 22},
    {"{\"aFloat\":-3.4028236e38}", RANGE, 23},
    /* strings */
    {"{\"aString\":\"\x01\"}", SYNTAX, 12},
    {"{\"aString\":\"\\x\"}", SYNTAX, 13},
    {"{\"aString\":\"\\u12g4\"}", SYNTAX, 14},
    {"{\"aString\":\"\\u123\"}", SYNTAX, 14},
    {"{\"aString\":\"\\ud800\"}", SYNTAX, 18},
    {"{\"aString\":\"\\ud800\\n\"}", SYNTAX, 18},
    {"{\"aString\":\"\\ud800\\u0041\"}", SYNTAX, 18},
    {"{\"aString\":\"\\ude00\\ud83d\"}", SYNTAX, 14},
    {"{\"aString\":\"\xff\"}", UTF8, 12},
    {"{\"aString\":\"\xed\xa0\x80\"}", UTF8, 12},
    {"{\"aString\":\"", SYNTAX, 12},
    {"{\"aString\":\"\\", SYNTAX, 12},
    {"{\"aString\":\"\\\"}", SYNTAX, 12},
    {"{\"aString\":1}", TYPE, 11},
    {"{\"someBytes\":\"A\"}", TYPE, 16},
    {"{\"someBytes\":\"AAAAA\"}", TYPE, 20},
    {"{\"someBytes\":\"AA=A\"}", TYPE, 19},
    {"{\"someBytes\":\"A===\"}", TYPE, 19},
    {"{\"someBytes\":\"AA AA\"}", TYPE, 20},
    /* google.protobuf */
    {"{\"at\":\"1970-01-01T00:00:00\"}", TYPE, 27},
    {"{\"at\":\"1970-01-01 00:00:00Z\"}", TYPE, 28},
    {"{\"at\":\"1970-01-01t00:00:00z\"}", TYPE, 28},
    {"{\"at\":\"1970-02-29T00:00:00Z\"}", TYPE, 28},
    {"{\"at\":\"1900-02-29T00:00:00Z\"}", TYPE, 28},
    {"{\"at\":\"1970-13-01T00:00:00Z\"}", TYPE, 28},
    {"{\"at\":\"1970-04-31T00:00:00Z\"}", TYPE, 28},
    {"{\"at\":\"1970-01-00T00:00:00Z\"}", TYPE, 28},
    {"{\"at\":\"1970-01-01T24:00:00Z\"}", TYPE, 28},
    {"{\"at\":\"1970-01-01T00:60:00Z\"}", TYPE, 28},
    {"{\"at\":\"1970-01-01T00:00:60Z\"}", TYPE, 28},
    {"{\"at\":\"1970-01-01T00:00:00.Z\"}", TYPE, 29},
    {"{\"at\":\"1970-01-01T00:00:00.1234567891Z\"}", TYPE, 39},
    {"{\"at\":\"1970-01-01T00:00:00+0100\"}", TYPE, 32},
    {"{\"at\":\"0000-01-01T00:00:00Z\"}", TYPE, 28},
    {"{\"at\":\"0001-01-01T00:00:00+00:01\"}", RANGE, 33},
    {"{\"at\":\"9999-12-31T23:59:59-00:01\"}", RANGE, 33},
    {"{\"at\":1}", TYPE, 6},
    {"{\"duration\":\"1\"}", TYPE, 15},
    {"{\"duration\":\"s\"}", TYPE, 15},
    {"{\"duration\":\"+1s\"}", TYPE, 17},
    {"{\"duration\":\"1.s\"}", TYPE, 17},
    {"{\"duration\":\".5s\"}", TYPE, 17},
    {"{\"duration\":\"1s \"}", TYPE, 17},
    {"{\"duration\":\"315576000001s\"}", RANGE, 27},
    {"{\"duration\":\"1000000000000s\"}", RANGE, 28},
    {"{\"mask\":\"foo_bar\"}", TYPE, 17},
    {"{\"mask\":1}", TYPE, 8},
    {"{\"value\":tru}", TYPE, 9},
    {"{\"value\":nul}", SYNTAX, 9},
    {"{\"value\":}", TYPE, 9},
    {"{\"list\":{}}", TYPE, 8},
    {"{\"object\":[]}", TYPE, 10},
    {"{\"mayInt32\":\"x\"}", TYPE, 15},
    {"{\"any\":{\"anInt32\":1}}", ANY, 8},
    {"{\"any\":{\"@type\":\"json.Kinds\"}}", ANY, 8},
    {"{\"any\":{\"@type\":\"x/json.Nobody\"}}", ANY, 8},
    {"{\"any\":{\"@type\":1}}", TYPE, 8},
    {"{\"any\":{\"@type\":\"x/json.Kinds\",\"nobody\":1}}", NAME, 40},
    {"{\"any\":{\"@type\":\"x/google.protobuf.Int32Value\",\"value\":1,\"value\":2}}", TWICE, 65},
    {"{\"any\":{\"@type\":\"x/google.protobuf.Int32Value\",\"other\":1}}", NAME, 55},
    {"{\"any\":[]}", TYPE, 7},
};

static void what_is_no_message_is_refused(void)
{
    json_Kinds m;
    size_t offset;

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        int r = read_text(&m, refused[i].in, &offset);
        if (r != refused[i].error || offset != refused[i].offset)
            printf("%s: %d at %zu\n", refused[i].in, r, offset);
        CHECK_INT(r, refused[i].error);
        CHECK_INT(offset, refused[i].offset);
    }
}

int main(void)
{
    RUN(values_are_read_and_written);
    RUN(what_is_no_message_is_refused);
    return test_summary();
}
