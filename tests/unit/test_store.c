/* The ring of a device: what is not acknowledged is kept, and what is dropped is counted. */
#include "../../examples/store.h"
#include "../test.h"

static store_item items[8];
static store s;

static void fill(int n)
{
    for (int i = 0; i < n; i++)
        store_put(&s, i, 0, i);
}

static void samples_are_sent_in_order_and_kept_until_acknowledged(void)
{
    store_init(&s, items, 8, STORE_DROP_OLDEST);
    CHECK(!store_next(&s));
    fill(5);
    for (uint64_t i = 1; i <= 5; i++) {
        CHECK_INT(store_next(&s)->sequence, i);
        store_sent(&s);
    }
    CHECK(!store_next(&s));
    CHECK_INT(s.count, 5);
    store_acknowledge(&s, 3);
    CHECK_INT(s.count, 2);
    store_acknowledge(&s, 2); /* an old one changes nothing */
    CHECK_INT(s.count, 2);
    store_rewind(&s);
    CHECK_INT(store_next(&s)->sequence, 4);
    store_acknowledge(&s, 100); /* more than there are */
    CHECK_INT(s.count, 0);
    fill(1);
    CHECK_INT(store_next(&s)->sequence, 6);
}

static void a_full_ring_drops_the_oldest_and_counts(void)
{
    store_init(&s, items, 8, STORE_DROP_OLDEST);
    fill(20);
    CHECK_INT(s.dropped, 12);
    CHECK_INT(store_next(&s)->sequence, 13);
    CHECK(store_next(&s)->value == 12);
}

static void a_full_ring_refuses_when_it_is_to_block(void)
{
    store_init(&s, items, 8, STORE_BLOCK);
    fill(8);
    CHECK(!store_put(&s, 0, 0, 0));
    CHECK_INT(s.dropped, 0);
    store_acknowledge(&s, 1);
    CHECK(store_put(&s, 0, 0, 0));
    CHECK_INT(s.next_sequence, 10);
}

int main(void)
{
    RUN(samples_are_sent_in_order_and_kept_until_acknowledged);
    RUN(a_full_ring_drops_the_oldest_and_counts);
    RUN(a_full_ring_refuses_when_it_is_to_block);
    return test_summary();
}
