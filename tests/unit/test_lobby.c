/* What goes first, and what leaves without room: every option against a model, in all orders of
 * what can happen to a few messages. */
#include "outbox_link.h"

enum { HEAD = 12, SPARE = 16, STEPS = 5, MOST = 3 * (HEAD + 2) + SPARE, FIELD = 9, TAG = 9 << 3 };

static mote_outbox_lobby lobby;
static uint8_t lobby_memory[MOST];
static uint64_t now;

/* ---- a model: a list of the messages, in the order of their coming --------------------------- */

typedef struct {
    char name;
    unsigned priority, len;
    uint64_t until;
} message;

static struct {
    message list[STEPS];
    unsigned count, used;
    unsigned put, moved, overtaken, expired, dropped, refused;
    char sent; /* the last one */
} model;

static void model_remove(unsigned i)
{
    model.used -= HEAD + model.list[i].len;
    model.count--;
    memmove(model.list + i, model.list + i + 1, (model.count - i) * sizeof *model.list);
}

/* Whether `a`, at its place, is to go sooner than `b`; the new one is the last. */
static bool goes(const message *a, const message *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority;
    return lobby.policy == MOTE_OUTBOX_DROP_OLDEST ? a < b : a > b;
}

/* With the new one in it, all that there is no room for goes; or nothing but the new one does. */
static int model_put(message new)
{
    message all[STEPS + 1], *victim;
    unsigned used = model.used + HEAD + new.len, n = model.count, dropped = 0;

    memcpy(all, model.list, sizeof model.list);
    all[n++] = new;
    for (; used > lobby.size - SPARE; dropped++) {
        victim = lobby.policy == MOTE_OUTBOX_REFUSE ? &all[n - 1] : all;
        for (message *m = all; lobby.policy != MOTE_OUTBOX_REFUSE && m < all + n; m++)
            victim = goes(m, victim) ? m : victim;
        if (victim == &all[n - 1]) {
            model.refused++;
            return MOTE_AGAIN;
        }
        used -= HEAD + victim->len;
        memmove(victim, victim + 1, (size_t)(&all[n] - victim - 1) * sizeof *all);
        n--;
    }
    memcpy(model.list, all, sizeof model.list);
    model.count = n;
    model.used = used;
    model.dropped += dropped;
    model.put++;
    return 0;
}

static void model_expire(void)
{
    for (unsigned i = model.count; i-- > 0;) {
        if (model.list[i].until > 0 && model.list[i].until <= now) {
            model_remove(i);
            model.expired++;
        }
    }
}

static void model_send(void)
{
    unsigned best = 0;

    model_expire();
    model.sent = '\0';
    if (model.count == 0)
        return;
    for (unsigned i = 1; i < model.count; i++) {
        unsigned a = model.list[i].priority, b = model.list[best].priority;
        if (a > b || (a == b && lobby.first == MOTE_OUTBOX_NEWEST_FIRST))
            best = i;
    }
    model.overtaken += best > 0;
    model.sent = model.list[best].name;
    model.moved++;
    model_remove(best);
}

/* ---- all that can happen ------------------------------------------------------------------- */

/* A name of one letter, once or more often. */
static int put(char name, unsigned priority, unsigned len, uint64_t until)
{
    uint8_t bytes[8];

    memset(bytes, name, sizeof bytes);
    return mote_outbox_lobby_put(&lobby, bytes, len, (uint8_t)priority, until);
}

/* One message goes: the ring has room for no more. The number that it gets is checked. */
static void send_one(void)
{
    uint64_t number = mote_outbox_sequence(&o), before = lobby.moved;
    char wanted[4] = {0, TAG, (char)number, ','};

    heard[0] = '\0';
    int r = mote_outbox_lobby_send(&lobby, &o, call, now);
    while (carry(50))
        ;
    CHECK_INT(r, lobby.waiting > 0 ? MOTE_AGAIN : 0);
    CHECK_INT(lobby.moved - before, heard[0] != '\0');
    CHECK_INT(o.refused, 0);
    if (heard[0] == '\0')
        return;
    wanted[0] = heard[0];
    CHECK(memcmp(heard + (heard[1] == heard[0]), wanted, 4) == 0);
    CHECK(mote_outbox_acknowledge(&o, number));
}

static void step(unsigned what, char name)
{
    static const message kinds[] = {{.priority = 0, .len = 1},
                                    {.priority = 1, .len = 1},
                                    {.priority = 1, .len = 2},
                                    {.priority = 0, .len = 2},
                                    {.priority = 0, .len = 1, .until = 1}};

    if (what < 5) {
        message m = kinds[what];
        m.name = name;
        m.until += m.until ? now : 0;
        CHECK_INT(put(name, m.priority, m.len, m.until), model_put(m));
    } else if (what == 5) {
        send_one();
        model_send();
        CHECK_INT(heard[0], model.sent);
    } else {
        now++;
    }
}

