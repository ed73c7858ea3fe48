/* Protocol Buffers: the decoder of hosts and that of boards say the same of every input. */
#include "pb_nodes.h"

const mote_pb_decoder *board_decoder(const mote_pb_decoder *library);
int board_decode(const mote_pb_decoder *decoder, void *message, const uint8_t *in, size_t len,
                 mote_pb_arena *arena, mote_pb_where *where);

/* With unknown fields kept, and with what a schema of proto3 alone needs. */
typedef struct {
    mote_pb_list_bytes unknown;
    mote_pb_list_int32 closed;
    int32_t level;
    int32_t must;
    mote_pb_opt_int32 far;
    const node *inside;
    const struct keeper *next;
} keeper;

static const mote_pb_field keeper_numbers[] = {{0, 3, 0, 0}};
static const mote_pb_message keeper_enum = {keeper_numbers, NULL, 1, 0}, keeper_table;
static const mote_pb_message *const keeper_subs[] = {&keeper_enum, &node_table, &keeper_table};
static const mote_pb_field keeper_fields[] = {
    {0, offsetof(keeper, unknown), MOTE_PB_BYTES | MOTE_PB_UNKNOWN, 0},
    {MOTE_PB_KEY(1, 0), offsetof(keeper, level), MOTE_PB_CLOSED, 0},
    {MOTE_PB_KEY(2, 0), offsetof(keeper, closed), MOTE_PB_CLOSED | MOTE_PB_REPEATED, 0},
    {MOTE_PB_KEY(3, 0), offsetof(keeper, must), MOTE_PB_SINT32 | MOTE_PB_REQUIRED, 0},
    {MOTE_PB_KEY(5, 2), offsetof(keeper, inside), MOTE_PB_MESSAGE, 1},
    {MOTE_PB_KEY(6, 2), offsetof(keeper, next), MOTE_PB_MESSAGE, 2},
    {MOTE_PB_KEY(3000, 0), offsetof(keeper, far), MOTE_PB_INT32 | MOTE_PB_OPTIONAL, 0},
};
static const mote_pb_message keeper_table = {keeper_fields, keeper_subs, 7, sizeof(keeper)};
static const mote_pb_encoder keeper_encoder = MOTE_PB_ENCODER(&keeper_table);

static const struct {
    const mote_pb_encoder *encoder;
    mote_pb_decoder decoder;
} schemas[] = {
    {&node_encoder, MOTE_PB_DECODER(&node_table)},
    {&node_encoder,
     {&node_table, mote_pb_utf8_valid, mote_pb_read_lists, mote_pb_enter, NULL, NULL}},
    {&keeper_encoder, MOTE_PB_DECODER(&keeper_table)},
    {&keeper_encoder,
     {&keeper_table, mote_pb_utf8_valid, mote_pb_read_lists, mote_pb_enter, NULL, &mote_pb_proto2}},
};
enum { SCHEMAS = sizeof schemas / sizeof schemas[0], ROOM = 8192 };

static uint64_t arenas[2][ROOM / 8], messages[2][sizeof(node) / 8 + 1];
static uint8_t written[2][ROOM];

/* Both take it and have read the same, or both refuse it with the same error at the same place. */
static bool are_one(size_t schema, const uint8_t *in, size_t len, size_t room)
{
    const mote_pb_decoder *decoder = &schemas[schema].decoder;
    mote_pb_arena arena[2];
    mote_pb_where where[2] = {{NULL, 0, 0}, {NULL, 0, 0}};
    size_t n[2] = {0, 0};
    int r[2];

    for (int i = 0; i < 2; i++)
        mote_pb_arena_init(&arena[i], arenas[i], room);
    r[0] = mote_pb_decode(decoder, messages[0], in, len, &arena[0], &where[0]);
    r[1] = board_decode(board_decoder(decoder), messages[1], in, len, &arena[1], &where[1]);
    if (r[0] != r[1] || where[0].type != where[1].type || where[0].field != where[1].field ||
        where[0].offset != where[1].offset || (r[0] == 0 && arena[0].used != arena[1].used))
        return false;
    for (int i = 0; r[0] == 0 && i < 2; i++) {
        if (mote_pb_encode(schemas[schema].encoder, messages[i], written[i], ROOM, &n[i]) < 0)
            return false;
    }
    return r[0] < 0 || (n[0] == n[1] && memcmp(written[0], written[1], n[0]) == 0);
}

/* As are_one(), with the input at the end of its memory. */
static void check_one(size_t schema, const uint8_t *in, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);
    bool one;

    memcpy(exact, in, len);
    one = are_one(schema, exact, len, ROOM);
    CHECK(one);
    for (size_t i = 0; !one && i < len; i++)
        printf("%s%02x%s", i == 0 ? "" : " ", in[i], i + 1 == len ? "\n" : "");
    free(exact);
}

static void check_all(const uint8_t *in, size_t len)
{
    for (size_t i = 0; i < SCHEMAS; i++)
        check_one(i, in, len);
}

