/* How deep messages go, from the schema, whatever MOTE_PB_DEPTH is (here 2); and of a type that may
 * hold itself, by the number that it was given (here 3). */
#include "../test.h"
#include "large.mote.h"
#include "wide.mote.h"

static uint8_t out[1024];
static size_t len;

static void a_schema_has_its_own_depth(void)
{
    static const odd_wide_L0 l0 = {7};
    static const odd_wide_L1 l1 = {.d = &l0};
    static const odd_wide_L2 l2 = {.a = &l1};
    static const odd_wide_L3 l3 = {.b = &l2};
    static const odd_wide_L4 l4 = {.c = &l3, .d = &l3};

    _Static_assert(odd_wide_L0_DEPTH == 1 && odd_wide_L4_DEPTH == 5 && odd_wide_L16_DEPTH == 17,
                   "itself included");
    CHECK_INT(odd_wide_L4_encode(&l4, out, sizeof out, &len), 0);
    CHECK_INT(len, 20);
}

static void a_type_that_may_hold_itself_has_the_number_of_the_user(void)
{
    big_Item first = {.name = MOTE_PB_STRING("x")}, second = first, third = first;
    const big_List in_third = {{&third, 1}}, in_second = {{&second, 1}}, list = {{&first, 1}};

    _Static_assert(big_List_DEPTH == 3 && big_Item_DEPTH == MOTE_PB_DEPTH && MOTE_PB_DEPTH == 2,
                   "as the compiler was told");
    first.inside = &in_second; /* list, first, in_second */
    CHECK_INT(big_List_encode(&(big_List){{&second, 1}}, out, sizeof out, &len), 0);
    CHECK_INT(big_List_encode(&list, out, sizeof out, &len), MOTE_PB_ERR_DEPTH);
    first.inside = &(big_List){{NULL, 0}};
    CHECK_INT(big_List_encode(&list, out, sizeof out, &len), 0);
    CHECK_INT(big_Item_encode(&first, out, sizeof out, &len), 0);
    first.inside = &in_third;
    CHECK_INT(big_Item_encode(&first, out, sizeof out, &len), MOTE_PB_ERR_DEPTH);
}

int main(void)
{
    RUN(a_schema_has_its_own_depth);
    RUN(a_type_that_may_hold_itself_has_the_number_of_the_user);
    return test_summary();
}
