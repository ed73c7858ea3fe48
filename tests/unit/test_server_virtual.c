/* Who of those that connect to a server has a slot, who gives way and when, and what is told of a
 * handler that takes long. */
#include "worker_harness.h"

/* Of one who connects: its number. clients[]: -1 where it is kept waiting. */
static unsigned comes(void)
{
    for (size_t i = 0; i < 8; i++)
        accepts[i] = i == 0 ? 0 : EAGAIN;
    accept_calls = polled.calls = 0;
    polled.ready[0] = w.used == w.connections ? 0 : -1; /* whether somebody waits, if it asks */
    CHECK_INT(mote_posix_loop_turn(w.loop, 0), 0);
    clients[came % MOST] = accept_calls > 0 ? far_side[0] : -1;
    return came++ % MOST;
}

static void begin(size_t connections)
{
    prepare(connections);
    w.listener = eventfd(1, EFD_NONBLOCK); /* somebody comes, it says, at all times */
    CHECK_INT(mote_posix_worker_begin(&w), 0);
}

/* ---- who gives way ----------------------------------------------------------------------------
 */

/* An eighth of the slots, and one more, is kept for who comes: the oldest of those that have asked
 * for nothing makes room for it. One slot is for who has it. */
static void the_oldest_that_asks_for_nothing_gives_way(void)
{
    static const struct {
        size_t slots, stay;
    } rows[] = {{2, 1}, {3, 2}, {8, 7}, {9, 7}, {16, 14}, {17, 14}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(rows[i].slots);
        for (size_t n = 1; n <= 2 * rows[i].slots; n++) {
            comes();
            turn();
            size_t gone = n > rows[i].stay ? n - rows[i].stay : 0;
            for (unsigned k = 0; k < n; k++) {
                if (k + 1 >= gone) /* whoever has left for long has been looked at */
                    CHECK_INT(heard(k) & SAID_END, k < gone ? SAID_END : 0);
            }
            CHECK_INT(w.used, n - gone);
            CHECK_INT(w.leaving, 0);
        }
        end();
    }
}

static void who_has_asked_stays(void)
{
    begin(8);
    for (int i = 0; i < 7; i++)
        comes();
    ask(0, "/a.A/S", 1);
    ask(2, "/b.B/S", 1);
    for (int i = 0; i < 4; i++)
        comes();
    turn();
    static const int ends[] = {0, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0};
    for (unsigned k = 0; k < 11; k++)
        CHECK_INT(heard(k) & SAID_END, ends[k] ? SAID_END : 0);
    CHECK_INT(messages, 2);
    end();
}

/* No more are taken in one turn than slots are kept free. */
static void as_many_are_taken_at_once_as_there_are_slots_for(void)
{
    static const struct {
        size_t slots;
        int taken;
    } rows[] = {{1, 1}, {8, 1}, {9, 2}, {16, 2}, {17, 3}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(rows[i].slots);
        memset(accepts, 0, sizeof accepts);
        accept_calls = 0;
        CHECK_INT(mote_posix_loop_turn(w.loop, 0), 0);
        CHECK_INT(accept_calls, rows[i].taken);
        CHECK_INT(w.used, rows[i].taken);
        for (int k = 0; k < rows[i].taken; k++)
            close(far_side[k]);
        end();
    }
}

/* Where all are busy, who comes is sent away at once. */
static void a_server_that_is_busy_says_so(void)
{
    static const size_t slots[] = {1, 2, 9};

    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        begin(slots[i]);
        for (unsigned k = 0; k < slots[i]; k++)
            ask(comes(), "/a.A/S", 1);
        CHECK_INT(w.used, slots[i]);
        CHECK(!w.resting && !w.new_ones);
        for (unsigned k = 0; k < slots[i]; k++)
            CHECK_INT(heard(k) & SAID_END, 0);
        unsigned late = comes();
        CHECK_INT(heard(late), SAID_END);
        CHECK_INT(w.used, slots[i]);
        end();
    }
}

/* Who rests for the longest time is told to go. It has 1.5 s, in which who comes is kept waiting.
 */
