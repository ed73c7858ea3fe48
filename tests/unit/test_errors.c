/* Each error that a user can meet has its text: what is wrong with a config, and the codes of all
 * layers, of which a new one without a row here is a failure. Whether each text has a test that
 * reads it says tests/texts.py. */
#include "../../grpc/channel/channel.h"
#include "../../h2/mote_features.h"
#include "../../pb/pb.h"
#include "../test.h"

enum { MAX_MEMORY = 1 << 18 };

/* ---- codes --------------------------------------------------------------------------------- */

static const struct {
    int code;
    const char *text;
} rows[] = {
    {MOTE_HPACK_ERR_INDEX, "hpack: index outside of the static and dynamic table"},
    {MOTE_HPACK_ERR_INTEGER, "hpack: integer larger than 2^28 or longer than 6 bytes"},
    {MOTE_HPACK_ERR_HUFFMAN, "hpack: invalid Huffman code or padding"},
    {MOTE_HPACK_ERR_TABLE_SIZE, "hpack: table size update above the limit or misplaced"},
    {MOTE_HPACK_ERR_TRUNCATED, "hpack: header block ends inside of a field"},
    {MOTE_HPACK_ERR_SPACE, "hpack: output buffer too small for the field"},
    {MOTE_HPACK_ERR_UPDATE_MISSING, "hpack: a mandatory table size update is missing"},
    {MOTE_H2_AGAIN, "h2: not now: no window, no stream or no space in the transmit buffer"},
    {MOTE_H2_ERR_CONFIG, "h2: config: a span is missing or too small"},
    {MOTE_H2_ERR_PEER, "h2: the peer broke the protocol; see mote_h2_error_text()"},
    {MOTE_H2_ERR_CALM, "h2: the peer's odd events exceeded the budget"},
    {MOTE_H2_ERR_GOAWAY, "h2: the connection takes no new streams"},
    {MOTE_H2_ERR_STATE, "h2: the stream cannot send this now"},
    {MOTE_H2_ERR_TOO_LARGE, "h2: header block does not fit the transmit buffer"},
    {MOTE_H2_ERR_TIMEOUT, "h2: no acknowledgement of SETTINGS in time"},
    {MOTE_H2_ERR_CLOSED, "h2: the peer closed the transport"},
    {MOTE_GRPC_ERR_CONFIG, "grpc: config: a size is missing or the memory is too small"},
    {MOTE_GRPC_ERR_STATE, "grpc: the call is over or has already sent its last message"},
    {MOTE_GRPC_ERR_IO, "grpc: the transport failed"},
    {MOTE_GRPC_ERR_BASE64, "grpc: value of a -bin field is no base64"},
    {MOTE_GRPC_ERR_SPACE, "grpc: buffer too small for the decoded value"},
    {MOTE_GRPC_ERR_CODEC, "grpc: compressed data is broken"},
    {MOTE_GRPC_ERR_INSECURE, "grpc: a token is sent over TLS only"},
    {MOTE_GRPC_ERR_LIMIT, "grpc: the message is larger than send_limit"},
    {MOTE_GRPC_ERR_MIXED, "grpc: a part of another message was sent; repeat that one first"},
    {MOTE_GRPC_ERR_NAME, "grpc: a name of metadata has a-z, 0-9, '-', '_' and '.' alone"},
    {MOTE_GRPC_ERR_RESERVED, "grpc: this name is not for metadata of an application"},
    {MOTE_GRPC_ERR_VALUE,
     "grpc: a value of metadata has printable ASCII alone, and no blank at its ends"},
    {MOTE_GRPC_ERR_PATH, "grpc: :path begins with /, and has printable ASCII alone"},
    {MOTE_PB_ERR_TRUNCATED, "pb: the message ends inside of a field"},
    {MOTE_PB_ERR_VARINT, "pb: varint longer than 10 bytes, or length longer than 5"},
    {MOTE_PB_ERR_TAG,
     "pb: a tag of more than 5 bytes, field 0 or above 2^29-1, or an unknown wire type"},
    {MOTE_PB_ERR_GROUP, "pb: groups do not match"},
    {MOTE_PB_ERR_UTF8, "pb: a string is no valid UTF-8"},
    {MOTE_PB_ERR_DEPTH, "pb: messages are nested too deeply"},
    {MOTE_PB_ERR_ARENA, "pb: the arena is full"},
    {MOTE_PB_ERR_SPACE, "pb: output buffer too small"},
    {MOTE_PB_ERR_REQUIRED, "pb: a required field is missing"},
    {MOTE_PB_ERR_CHANGED, "pb: the message was changed while it was sent"},
    {MOTE_PB_ERR_MEMORY,
     "pb: the memory that was lent for a large message is too small for its depth"},
    {MOTE_PB_ERR_SUPPLY, "pb: a function did not give an element of a repeated field"},
    {MOTE_CHANNEL_ERR_DEADLINE, "the deadline has passed"},
    {MOTE_CHANNEL_ERR_CONNECT, "there is no connection"},
    {MOTE_CHANNEL_ERR_CALLS, "all calls that the channel has room for are open (max_calls)"},
    {MOTE_CHANNEL_ERR_GOAWAY, "the server takes no new calls until those that are open end"},
    {MOTE_CHANNEL_ERR_SHUTDOWN, "the channel is closed"},
    {MOTE_CHANNEL_ERR_NO_CALL, "the call has not started, or its end was told"},
    {MOTE_CHANNEL_ERR_PACKING,
     "the call has a codec, and the channel no memory to compress in: set packing, packing_size"},
};

