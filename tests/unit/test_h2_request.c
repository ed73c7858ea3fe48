/* HTTP/2: what a request says is checked at the door, each text by its grammar. */
#include "h2_harness.h"

static uint8_t block[4096];
static size_t block_len;

static void literal(unsigned first, const char *name, const char *value, size_t len)
{
    size_t name_len = strlen(name);

    block[block_len++] = (uint8_t)first;
    block[block_len++] = (uint8_t)name_len;
    memcpy(block + block_len, name, name_len);
    block_len += name_len;
    block[block_len++] = (uint8_t)len;
    memcpy(block + block_len, value, len);
    block_len += len;
}

/* A request with one text in place of what is usual; whether it is taken. */
static bool taken(const char *name, const char *value, size_t len)
{
    static const char *const usual[][2] = {
        {":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}};
    bool regular = name[0] != ':';

    start(true);
    block_len = 0;
    for (size_t i = 0; i < 4; i++) {
        bool other = strcmp(name, usual[i][0]) == 0;
        if (regular && i == 3)
            break;
        literal(0, usual[i][0], other ? value : usual[i][1], other ? len : strlen(usual[i][1]));
    }
    if (regular)
        literal(0, name, value, len);
    frame(1, 5, 1, block, block_len);
    feed_raw();
    CHECK_INT(h2.error, 0);
    bool refused = strcmp(said(), "RST 1 1") == 0;
    CHECK(refused || strstr(events, "HEADERS 1 end"));
    return !refused;
}

#define ALPHA "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

/* Every character within a text is taken or refused as its grammar says. */
static void every_character_is_judged_by_the_grammar_of_its_text(void)
{
    static const struct {
        const char *name, *before, *after, *allowed;
    } texts[] = {
        {":method", "G", "T", ALPHA DIGIT "!#$%&'*+-.^_`|~"},
        {":method", "", "", ALPHA DIGIT "!#$%&'*+-.^_`|~"},
        {":scheme", "h", "p", ALPHA DIGIT "+-."},
        {":scheme", "", "", ALPHA},
        {":path", "/a", "b", ALPHA DIGIT "!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~"},
        {":path", "", "", "/"}, /* and "*" for OPTIONS */
        {":authority", "a", "b", ALPHA DIGIT "!$%&'()*+,-.:;=[]_~"},
        {"host", "a", "b", ALPHA DIGIT "!$%&'()*+,-.:;=[]_~"},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (int ch = 0; ch < 256; ch++) {
            char value[8];
            int len = snprintf(value, sizeof value, "%s", texts[i].before);
            value[len++] = (char)ch;
            memcpy(value + len, texts[i].after, strlen(texts[i].after));
            len += (int)strlen(texts[i].after);
            bool allowed = ch != 0 && strchr(texts[i].allowed, ch);
            if (taken(texts[i].name, value, (size_t)len) == allowed)
                continue;
            printf("%s \"%.*s\" (0x%02x)\n", texts[i].name, len, value, ch);
            test_ok = false;
        }
    }
}

static void whole_texts_are_judged(void)
{
    static const struct {
        const char *name, *value;
        bool taken;
    } texts[] = {
        {":method", "GET /x", false},
        {":method", "GET\r\n", false},
        {":method", "PATCH", true},
        {":method", "", false},
        {":path", "/ HTTP/1.1", false},
        {":path", "/a?b=c", true},
        {":path", "/a#b", false},
        {":path", "http://a/", false},
        {":path", "*", false}, /* of a GET */
        {":path", "**", false},
        {":path", "", false},
        {":scheme", "https", true},
        {":scheme", "coap+tcp", true},
        {":scheme", "ht tp", false},
        {":scheme", "http://a/", false},
        {":scheme", "", false},
        {":authority", "example.com:443", true},
        {":authority", "example.com:", true},
        {":authority", "", true},
        {":authority", "[::1]", true},
        {":authority", "[::1]:443", true},
        {":authority", "192.0.2.1:443,[::1]:443", true}, /* a gRPC client with two addresses */
        {":authority", "user@example.com", false},
        {":authority", "user:x@example.com", false},
        {":authority", "a b", false},
        {":authority", "a/b", false},
        {":authority", "tmp%2Fx.sock", true},
        {"host", "example.com:443", true},
        {"host", "user@example.com", false},
        {"host", "a, b", false},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (taken(texts[i].name, texts[i].value, strlen(texts[i].value)) == texts[i].taken)
            continue;
        printf("%s \"%s\"\n", texts[i].name, texts[i].value);
        test_ok = false;
    }
}

/* ---- the host ---------------------------------------------------------------------------------
 */

enum { INDEXED_NAME = 1, TO_TABLE = 2 };

/* A request for an authority (NULL: none), with other fields; whether it is taken. */
static bool host_taken(const char *authority, const char *between, const char *host,
                       const char *another, unsigned how)
{
    block_len = 0;
    literal(0, ":method", "GET", 3);
    literal(0, ":scheme", "http", 4);
    literal(0, ":path", "/", 1);
    if (authority)
        literal(how & TO_TABLE ? 0x40 : 0, ":authority", authority, strlen(authority));
    if (between)
        literal(0, "x", between, strlen(between));
    for (int i = 0; i < 2; i++) {
        const char *value = i == 0 ? host : another;
        if (!value)
            continue;
        literal(how & TO_TABLE ? 0x40 : 0, "host", value, strlen(value));
        if (how & INDEXED_NAME) { /* its name is entry 38 of the static table */
            uint8_t *at = block + block_len - strlen(value) - 7;
            memmove(at + 2, at + 6, strlen(value) + 1);
            at[0] = 0x0f;
            at[1] = 38 - 15;
            block_len -= 4;
        }
    }
    in_len = out_len = 0;
    events[0] = '\0';
    frame(1, 5, h2.last_peer_id + 2 - (h2.last_peer_id == 0), block, block_len);
    feed_raw();
    CHECK_INT(h2.error, 0);
    return strncmp(said(), "RST", 3) != 0;
}

static void a_host_is_the_authority_or_the_request_malformed(void)
{
    static const struct {
        const char *authority, *host, *another;
        bool taken;
    } cases[] = {
        {"a.example", "a.example", NULL, true},
        {"a.example", "A.EXAMPLE", NULL, true},
        {"a.example", "b.example", NULL, false},
        {"a.example", "a.exampl", NULL, false},
        {"a.example", "a.example.b", NULL, false},
        {"a.example", "a.example:80", NULL, false},
        {"a.example", "", NULL, false},
        {"a_", "a\x7f", NULL, false},
        {"a-", "a\r", NULL, false},
        {"[::1]", "[::1]", NULL, true},
        {"a.example", "a.example", "a.example", false}, /* RFC 9112 3.2: never two */
        {"a.example", "a.example", "A.EXAMPLE", false},
        {"a.example", "a.example", "b.example", false},
        {NULL, "a.example", NULL, true},
        {NULL, "a.example", "a.example", false},
        {NULL, "", "", false},
        {NULL, "", "a.example", false},
        {"", "a.example", "a.example", false},
        {NULL, "a.example", "b.example", false},
        {"", "a.example", NULL, true}, /* it names none */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned how = 0; how < 4; how++) {
            if (how == (INDEXED_NAME | TO_TABLE))
                continue;
            start(true);
            for (int again = 0; again < 2; again++) {
                if (host_taken(cases[i].authority, NULL, cases[i].host, cases[i].another, how) ==
                    cases[i].taken)
                    continue;
                printf("authority %s, host %s, %s: in way %u\n", cases[i].authority, cases[i].host,
                       cases[i].another, how);
                test_ok = false;
            }
        }
    }
}

/* What is kept of the authority takes no room from the fields behind it; where one needs it, a
 * Host that follows cannot be judged, and is refused. */
static void a_long_field_is_taken_and_a_host_behind_it_refused(void)
{
    static char text[128];

    for (size_t len = 20; len <= 63; len++) {
        mote_h2_config config = config_of(true);
        config.scratch_size = 64;
        mote_h2_init(&h2, &config);
        in_len = 24;
        memcpy(in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
        frame(4, 0, 0, NULL, 0);
        frame(4, 1, 0, NULL, 0);
        feed_raw();
        memset(text, 'y', len);
        text[len] = '\0';
        CHECK(host_taken("abcdefgh", text, NULL, NULL, 0));
        CHECK(strstr(events, "truncated") == NULL);
        CHECK(host_taken("abcdefgh", text, "abcdefgh", NULL, 0) == (len + 1 + 8 <= 64));
        CHECK(!host_taken("abcdefgh", text, "yyyyyyyy", NULL, 0));
    }
}

/* The value that the user sees is whole, although it was moved within the scratch. */
static void the_authority_is_told_as_it_came(void)
{
    static char value[64];

    for (size_t len = 1; len <= 22; len++) { /* 10 for the name */
        mote_h2_config config = config_of(true);
        mote_h2_event ev;
        size_t at = 0, used;
        bool seen = false;
        config.scratch_size = 32;
        mote_h2_init(&h2, &config);
        in_len = 24;
        memcpy(in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
        frame(4, 0, 0, NULL, 0);
        for (size_t i = 0; i < len; i++)
            value[i] = (char)('a' + i);
        block_len = 0;
        literal(0, ":authority", value, len);
        frame(1, 5, 1, block, block_len);
        while (mote_h2_recv(&h2, in + at, in_len - at, &used, &ev) > 0) {
            at += used;
            if (ev.type != MOTE_H2_FIELD)
                continue;
            seen = ev.field.name_len == 10 && memcmp(ev.field.name, ":authority", 10) == 0 &&
                   ev.field.value_len == len && memcmp(ev.field.value, value, len) == 0;
        }
        CHECK(seen);
    }
}

/* A client is told what a response says: none of these names means anything there. */
static void a_host_in_a_response_is_a_field_like_others(void)
{
    start_client();
    frame_hex(1, 5, 1, "88 0004686f737402402f 0004686f73740161");
    feed_raw();
    CHECK(strcmp(events, "HEADERS 0 end\n") == 0); /* over, and its slot is free */
}

/* The names of the fields of a request that are told of. */
static const char *told_of(bool quiet)
{
    static char names[256];
    mote_h2_config config = config_of(true);
    mote_h2_event ev;
    size_t at = 0, used;

    start(true);
    in_len = 0;
    config.quiet = quiet;
    CHECK_INT(mote_h2_init(&h2, &config), 0);
    memcpy(in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    in_len = 24;
    frame(4, 0, 0, NULL, 0);
    frame(1, 4, 1, block, block_len);
    names[0] = '\0';
    while (mote_h2_recv(&h2, in + at, in_len - at, &used, &ev) > 0) {
        at += used;
        if (ev.type == MOTE_H2_FIELD)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%.*s ",
                     (int)ev.field.name_len, ev.field.name);
        if (ev.type == MOTE_H2_HEADERS || ev.type == MOTE_H2_RESET)
            strcat(names, ev.type == MOTE_H2_HEADERS ? "taken" : "malformed");
    }
    CHECK_INT(h2.error, 0);
    return names;
}

/* Who asks for it is not told of what HTTP alone needs; it is checked as before. */
static void what_is_not_told_of_is_checked_all_the_same(void)
{
    static const char *const fields[][2] = {
        {":method", "POST"}, {":scheme", "http"}, {":path", "/"},         {":authority", "a"},
        {"te", "trailers"},  {"x", "y"},          {"content-length", "1"}};
    static const char *const malformed[][2] = {
        {":scheme", "1"}, {":authority", "a b"}, {"te", "gzip"}, {"content-length", "-1"}};

    block_len = 0;
    for (size_t i = 0; i < 7; i++)
        literal(0, fields[i][0], fields[i][1], strlen(fields[i][1]));
    CHECK(strcmp(told_of(false), ":method :scheme :path :authority te x content-length taken") ==
          0);
    CHECK(strcmp(told_of(true), ":method :path x taken") == 0);
    for (size_t bad = 0; bad < 4; bad++) {
        block_len = 0;
        for (size_t i = 0; i < 7; i++) {
            bool other = strcmp(fields[i][0], malformed[bad][0]) == 0;
            const char *value = other ? malformed[bad][1] : fields[i][1];
            literal(0, fields[i][0], value, strlen(value));
        }
        CHECK(strstr(told_of(true), "malformed"));
        CHECK_INT(streams[0].id, 0);
    }
}

int main(void)
{
    RUN(every_character_is_judged_by_the_grammar_of_its_text);
    RUN(whole_texts_are_judged);
    RUN(a_host_is_the_authority_or_the_request_malformed);
    RUN(a_long_field_is_taken_and_a_host_behind_it_refused);
    RUN(the_authority_is_told_as_it_came);
    RUN(a_host_in_a_response_is_a_field_like_others);
    RUN(what_is_not_told_of_is_checked_all_the_same);
    return test_summary();
}