static void who_rests_is_told_to_go(void)
{
    static const uint64_t behind_ms[] = {0, 1499, 1500};

    for (size_t i = 0; i < sizeof behind_ms / sizeof behind_ms[0]; i++) {
        begin(2);
        ask(comes(), "/a.A/R", 1);
        clock_ms += 4;
        comes(); /* nobody was looked for yet, and so 0 is told */
        CHECK_INT(heard(0), SAID_GOAWAY);
        CHECK_INT(w.told_ms, clock_ms);
        CHECK(!w.resting);
        ask(1, "/b.B/S", 1);
        clock_ms += behind_ms[i];
        turn();
        unsigned next = comes();
        bool waits = behind_ms[i] < 1500;
        CHECK_INT(clients[next] < 0, waits);
        if (!waits) { /* the kernel was asked who comes */
            CHECK_INT(polled.count, 1);
            CHECK_INT(polled.fd, w.loop->listener);
            CHECK_INT(polled.events, POLLIN);
            CHECK_INT(polled.timeout_ms, 0);
        }
        CHECK_INT(w.loop->ears, waits ? MOTE_POSIX_FULL : MOTE_POSIX_LISTENING);
        if (!waits)
            CHECK_INT(heard(next), SAID_END);
        CHECK_INT(heard(0), behind_ms[i] ? SAID_GOAWAY | SAID_END : 0); /* with its last one */
        CHECK_INT(heard(1), 0);
        leave(0); /* as it was told */
        turn();
        turn();
        CHECK_INT(w.used, 1);
        CHECK_INT(heard(comes()), 0);
        CHECK_INT(w.used, 2);
        end();
    }
}

/* Those that say something meanwhile go behind, and those that are busy are left alone. */
static void who_was_of_use_last_is_told_last(void)
{
    begin(4);
    for (unsigned k = 0; k < 3; k++) {
        ask(comes(), k == 1 ? "/b.B/R" : "/a.A/R", 1);
        clock_ms += 1;
    }
    ask(0, "/a.A/R", 3);
    ask(1, "/a.A/S", 3);
    clock_ms += 3;
    for (unsigned k = 0; k < 3; k++)
        heard(k);
    w.looked_ms = clock_ms - 5;
    w.told_ms = 7;
    comes();
    turn();
    CHECK_INT(heard(2), SAID_GOAWAY); /* each that rests is; the busy one is not */
    CHECK_INT(heard(0), SAID_GOAWAY);
    CHECK_INT(heard(1), 0);
    CHECK_INT(w.told_ms, clock_ms);
    CHECK_INT(w.looked_ms, clock_ms);
    end();
}

/* Up to eight in one look, those that rest longest; the next look is 5 ms later. */
static void looks_are_few(void)
{
    enum { SLOTS = 24, FIRST = 21 };
    static const struct {
        uint64_t ms;
        unsigned told; /* in all */
    } rows[] = {{4, 0}, {5, 8}, {9, 8}, {10, 16}, {15, FIRST}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(SLOTS);
        for (unsigned k = 0; k < FIRST; k++) {
            ask(comes(), k % 2 ? "/b.B/R" : "/a.A/R", 1);
            clock_ms += 1;
        }
        for (unsigned k = 0; k < FIRST; k++)
            heard(k);
        w.looked_ms = clock_ms;
        for (uint64_t ms = 0; ms < rows[i].ms; ms++) {
            clock_ms++;
            turn();
            leave(comes());
            turn();
        }
        for (unsigned k = 0; k < FIRST; k++)
            CHECK_INT(heard(k), k < rows[i].told ? SAID_GOAWAY : 0);
        end();
    }
}

/* Those that have said something since are looked at, too; not all of them at once. */
static void a_look_has_an_end(void)
{
    enum { SLOTS = 300, FIRST = 262 };

    begin(SLOTS);
    for (unsigned k = 0; k < FIRST; k++)
        ask(comes(), "/a.A/R", 1);
    clock_ms += 10;
    for (unsigned k = 0; k < FIRST; k++)
        ask(k, "/a.A/R", 3);
    for (unsigned k = 0; k < FIRST; k++)
        heard(k);
    comes();
    for (unsigned k = 0; k < FIRST; k++)
        CHECK_INT(heard(k), 0);
    CHECK_INT(w.looked_ms, clock_ms);
    CHECK_INT(w.told_ms, 0);
    end();
}

/* A request without a message is not enough to stay. */
static void who_has_said_no_message_is_new(void)
{
    begin(2);
    comes();
    says_no_message = true;
    ask(0, "/a.A/S", 1);
    says_no_message = false;
    CHECK(w.new_ones && messages == 0);
    comes();
    turn();
    CHECK_INT(heard(0) & SAID_END, SAID_END);
    end();
}

