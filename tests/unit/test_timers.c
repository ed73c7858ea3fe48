/* The order of a loop's times, against a model: an array that is looked through. */
#include "../../port/posix/posix_internal.h"
#include "../test.h"

enum { TIMERS = 40, STEPS = 20000 };

static mote_posix_timer timers[TIMERS], *heap;
static bool is_in[TIMERS];
static size_t count;

static uint32_t random_number(void)
{
    static uint32_t state = 1;

    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static void add(unsigned i, uint64_t at_ms)
{
    mote_posix_timer_add(&heap, &timers[i], at_ms);
    is_in[i] = true;
    count++;
}

static void take(mote_posix_timer *t)
{
    mote_posix_timer_remove(&heap, t);
    CHECK(!t->previous && !t->next && !t->child);
    is_in[t - timers] = false;
    count--;
}

static uint64_t earliest(void)
{
    uint64_t at_ms = UINT64_MAX;

    for (unsigned i = 0; i < TIMERS; i++) {
        if (is_in[i] && timers[i].at_ms < at_ms)
            at_ms = timers[i].at_ms;
    }
    return at_ms;
}

static void the_earliest_is_at_the_top_whatever_was_done(void)
{
    static const uint64_t far[] = {0, UINT64_MAX, UINT64_MAX - 1};

    for (int n = 0; n < STEPS; n++) {
        unsigned i = random_number() % TIMERS, what = random_number() % 4;
        if (what == 3 && heap)
            take(heap);
        else if (is_in[i])
            take(&timers[i]);
        else
            add(i, what == 2 ? far[random_number() % 3] : random_number() % 16);
        CHECK_INT(heap ? heap->at_ms : UINT64_MAX, earliest());
        CHECK(mote_posix_timers_valid(heap, count));
    }
    for (uint64_t before = 0; heap; before = earliest()) {
        CHECK(heap->at_ms >= before);
        take(heap);
    }
    CHECK_INT(count, 0);
}

/* Four: the second of those that were added at the top. */
static void make_a_tree(void)
{
    memset(timers, 0, sizeof timers);
    heap = NULL;
    for (unsigned i = 0; i < 4; i++)
        mote_posix_timer_add(&heap, &timers[i], i);
    mote_posix_timer_remove(&heap, &timers[0]);
    mote_posix_timer_add(&heap, &timers[4], 9);
    CHECK(heap && mote_posix_timers_valid(heap, 4));
}

/* The check of the invariant is one: a link or a time that is wrong, or one too many, is seen. */
static void what_is_no_heap_is_seen(void)
{
    mote_posix_timer other = {.at_ms = 100};

    make_a_tree();
    CHECK(!mote_posix_timers_valid(heap, 3));
    CHECK(!mote_posix_timers_valid(heap, 5));
    CHECK(!mote_posix_timers_valid(NULL, 1));
    for (unsigned i = 1; i < 5; i++) {
        make_a_tree();
        timers[i].previous = &other;
        CHECK(!mote_posix_timers_valid(heap, 4));
        make_a_tree();
        timers[i].at_ms = &timers[i] == heap ? 100 : 0;
        CHECK(!mote_posix_timers_valid(heap, 4));
    }
    make_a_tree();
    heap->next = &other;
    CHECK(!mote_posix_timers_valid(heap, 4));
}

int main(void)
{
    RUN(the_earliest_is_at_the_top_whatever_was_done);
    RUN(what_is_no_heap_is_seen);
    return test_summary();
}