#define LIST(name, code, text) name,
static const int codes[] = {MOTE_HPACK_ERRORS(LIST) MOTE_H2_ERRORS(LIST) MOTE_GRPC_ERRORS(LIST)
                                MOTE_PB_ERRORS(LIST) MOTE_CHANNEL_ERRORS(LIST)};

static const char *row_of(int code)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == code)
            return rows[i].text;
    }
    return NULL;
}

/* A layer knows the texts of those below it, and no others. */
static void every_code_has_its_text(void)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        const char *text = row_of(codes[i]);
        bool pb = codes[i] <= -400 && codes[i] > -500;
        if (!text) {
            printf("%d has no row\n", codes[i]);
            test_ok = false;
            continue;
        }
        CHECK_TEXT(
            strcmp(pb ? mote_pb_strerror(codes[i]) : mote_channel_strerror(codes[i]), text) == 0);
        if (codes[i] > -400)
            CHECK_TEXT(strcmp(mote_grpc_strerror(codes[i]), text) == 0);
        if (codes[i] > -300 && codes[i] <= -200)
            CHECK_TEXT(strcmp(mote_h2_strerror(codes[i]), text) == 0);
        if (codes[i] > -200)
            CHECK_TEXT(strcmp(mote_hpack_strerror(codes[i]), text) == 0);
    }
}

/* Between and around them nothing is made up. */
static void other_codes_are_unknown(void)
{
    static const char unknown[] = "unknown error";

    for (int code = -1000; code < 0; code++) {
        if (row_of(code))
            continue;
        CHECK_TEXT(strcmp(mote_channel_strerror(code), unknown) == 0);
        CHECK_TEXT(strcmp(mote_pb_strerror(code), unknown) == 0);
    }
}

/* ---- configs: which member, what it is, what it must be ------------------------------------- */

static uint64_t config_memory[MAX_MEMORY / 8];

static mote_grpc_config good_config(bool is_server)
{
    return (mote_grpc_config){.server = is_server,
                              .max_calls = 2,
                              .slots = 8,
                              .rx_size = 256,
                              .tx_size = 512,
                              .table_size = 4096,
                              .dynamic = &mote_hpack_dynamic_table,
                              .field_size = 256,
                              .authority = MOTE_GRPC_AUTHORITY("x")};
}

/* What init says and what the text says are one; the text. */
static const char *text_of(const mote_grpc_config *config, void *memory, size_t size)
{
    static char text[MOTE_GRPC_CONFIG_TEXT];
    static mote_grpc g;
    int r = mote_grpc_init(&g, config, memory, size);

    CHECK(mote_grpc_config_text(config, memory, size, text) == text);
    CHECK(r == 0 || r == MOTE_GRPC_ERR_CONFIG || r == MOTE_H2_ERR_CONFIG);
    CHECK((r == 0) == (text[0] == '\0'));
    return text;
}