static void agrees(void)
{
    CHECK_INT(lobby.waiting, model.count);
    CHECK_INT(lobby.used, model.used);
    CHECK_INT(lobby.put, model.put);
    CHECK_INT(lobby.moved, model.moved);
    CHECK_INT(lobby.overtaken, model.overtaken);
    CHECK_INT(lobby.expired, model.expired);
    CHECK_INT(lobby.dropped, model.dropped);
    CHECK_INT(lobby.refused, model.refused);
    CHECK_INT(lobby.put, lobby.moved + lobby.waiting + lobby.dropped + lobby.expired);
}

static void begin(enum mote_outbox_policy policy, enum mote_outbox_first first, size_t size)
{
    static uint8_t one[6]; /* a message, its number, and no room for another */

    mote_outbox_init(&o, one, sizeof one, MOTE_OUTBOX_REFUSE, EPOCH);
    memset(&model, 0, sizeof model);
    lobby = (mote_outbox_lobby){.memory = lobby_memory,
                                .size = size,
                                .first = first,
                                .policy = policy,
                                .sequence_field = FIELD};
}

static void every_option_does_what_it_says_in_every_order(void)
{
    enum { KINDS = 7, ALL = KINDS * KINDS * KINDS * KINDS * KINDS };

    open_link();
    for (unsigned option = 0; option < 18 && test_ok; option++) {
        for (unsigned n = 0; n < ALL && test_ok; n++) {
            begin(option % 3, option / 3 % 2, SPARE + (1 + option / 6) * (HEAD + 1) + 1);
            unsigned left = n;
            for (int i = 0; i < STEPS; i++, left /= KINDS)
                step(left % KINDS, (char)('a' + i));
            agrees();
            if (!test_ok)
                printf("option %u, order %u\n", option, n);
        }
    }
}

/* ---- and by examples ----------------------------------------------------------------------- */

static char names[8];

/* All that wait, in the order in which they go. */
static const char *order(void)
{
    names[0] = '\0';
    while (lobby.waiting > 0) {
        send_one();
        strncat(names, heard, 1);
    }
    return names;
}

static void four(enum mote_outbox_policy policy, enum mote_outbox_first first, size_t size)
{
    begin(policy, first, size);
    for (unsigned i = 0; i < 4; i++)
        put((char)('a' + i), i == 1 || i == 2, 1, 0);
}

static void options_are_as_a_reader_expects(void)
{
    enum { ROOM_2 = SPARE + 2 * (HEAD + 1), ROOM_3 = ROOM_2 + HEAD + 1 };
    static const struct {
        enum mote_outbox_policy policy;
        enum mote_outbox_first first;
        size_t size;
        const char *order;
        unsigned dropped, refused, overtaken;
    } cases[] = {/* a and d of priority 0, b and c of 1 */
                 {MOTE_OUTBOX_REFUSE, MOTE_OUTBOX_OLDEST_FIRST, ROOM_3, "bca", 0, 1, 2},
                 {MOTE_OUTBOX_REFUSE, MOTE_OUTBOX_NEWEST_FIRST, ROOM_3, "cba", 0, 1, 2},
                 {MOTE_OUTBOX_DROP_NEWEST, MOTE_OUTBOX_OLDEST_FIRST, ROOM_3, "bca", 0, 1, 2},
                 {MOTE_OUTBOX_DROP_OLDEST, MOTE_OUTBOX_OLDEST_FIRST, ROOM_3, "bcd", 1, 0, 0},
                 {MOTE_OUTBOX_DROP_OLDEST, MOTE_OUTBOX_NEWEST_FIRST, ROOM_3, "cbd", 1, 0, 1},
                 {MOTE_OUTBOX_DROP_NEWEST, MOTE_OUTBOX_NEWEST_FIRST, ROOM_2, "cb", 1, 1, 1},
                 {MOTE_OUTBOX_DROP_OLDEST, MOTE_OUTBOX_OLDEST_FIRST, ROOM_2, "bc", 1, 1, 0},
                 {MOTE_OUTBOX_REFUSE, MOTE_OUTBOX_OLDEST_FIRST, ROOM_2, "ba", 0, 2, 1}};

    open_link();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        four(cases[i].policy, cases[i].first, cases[i].size);
        CHECK(strcmp(order(), cases[i].order) == 0);
        CHECK_INT(lobby.dropped, cases[i].dropped);
        CHECK_INT(lobby.refused, cases[i].refused);
        CHECK_INT(lobby.overtaken, cases[i].overtaken);
    }
}

/* Numbers and what was already sent are the outbox's: a link that breaks changes nothing of them.
 */
static void what_has_a_number_keeps_it_over_a_link_that_breaks(void)
{
    static uint8_t ring[64];

    begin(MOTE_OUTBOX_REFUSE, MOTE_OUTBOX_NEWEST_FIRST, MOST);
    mote_outbox_init(&o, ring, sizeof ring, MOTE_OUTBOX_REFUSE, EPOCH);
    open_link();
    put('a', 0, 1, 0);
    put('b', 0, 1, 0);
    CHECK_INT(mote_outbox_lobby_send(&lobby, &o, call, 0), 0);
    open_link();
    put('c', 200, 1, 0);
    CHECK_INT(mote_outbox_lobby_send(&lobby, &o, call, 0), 0);
    while (carry(50))
        ;
    CHECK(strcmp(heard, "bH\1,aH\2,cH\3,") == 0);
    CHECK(mote_outbox_acknowledge(&o, 3));
    CHECK_INT(mote_outbox_count(&o), 0);
}

