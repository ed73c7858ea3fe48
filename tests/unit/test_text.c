/* What programs print and keep of others' text. */
#define _DEFAULT_SOURCE
#include "../../examples/common/text.h"
#include "../test.h"

static char printed[4 * TEXT_MOST + 16];

static FILE *page(void)
{
    memset(printed, 0, sizeof printed);
    return fmemopen(printed, sizeof printed, "w");
}

#define PRINTS(text, expected)                                                                     \
    do {                                                                                           \
        FILE *out = page();                                                                        \
        print_bytes(out, text, sizeof text - 1);                                                   \
        fclose(out);                                                                               \
        if (strcmp(printed, expected) != 0) {                                                      \
            printf("%s:%d: prints '%s'\n", __FILE__, __LINE__, printed);                           \
            test_ok = false;                                                                       \
        }                                                                                          \
    } while (0)

static void each_byte_alone(void)
{
    for (int c = 0; c < 256; c++) {
        char text[2] = {(char)c, 0}, expected[8];
        FILE *out = page();
        print_bytes(out, text, 1);
        fclose(out);
        snprintf(expected, sizeof expected,
                 c == '\\'              ? "\\\\"
                 : c < 0x20 || c > 0x7e ? "\\x%02x"
                                        : "%c",
                 (unsigned)c);
        CHECK(strcmp(printed, expected) == 0);
    }
}

static void characters_of_all_lengths(void)
{
    PRINTS("", "");
    PRINTS("K\xc3\xa4lte", "K\xc3\xa4lte");                         /* U+00E4 */
    PRINTS("\xc2\xa0\xdf\xbf", "\xc2\xa0\xdf\xbf");                 /* U+00A0, U+07FF */
    PRINTS("\xe0\xa0\x80\xef\xbf\xbd", "\xe0\xa0\x80\xef\xbf\xbd"); /* U+0800, U+FFFD */
    PRINTS("\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80"); /* around the surrogates */
    PRINTS("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}

static void what_is_no_character(void)
{
    PRINTS("\xc3", "\\xc3");
    PRINTS("\xc3.", "\\xc3.");
    PRINTS("\xe2\x82", "\\xe2\\x82");
    PRINTS("\xc0\x9b", "\\xc0\\x9b"); /* ESC in two bytes */
    PRINTS("\xc1\xbf", "\\xc1\\xbf");
    PRINTS("\xe0\x80\x9b", "\\xe0\\x80\\x9b");
    PRINTS("\xe0\x9f\xbf", "\\xe0\\x9f\\xbf");
    PRINTS("\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf");
    PRINTS("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* a surrogate */
    PRINTS("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
    PRINTS("\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80");
}

static void what_acts_on_a_terminal(void)
{
    PRINTS("\x1b[2J\r\n\a\b", "\\x1b[2J\\x0d\\x0a\\x07\\x08");
    PRINTS("\xc2\x9b"
           "2J",
           "\\xc2\\x9b2J"); /* CSI of C1, U+009B */
    PRINTS("\xc2\x80\xc2\x9f", "\\xc2\\x80\\xc2\\x9f");
    PRINTS("\xe2\x80\xae", "\\xe2\\x80\\xae"); /* U+202E, right to left */
    PRINTS("\xe2\x80\xa8\xe2\x80\xaa", "\\xe2\\x80\\xa8\\xe2\\x80\\xaa");
    PRINTS("\xe2\x81\xa6\xe2\x81\xa9", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9");
    PRINTS("\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c\xef\xbb\xbf",
           "\\xe2\\x80\\x8e\\xe2\\x80\\x8f\\xd8\\x9c\\xef\\xbb\\xbf");
    PRINTS("\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa",
           "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa");
    PRINTS("a\0b", "a\\x00b");
}

static void a_line_is_one_line_however_long(void)
{
    static char text[3 * TEXT_MOST];
    FILE *out = page();

    print_line(out, "%s, %.*s: %d", "a\nb", 3,
               "c\x1b"
               "de",
               7);
    fclose(out);
    CHECK(strcmp(printed, "a\\x0ab, c\\x1bd: 7\n") == 0);
    memset(text, '\n', sizeof text - 1);
    out = page();
    print_line(out, "%s", text);
    fclose(out);
    CHECK_INT(strlen(printed), 4 * (TEXT_MOST - 1) + 1);
    CHECK(strchr(printed, '\n') == printed + strlen(printed) - 1);
}

static void what_is_kept_is_whole_characters(void)
{
    static const struct {
        const char *text;
        size_t len, size;
        const char *kept;
    } cases[] = {
        {"", 0, 1, ""},
        {"abc", 3, 4, "abc"},
        {"abc", 3, 3, "ab"},
        {"abc", 3, 1, ""},
        {"a\xc3\xa4", 3, 4, "a\xc3\xa4"},
        {"a\xc3\xa4", 3, 3, "a"},
        {"\xe2\x82\xac\xe2\x82\xac", 6, 7, "\xe2\x82\xac\xe2\x82\xac"},
        {"\xe2\x82\xac\xe2\x82\xac", 6, 6, "\xe2\x82\xac"},
        {"\xe2\x82\xac\xe2\x82\xac", 6, 4, "\xe2\x82\xac"},
        {"\xe2\x82\xac", 3, 3, ""},
        {"\xf0\x90\x80\x80", 4, 4, ""},
        {"a\0b", 3, 10, "a"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char to[16];
        memset(to, 'x', sizeof to);
        keep_text(to, cases[i].size, cases[i].text, cases[i].len);
        CHECK(strcmp(to, cases[i].kept) == 0);
        CHECK(to[cases[i].size] == 'x'); /* nothing behind its room */
    }
    char none[2];
    keep_text(none, sizeof none, NULL, 0);
    CHECK(none[0] == '\0');
}

static void a_name_can_be_shown(void)
{
    CHECK(is_printable_name("a", 1, 3) && is_printable_name("\xe2\x82\xac", 3, 3));
    CHECK(!is_printable_name("", 0, 3) && !is_printable_name(NULL, 0, 3));
    CHECK(!is_printable_name("abcd", 4, 3));
    CHECK(!is_printable_name("a\0b", 3, 3) && !is_printable_name("a\nb", 3, 3));
    CHECK(!is_printable_name("\xe2\x82", 2, 3) && !is_printable_name("\xc2\x9b", 2, 3));
}

int main(void)
{
    RUN(what_is_kept_is_whole_characters);
    RUN(a_name_can_be_shown);
    RUN(each_byte_alone);
    RUN(characters_of_all_lengths);
    RUN(what_is_no_character);
    RUN(what_acts_on_a_terminal);
    RUN(a_line_is_one_line_however_long);
    return test_summary();
}