/* A message with all fields of a node, and one of a keeper around it. */
static size_t sample(size_t schema, uint8_t *in)
{
    static const node inner = {.text = {"inside", 6}, .leaves = {leaves, 2}, .b = true};
    static const int32_t closed[] = {0, 3};
    node n = full();
    const keeper last = {.must = 1, .inside = &inner};
    const keeper k = {.closed = {closed, 2},
                      .level = 2,
                      .must = -1,
                      .far = {true, -7},
                      .inside = &n,
                      .next = (const void *)&last};
    size_t len = 0;

    n.next = &inner;
    CHECK_INT(
        mote_pb_encode(schemas[schema].encoder, schema < 2 ? (const void *)&n : &k, in, ROOM, &len),
        0);
    return len;
}

static void they_agree_on_what_is_whole_cut_or_changed_in_a_byte(void)
{
    static const uint8_t bytes[] = {0, 1, 7, 8, 0x7f, 0x80, 0xff};
    static uint8_t in[ROOM], changed[ROOM];

    for (size_t schema = 0; schema < SCHEMAS; schema++) {
        size_t len = sample(schema, in);
        for (size_t at = 0; at < len; at++) {
            check_one(schema, in, at);
            for (size_t i = 0; i < sizeof bytes; i++) {
                uint8_t old = in[at];
                in[at] = bytes[i];
                check_one(schema, in, len);
                in[at] = old;
                memcpy(changed, in, at); /* the byte is inserted */
                changed[at] = bytes[i];
                memcpy(changed + at + 1, in + at, len - at);
                check_one(schema, changed, len + 1);
            }
        }
        check_one(schema, in, len);
    }
}

static void they_agree_with_any_room_in_the_arena(void)
{
    static uint8_t in[ROOM];

    for (size_t schema = 0; schema < SCHEMAS; schema++) {
        size_t len = sample(schema, in);
        for (size_t room = 0; room < 2000; room += 8)
            CHECK(are_one(schema, in, len, room));
    }
}

static size_t below(uint64_t *state, size_t limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (size_t)(*state % limit);
}

/* Pieces of messages one behind the other: fields in other orders, and again. */
static void they_agree_on_pieces_in_any_order(void)
{
    static uint8_t in[ROOM], mixed[ROOM];
    uint64_t random = 20;

    for (size_t turn = 0; turn < 3000; turn++) {
        size_t schema = turn % SCHEMAS, len = sample(schema, in), n = 0;
        for (size_t piece = 0; piece < 6; piece++) {
            size_t from = below(&random, len);
            size_t some = below(&random, len - from) % 60;
            memcpy(mixed + n, in + from, some);
            n += some;
        }
        check_one(schema, mixed, n);
    }
}

/* A number of each length, with the same length of zeros behind what it needs, of each type of
 * number, alone and in a message inside, at every distance from the end and cut there. */
static void they_agree_on_numbers_of_every_length_near_the_end(void)
{
    static const uint32_t rows[] = {3, 4, 5, 8, 11, 12, 15, 16, 17, 19, 23, 27};
    uint8_t in[40];

    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        for (size_t len = 1; len <= 11; len++) {
            for (uint8_t last = 0; last < 128; last = (uint8_t)(last * 2 + 1)) {
                size_t n = 0;
                in[n++] = (uint8_t)(rows[row] << 3 | (rows[row] > 15 ? 0x80 : 0));
                if (rows[row] > 15)
                    in[n++] = (uint8_t)(rows[row] >> 4);
                for (size_t i = 1; i < len; i++)
                    in[n++] = (uint8_t)(0x80 | (0x35 * i + last));
                in[n++] = last;
                for (size_t behind = 0; behind < 5; behind++, n += 2) {
                    check_all(in, n);
                    check_all(in, n - 1);
                    uint8_t around[48] = {0xf2, 1, (uint8_t)n}; /* node.next */
                    memcpy(around + 3, in, n);
                    check_all(around, n + 3);
                    around[2]--; /* the message ends in the number, the input does not */
                    check_all(around, n + 3);
                    in[n] = 0x40; /* the bool is false */
                    in[n + 1] = 0;
                }
            }
        }
    }
}

/* A message that comes twice is one, whose required field may be in the first part alone. */
static void they_agree_on_messages_that_are_merged(void)
{
    static const char *const rows[] = {
        "1801 3202 1801 3200",
        "1801 3200 3202 1801",
        "1801 3202 1801 3202 0805",
        "1801 2a03 ea0100 2a03 ea0100",
        "1801 2a05 ea0102 0801 2a05 ea0102 0803",
        "1801 2a08 ea0102 0801 d80101 2a05 ea0102 0803",
    };
    uint8_t in[64];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_all(in, unhex(rows[i], in));
}

int main(void)
{
    RUN(they_agree_on_what_is_whole_cut_or_changed_in_a_byte);
    RUN(they_agree_with_any_room_in_the_arena);
    RUN(they_agree_on_pieces_in_any_order);
    RUN(they_agree_on_numbers_of_every_length_near_the_end);
    RUN(they_agree_on_messages_that_are_merged);
    return test_summary();
}