/* ---- what is told -----------------------------------------------------------------------------
 */

static char told[128];
static unsigned told_count;

static void tell(void *context, const char *service, const char *method, uint32_t ms)
{
    CHECK(context == &own);
    snprintf(told, sizeof told, "%s %s %u", service, method, (unsigned)ms);
    told_count++;
}

static void a_handler_that_takes_long_is_told_of(void)
{
    static const struct {
        const char *path, *is;
        uint32_t ms;
    } rows[] = {{"/a.A/R", "", 99},           {"/a.A/R", "a.A R 100", 100},
                {"/a.A/S", "a.A S 101", 101}, {"/b.B/R", "b.B R 5000", 5000},
                {"/b.B/S", "b.B S 100", 100}, {"/b.B/S", "", 0}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(8);
        config.slow = tell;
        w.grpc.context = &own;
        told[0] = '\0';
        told_count = 0;
        takes_ms = rows[i].ms;
        ask(comes(), rows[i].path, 1);
        CHECK_INT(messages, 1);
        CHECK(strcmp(told, rows[i].is) == 0);
        CHECK_INT(told_count, rows[i].is[0] != '\0');
        CHECK_INT(w.loop->slow, told_count);
        end();
    }
}

/* Without a function it is a line. */
static void a_handler_that_takes_long_is_a_line(void)
{
    char line[128] = "";
    int pipes[2], before = dup(STDERR_FILENO);

    CHECK_INT(pipe(pipes), 0);
    begin(8);
    takes_ms = 100;
    fflush(stderr);
    dup2(pipes[1], STDERR_FILENO);
    ask(comes(), "/b.B/R", 1);
    dup2(before, STDERR_FILENO);
    CHECK(read(pipes[0], line, sizeof line - 1) > 0);
    CHECK(strcmp(line, "mote: /b.B/R held all others up for 100 ms\n") == 0);
    CHECK_INT(w.loop->slow, 1);
    end();
    close(before);
    close(pipes[0]);
    close(pipes[1]);
}

/* ---- places -----------------------------------------------------------------------------------
 */

/* A slot that is used again has the number of its connections, and a place of its own. */
static void slots_are_used_again(void)
{
    begin(8);
    for (int i = 0; i < 5; i++) {
        unsigned k = comes();
        ask(k, "/a.A/S", 1);
        leave(k);
        turn();
        turn();
        CHECK_INT(w.used, 0);
        CHECK_INT(w.made, 1);
        CHECK_INT(w.loop->conn_count, 0);
    }
    for (int i = 1; i < 5; i++)
        CHECK_INT(generations[i], generations[0] + i);
    end();
}

/* What is put around a connection has its memory behind all else of the slot. */
static int wraps, unwraps;
static uint8_t *memory_at[8];
static int wrap_says;

static int wrap(void *context, void *memory, const mote_posix_engine **engine, void **self)
{
    (void)engine, (void)self;
    CHECK(context == &own);
    memory_at[wraps++ % 8] = memory;
    memset(memory, 0xff, 40);
    return wrap_says;
}

static void unwrap(void *self)
{
    CHECK(self != NULL);
    unwraps++;
}

static void what_is_put_around_has_its_place(void)
{
    const mote_posix_security security = {&own, 40, wrap, unwrap, false};

    wraps = unwraps = 0;
    prepare(8);
    w.security = &security;
    w.listener = eventfd(1, EFD_NONBLOCK);
    CHECK_INT(mote_posix_worker_begin(&w), 0);
    CHECK_INT(w.slot_size + mote_posix_call_memory(&w.grpc),
              mote_posix_connection_size(&w.grpc) + 40);
    ask(comes(), "/a.A/R", 1);
    ask(comes(), "/a.A/R", 1);
    CHECK_INT(wraps, 2);
    CHECK_INT(messages, 2);
    for (size_t i = 0; i < 2; i++)
        CHECK_INT(memory_at[i] - w.slots, (i + 1) * w.slot_size - 40);
    leave(0);
    turn();
    turn();
    CHECK_INT(unwraps, 1);
    wrap_says = -1; /* it cannot: who came is sent away, and the slot is free */
    unsigned late = comes();
    CHECK_INT(heard(late), SAID_END);
    CHECK_INT(w.used, 1);
    CHECK_INT(unwraps, 1);
    wrap_says = 0;
    end();
    CHECK_INT(unwraps, 2);
}