#define CONFIG_SAYS(change, expected)                                                              \
    do {                                                                                           \
        mote_grpc_config c = good_config(false);                                                   \
        change;                                                                                    \
        const char *said = text_of(&c, config_memory, sizeof config_memory);                       \
        if (strcmp(said, expected) != 0) {                                                         \
            printf("%s: \"%s\"\n", #change, said);                                                 \
            test_ok = false;                                                                       \
        }                                                                                          \
    } while (0)

/* What no size may exceed: 2 GiB, or 1 GiB where size_t has 32 bits. */
#if SIZE_MAX > 0xffffffff
#define MOST    "2147483647"
#define MOST_RX "2147483386"
#else
#define MOST    "1073741823"
#define MOST_RX MOST
#endif

static void a_config_that_is_refused_is_told_which_member(void)
{
    CONFIG_SAYS((void)0, "");
    CONFIG_SAYS(c.max_calls = 0, "max_calls is 0: at least 1");
    CONFIG_SAYS(c.rx_size = 15, "rx_size is 15: at least 16");
    CONFIG_SAYS(c.rx_size = 0, "rx_size is 0: at least 16");
    CONFIG_SAYS(c.rx_size = 16, "");
    CONFIG_SAYS(c.rx_size = 0x80000000, "rx_size is 2147483648: at most " MOST_RX);
    CONFIG_SAYS(c.tx_size = 0xffffffff, MOTE_CUTS ? "tx_size is 4294967295: at most " MOST
                                                  : "tx_size is 4294967295: at most 16393");
    CONFIG_SAYS(c.field_size = 0xfffffff9, "field_size is 4294967289: at most " MOST);
    CONFIG_SAYS(c.user_size = 0x80000000, "user_size is 2147483648: at most " MOST);
    CONFIG_SAYS(c.tx_size = 127, "tx_size is 127: at least 128");
    CONFIG_SAYS(c.tx_size = 128, "");
    CONFIG_SAYS(c.field_size = 31, "field_size is 31: at least 32");
    CONFIG_SAYS(c.field_size = 32, "");
    CONFIG_SAYS(c.table_size = 65505, "table_size is 65505: at most 65504");
    CONFIG_SAYS(c.table_size = 65504, "");
    CONFIG_SAYS(c.connection_window = 65534, "connection_window is 65534: at least 65535");
    CONFIG_SAYS(c.connection_window = 65535, "");
    CONFIG_SAYS(c.connection_window = 0xffffffff,
                "connection_window is 4294967295: at most 2147483647");
    CONFIG_SAYS(c.dynamic = NULL, "dynamic is missing, and table_size is not 0");
    CONFIG_SAYS((c.dynamic = NULL, c.table_size = 0), "");
    CONFIG_SAYS(c.authority.name = NULL, "authority is missing");
    CONFIG_SAYS((c.server = true, c.authority.name = NULL, c.dynamic = NULL), "");
    if (!MOTE_HAS_DOOR)
        CONFIG_SAYS((c.server = true, c.door = (const void *)&c), "door: this build has none");
    if (!MOTE_COMPRESSES)
        CONFIG_SAYS(c.codecs = (const mote_grpc_codecs *)&c,
                    "codecs: this build has no compression");
}

/* Each size of memory up to what is enough, and the first that is. */
static void memory_that_is_too_small_is_told_how_much_is_missing(void)
{
    for (int is_server = 0; is_server < 2; is_server++) {
        mote_grpc_config c = good_config(is_server);
        size_t enough = MOTE_GRPC_MEMORY(2, 256, 512, 4096, 256, 8, 0);
        char expected[MOTE_GRPC_CONFIG_TEXT];
        for (size_t size = 0; size < enough; size += size % 97 + 1) {
            snprintf(expected, sizeof expected, "memory_size is %zu: at least %zu", size, enough);
            CHECK(strcmp(text_of(&c, config_memory, size), expected) == 0);
        }
        CHECK(strcmp(text_of(&c, config_memory, enough - 1), "") != 0);
        CHECK(strcmp(text_of(&c, config_memory, enough), "") == 0);
        CHECK(strcmp(text_of(&c, NULL, enough), "memory is missing") == 0);
    }
}

/* Whatever is in a config, the two agree; and each text fits. */
static void init_and_its_text_agree(void)
{
    static const uint32_t numbers[] = {0,     1,     15,    16,    31,         32,         127, 128,
                                       65503, 65504, 65505, 65534, 0x7fffffff, 0x80000000, 4096};
    uint32_t random = 1;

    for (int i = 0; i < 20000; i++) {
        mote_grpc_config c = good_config(test_random(&random) & 1);
        uint32_t *const members[] = {&c.rx_size,    &c.tx_size,           &c.table_size,
                                     &c.field_size, &c.connection_window, &c.user_size};
        for (size_t k = 0; k < 2; k++)
            *members[test_random(&random) % 6] = numbers[test_random(&random) % 15];
        if (test_random(&random) % 4 == 0)
            c.dynamic = NULL;
        if (test_random(&random) % 4 == 0)
            c.authority.name = NULL;
        CHECK(strlen(text_of(&c, config_memory, sizeof config_memory)) < MOTE_GRPC_CONFIG_TEXT);
    }
}

int main(void)
{
    RUN(every_code_has_its_text);
    RUN(other_codes_are_unknown);
    RUN(a_config_that_is_refused_is_told_which_member);
    RUN(memory_that_is_too_small_is_told_how_much_is_missing);
    RUN(init_and_its_text_agree);
    return test_summary();
}