/* While something is half sent, nothing goes over: what comes now may still be sooner. */
static void nothing_goes_over_before_the_call_has_room(void)
{
    static uint8_t ring[64];

    begin(MOTE_OUTBOX_REFUSE, MOTE_OUTBOX_OLDEST_FIRST, MOST);
    mote_outbox_init(&o, ring, sizeof ring, MOTE_OUTBOX_REFUSE, EPOCH);
    open_link();
    fill_window(9);
    put('a', 0, 8, 0);
    CHECK_INT(mote_outbox_lobby_send(&lobby, &o, call, 0), MOTE_AGAIN);
    CHECK(o.partial);
    put('b', 0, 1, 0);
    put('c', 1, 1, 0);
    CHECK_INT(mote_outbox_lobby_send(&lobby, &o, call, 0), MOTE_AGAIN);
    CHECK_INT(lobby.waiting, 2);
    for (int i = 0; i < 9; i++) {
        while (carry(50))
            ;
        mote_outbox_lobby_send(&lobby, &o, call, 0);
    }
    CHECK(strstr(heard, ",aaaaaaaaH\1,cH\2,bH\3,"));
}

static void what_is_too_large_stops_nothing(void)
{
    static uint8_t tiny[5];
    static const uint8_t large[65536];

    begin(MOTE_OUTBOX_REFUSE, MOTE_OUTBOX_OLDEST_FIRST, MOST);
    CHECK_INT(mote_outbox_lobby_put(&lobby, large, MOST - SPARE - HEAD + 1, 0, 0),
              MOTE_GRPC_ERR_SPACE);
    CHECK_INT(mote_outbox_lobby_put(&lobby, large, sizeof large, 0, 0), MOTE_GRPC_ERR_SPACE);
    CHECK_INT(mote_outbox_lobby_put(&lobby, large, MOST - SPARE - HEAD, 0, 0), 0);
    CHECK_INT(put('a', 0, 1, 0), MOTE_AGAIN);
    mote_outbox_init(&o, tiny, sizeof tiny, MOTE_OUTBOX_REFUSE, EPOCH);
    open_link();
    CHECK_INT(mote_outbox_lobby_send(&lobby, &o, call, 0), MOTE_GRPC_ERR_SPACE);
    CHECK_INT(lobby.dropped, 1);
    CHECK_INT(put('b', 0, 1, 0), 0);
    CHECK_INT(mote_outbox_lobby_send(&lobby, &o, call, 0), 0);
    CHECK_INT(lobby.moved, 1);
    lobby.size = SPARE - 1;
    CHECK_INT(put('c', 0, 0, 0), MOTE_GRPC_ERR_SPACE);
}

static void without_a_field_messages_carry_no_number(void)
{
    begin(MOTE_OUTBOX_REFUSE, MOTE_OUTBOX_OLDEST_FIRST, MOST);
    lobby.sequence_field = 0;
    open_link();
    put('a', 0, 2, 0);
    CHECK_INT(mote_outbox_lobby_send(&lobby, &o, call, 0), 0);
    while (carry(50))
        ;
    CHECK(strcmp(heard, "aa,") == 0);
    CHECK_INT(o.used, 2 + 2);
}

static void a_number_takes_the_bytes_that_it_needs(void)
{
    static const struct {
        uint64_t number;
        unsigned bytes;
    } cases[] = {
        {1, 1}, {126, 1}, {127, 1}, {128, 2}, {16383, 2}, {16384, 3}, {UINT64_MAX - 1, 10}};
    static uint8_t ring[64];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(MOTE_OUTBOX_REFUSE, MOTE_OUTBOX_OLDEST_FIRST, MOST);
        mote_outbox_init(&o, ring, sizeof ring, MOTE_OUTBOX_REFUSE, EPOCH);
        o.first_sequence = o.send_sequence = o.next_sequence = cases[i].number;
        open_link();
        CHECK_INT(put('a', 0, 1, 0), 0);
        CHECK_INT(mote_outbox_lobby_send(&lobby, &o, call, 0), 0);
        CHECK_INT(o.used, 2 + 1 + 1 + cases[i].bytes);
    }
}

int main(void)
{
    RUN(every_option_does_what_it_says_in_every_order);
    RUN(options_are_as_a_reader_expects);
    RUN(what_has_a_number_keeps_it_over_a_link_that_breaks);
    RUN(nothing_goes_over_before_the_call_has_room);
    RUN(what_is_too_large_stops_nothing);
    RUN(without_a_field_messages_carry_no_number);
    RUN(a_number_takes_the_bytes_that_it_needs);
    return test_summary();
}