/* ---- memory that is lent -----------------------------------------------------------------------
 */

static mote_posix_slot *newest(void)
{
    return (mote_posix_slot *)w.loop->conns;
}

/* A second after its last input and the end of its last call; and goes on as if it had not. */
static void who_rests_gives_its_memory_back(void)
{
    /* the :authority is an entry of the table, which came with the first call */
    static const uint8_t again[] = "\0\0\x1e\1\4\0\0\0\3\x83\x86\x04\x06/a.A/R\xbe\x0f\x10\x10"
                                   "application/grpc\0\0\5\0\1\0\0\0\3\0\0\0\0\0";
    size_t kept = 4 * sizeof(mote_hpack_slot) + sizeof(mote_hpack_entry) + sizeof ":authorityx" - 1;

    begin(4);
    ask(comes(), "/a.A/R", 1);
    mote_posix_slot *s = newest();
    clock_ms += 999;
    turn();
    turn();
    CHECK(s->loan && !s->kept);
    clock_ms++;
    turn();
    turn();
    CHECK(!s->loan && s->kept);
    CHECK_INT(s->kept_size, kept);
    CHECK_INT(w.loans.warm_count, 1);
    clock_ms += 100000;
    turn();
    turn();
    CHECK_INT(write(clients[0], again, sizeof again - 1), sizeof again - 1);
    turn();
    turn();
    CHECK_INT(messages, 2);
    CHECK(s->loan && !s->kept);
    CHECK_INT(w.loans.warm_count, 0);
    CHECK_INT(w.loans.made, 1);
    ask(0, "/b.B/S", 5); /* one that stays */
    clock_ms += 100000;
    turn();
    turn();
    CHECK(s->loan && messages == 3);
    CHECK_INT(heard(0), 0);
    end();
}

/* Loans that have pages are few, and what an open stream has left is not lent. */
static void loans_come_back(void)
{
    static const struct {
        const char *path;
        size_t count, warm, cold;
    } rows[] = {{"/a.A/R", 3, 3, 0}, {"/a.A/R", 20, 16, 4}, {"/a.A/S", 3, 0, 3}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int leaves = 0; leaves < 2; leaves++) {
            bool stays_there = rows[i].path[5] == 'S';
            begin(60);
            for (size_t k = 0; k < rows[i].count; k++)
                ask(comes(), rows[i].path, 1);
            clock_ms += 1000;
            turn();
            turn();
            CHECK_INT(w.loans.warm_count, stays_there ? 0 : rows[i].warm);
            CHECK_INT(w.loans.cold_count, stays_there ? 0 : rows[i].cold);
            for (size_t k = 0; k < rows[i].count && leaves; k++)
                leave((unsigned)k);
            turn();
            turn();
            CHECK_INT(w.used, leaves ? 0 : rows[i].count);
            if (leaves) {
                CHECK_INT(w.loans.warm_count, rows[i].warm);
                CHECK_INT(w.loans.cold_count, rows[i].cold);
            }
            unsigned one = comes();
            ask(one, "/a.A/R", 1);
            CHECK_INT(w.loans.made, rows[i].count + (stays_there && !leaves));
            CHECK_INT(messages, rows[i].count + 1);
            end();
        }
    }
}

int main(void)
{
    for (size_t i = 0; i < 12; i++)
        polled.ready[i] = -1;
    RUN(the_oldest_that_asks_for_nothing_gives_way);
    RUN(who_has_asked_stays);
    RUN(as_many_are_taken_at_once_as_there_are_slots_for);
    RUN(a_server_that_is_busy_says_so);
    RUN(who_rests_is_told_to_go);
    RUN(who_was_of_use_last_is_told_last);
    RUN(looks_are_few);
    RUN(a_look_has_an_end);
    RUN(who_has_said_no_message_is_new);
    RUN(a_handler_that_takes_long_is_told_of);
    RUN(a_handler_that_takes_long_is_a_line);
    RUN(slots_are_used_again);
    RUN(what_is_put_around_has_its_place);
    RUN(who_rests_gives_its_memory_back);
    RUN(loans_come_back);
    return test_summary();
}
