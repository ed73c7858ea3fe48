/* What generated code knows of a schema by name: numbers of fields, names of enums, members of
 * oneofs. */
#include "../test.h"
#include "../../fuzz/schema.mote.h"

static void fields_have_numbers(void)
{
    _Static_assert(fuzz_Three_real_NUMBER == 1 && fuzz_Three_f_NUMBER == 43 &&
                       fuzz_Three_far_NUMBER == 536870911,
                   "those of the .proto");
    _Static_assert(fuzz_Three_CountsEntry_value_NUMBER == 2 && fuzz_Two_single_NUMBER == 6,
                   "of all messages");
}

static void enums_have_names(void)
{
    static const struct {
        const char *name;
        int32_t number;
    } rows[] = {{"RED", 0}, {"GREEN", 1}, {"BLUE", -1}};
    static const char *const others[] = {"", "RE", "REDD", "red", "PURPLE"};
    fuzz_Colour c = 7;

    for (size_t i = 0; i < 3; i++) {
        CHECK(strcmp(fuzz_Colour_name(rows[i].number), rows[i].name) == 0);
        CHECK(fuzz_Colour_parse(mote_pb_cstring(rows[i].name), &c));
        CHECK_INT(c, rows[i].number);
    }
    c = 7;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        CHECK(!fuzz_Colour_parse(mote_pb_cstring(others[i]), &c));
    CHECK_INT(c, 7);
    CHECK(fuzz_Colour_name(2) == NULL);
}

static void setting_a_member_of_a_oneof_names_it(void)
{
    static const fuzz_Three inside = {.i32 = 1};
    fuzz_Three m = {.real = 1};
    uint8_t out[32];
    size_t len;

    fuzz_Three_set_a(&m, 5);
    CHECK(m.narrow.which == fuzz_Three_a && m.narrow.is.a == 5);
    fuzz_Three_set_b(&m, true);
    CHECK(m.narrow.which == fuzz_Three_b_NUMBER && m.narrow.is.b);
    fuzz_Three_set_c(&m, 0.5);
    CHECK(m.wide.which == 40 && m.wide.is.c > 0.4);
    fuzz_Three_set_d(&m, MOTE_PB_STRING("x"));
    CHECK(m.wide.which == 41 && m.wide.is.d.len == 1);
    fuzz_Three_set_e(&m, &inside);
    CHECK(m.wide.which == 42 && m.wide.is.e == &inside);
    CHECK_INT(fuzz_Three_encode(&m, out, sizeof out, &len), 0);
    CHECK_INT(len, 9 + 3 + 5);
}

int main(void)
{
    RUN(fields_have_numbers);
    RUN(enums_have_names);
    RUN(setting_a_member_of_a_oneof_names_it);
    return test_summary();
}
