/*
 * Scripts of conversations: bytes in, events and bytes out, through the public interface alone.
 *
 *   wire FILE...           replays each whole, in pieces, and with output taken in pieces
 *   wire --update FILE...  notes anew what comes out; what has changed is to be reviewed
 *
 * A script is lines, and below each stands what comes of it:
 *   # comment
 *   == what must hold        a scenario begins; (whole) at its end: input is not cut
 *   h2 server streams=4      the engine: h2, grpc, channel or parts, and its config
 *   > DATA 1 end "text"      a frame arrives (wire_frames.c)
 *   + PING hex:0102...       one that arrives together with the next
 *   ! reset 1 8              the application acts
 *   . DATA 1 "text"          an event
 *   = 0                      the result of an action
 *   < RST_STREAM 1 CANCEL    a frame that was sent
 */
#include "wire.h"

#include "../test.h"

#include <ctype.h>
#include <stdarg.h>

enum { TEXT = 1 << 21, INPUT = 1 << 20, LINE = 1 << 16 };

size_t wire_chunk, wire_ack;

static char script[TEXT], transcript[TEXT], events[TEXT], frames[TEXT];
static size_t transcript_len, events_len, frames_len;
static uint8_t input[INPUT];
static size_t input_len;
static const wire_engine *engine;

/* ---- words ----------------------------------------------------------------------------------- */

static char storage[INPUT * 2];
static size_t stored;

static void store(char ch)
{
    if (stored >= sizeof storage)
        abort();
    storage[stored++] = ch;
}

static const char *quoted(const char *p)
{
    for (p++; *p != '"' && *p != '\0'; p++) {
        unsigned value = (uint8_t)*p;
        if (*p == '\\' && p[1] == 'x') {
            sscanf(p + 2, "%2x", &value);
            p += 3;
        } else if (*p == '\\') {
            value = *++p == 'n' ? '\n' : (uint8_t)*p;
        }
        store((char)value);
    }
    return *p ? p + 1 : p;
}

/* Reads a value to the storage; returns what follows. */
static const char *value_of(const char *p, wire_word *w)
{
    size_t start = stored, times = 1;
    const char *star = p + strspn(p, "0123456789");

    if (star > p && *star == '*') {
        times = (size_t)atol(p);
        p = star + 1;
    }
    if (*p == '"') {
        p = quoted(p);
    } else if (strncmp(p, "hex:", 4) == 0) {
        unsigned value;
        for (p += 4; isxdigit((uint8_t)*p) && sscanf(p, "%2x", &value) == 1; p += 2)
            store((char)value);
    } else {
        for (; *p && *p != ' '; p++)
            store(*p);
    }
    size_t once = stored - start;
    for (; times > 1; times--)
        for (size_t i = 0; i < once; i++)
            store(storage[start + i]);
    w->value = (const uint8_t *)storage + start;
    w->len = stored - start;
    store('\0');
    return p;
}

static void split(const char *p, wire_line *l)
{
    l->count = 0;
    stored = 0;
    while (*(p += strspn(p, " "))) {
        wire_word *w = &l->words[l->count++];
        size_t n = 0;
        if (l->count == WIRE_WORDS)
            abort();
        *w = (wire_word){"", NULL, 0};
        bool bare = *p == '"' || strncmp(p, "hex:", 4) == 0 ||
                    (isdigit((uint8_t)*p) && p[strspn(p, "0123456789")] == '*');
        while (!bare && p[n] && p[n] != ' ' && (p[n] != '=' || n == 0))
            n++;
        if (!bare) {
            w->key = storage + stored;
            for (size_t i = 0; i < n; i++)
                store(p[i]);
            store('\0');
        }
        p += n;
        if (bare || *p == '=')
            p = value_of(bare ? p : p + 1, w);
    }
}

const wire_word *wire_find(const wire_line *l, const char *key)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->words[i].key, key) == 0)
            return &l->words[i];
    return NULL;
}

bool wire_has(const wire_line *l, const char *key)
{
    return wire_find(l, key) != NULL;
}

uint32_t wire_number(const wire_line *l, const char *key, uint32_t otherwise)
{
    const wire_word *w = wire_find(l, key);

    return w && w->value ? (uint32_t)strtoul((const char *)w->value, NULL, 0) : otherwise;
}

const char *wire_text_at(const wire_line *l, size_t place)
{
    if (place >= l->count)
        return "";
    return l->words[place].value ? (const char *)l->words[place].value : l->words[place].key;
}

uint32_t wire_at(const wire_line *l, size_t place)
{
    return (uint32_t)strtoul(wire_text_at(l, place), NULL, 0);
}

/* ---- what is noted --------------------------------------------------------------------------- */

static void append(char *to, size_t *len, const char *format, va_list arguments)
{
    int n = vsnprintf(to + *len, TEXT - *len, format, arguments);

    *len += (size_t)n;
    if (*len + 2 > TEXT)
        abort();
    to[(*len)++] = '\n';
    to[*len] = '\0';
}

static void content_ends(void);

void wire_event(const char *format, ...)
{
    va_list arguments;

    content_ends();
    va_start(arguments, format);
    append(events, &events_len, format, arguments);
    va_end(arguments);
}

void wire_frame_out(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    append(frames, &frames_len, format, arguments);
    va_end(arguments);
}

uint32_t wire_sum(uint32_t sum, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ p[i]) * 16777619u;
    return sum;
}

enum { SHOWN = 72 };

const char *wire_show(const void *bytes, size_t len)
{
    static char texts[8][SHOWN * 4 + 64];
    static unsigned turn;
    char *text = texts[turn++ % 8], *p = text;
    const uint8_t *b = bytes;

    *p++ = '"';
    for (size_t i = 0; i < len && i < SHOWN; i++) {
        if (b[i] >= 0x20 && b[i] < 0x7f && b[i] != '"' && b[i] != '\\')
            *p++ = (char)b[i];
        else
            p += sprintf(p, "\\x%02x", b[i]);
    }
    strcpy(p, "\"");
    if (len > SHOWN)
        sprintf(p + 1, "... %zu bytes, %08x", len, wire_sum((uint32_t)WIRE_SUM, bytes, len));
    return text;
}

static struct {
    char what[64];
    size_t len, first, shown;
    uint32_t sum;
    uint8_t start[SHOWN];
} content;

static void content_ends(void)
{
    char what[64], more[64] = "";

    if (content.what[0] == '\0')
        return;
    strcpy(what, content.what);
    content.what[0] = '\0';
    if (content.len > SHOWN)
        snprintf(more, sizeof more, "... %zu bytes, %08x", content.len, content.sum);
    if (content.first > 0)
        snprintf(more + strlen(more), sizeof more - strlen(more), " from %zu", content.first);
    wire_event(". %s %s%s", what, wire_show(content.start, content.shown), more);
}

void wire_content(const char *what, const void *bytes, size_t len, size_t offset)
{
    if (strcmp(what, content.what) != 0 || (offset > 0 && offset != content.first + content.len)) {
        content_ends();
        snprintf(content.what, sizeof content.what, "%s", what);
        content.len = content.shown = 0;
        content.first = offset;
        content.sum = (uint32_t)WIRE_SUM;
    }
    for (size_t i = 0; i < len && content.shown < SHOWN; i++)
        content.start[content.shown++] = ((const uint8_t *)bytes)[i];
    content.sum = wire_sum(content.sum, bytes, len);
    content.len += len;
}

static void transcribe(const char *text, size_t len)
{
    if (transcript_len + len >= TEXT)
        abort();
    memcpy(transcript + transcript_len, text, len);
    transcript_len += len;
    transcript[transcript_len] = '\0';
}

/* Lines that are repeated many times stand once. */
static void transcribe_lines(const char *text)
{
    enum { MANY = 10 };
    char more[64];

    while (*text) {
        size_t n = strcspn(text, "\n") + 1, times = 1;
        while (strncmp(text + times * n, text, n) == 0)
            times++;
        size_t shown = times < MANY ? times : 1;
        for (size_t i = 0; i < shown; i++)
            transcribe(text, n);
        if (times > shown)
            transcribe(more, (size_t)snprintf(more, sizeof more, ". (%zu times)\n", times));
        text += times * n;
    }
}

/* ---- a line, a script ------------------------------------------------------------------------ */

static void arrive(void)
{
    size_t step = wire_chunk && !engine->whole ? wire_chunk : input_len;

    for (size_t at = 0; at < input_len; at += step) {
        size_t n = input_len - at < step ? input_len - at : step;
        uint8_t *exact = malloc(n); /* so that a sanitizer sees reads beyond it */
        if (!exact)
            abort();
        memcpy(exact, input + at, n);
        engine->feed(exact, n);
        free(exact);
    }
    input_len = 0;
}

static void start_engine(const wire_line *l)
{
    static const wire_engine *const engines[] = {&wire_h2, &wire_grpc, &wire_parts, &wire_channel};

    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++) {
        if (strcmp(engines[i]->name, l->words[0].key) == 0) {
            engine = engines[i];
            wire_frames_reset();
            engine->start(l);
            return;
        }
    }
    wire_event("= no such engine");
}

static void run_line(const char *line)
{
    static wire_line l;

    if (line[0] == '#' || line[0] == '\0' || strncmp(line, "==", 2) == 0)
        return;
    bool command = strchr(">+!", line[0]) != NULL;
    split(command ? line + 1 : line, &l);
    if (!command) {
        start_engine(&l);
    } else if (line[0] == '!') {
        engine->act(l.words[0].key, &l);
    } else {
        input_len += wire_frame(&l, input + input_len);
        if (line[0] == '>')
            arrive();
    }
    content_ends();
}

static bool ends_with(const char *text, size_t len, const char *end)
{
    return len >= strlen(end) && memcmp(text + len - strlen(end), end, strlen(end)) == 0;
}

/* Of the scenario that begins here. */
static size_t scenario_length(const char *p)
{
    const char *next = strstr(p, "\n== ");

    return next ? (size_t)(next - p) : strlen(p);
}

static bool is_left_out(const char *p, const char *line, size_t len)
{
    return (wire_chunk > 0 && ends_with(line, len, "(whole)")) ||
           !wire_runs_here(p, scenario_length(p));
}

static void run_script(void)
{
    static char line[LINE];
    bool as_it_is = false;

    transcript_len = 0;
    transcribe("", 0);
    for (const char *p = script; *p;) {
        size_t n = strcspn(p, "\n");
        if (n >= LINE)
            abort();
        memcpy(line, p, n);
        line[n] = '\0';
        if (strncmp(line, "==", 2) == 0)
            as_it_is = is_left_out(p, line, n);
        p += n + (p[n] == '\n');
        if (as_it_is) {
            transcribe(line, n);
            transcribe("\n", 1);
            continue;
        }
        if (line[0] == '.' || line[0] == '<' || (line[0] == '=' && line[1] != '='))
            continue;
        events_len = frames_len = 0;
        events[0] = frames[0] = '\0';
        run_line(line);
        transcribe(line, n);
        transcribe("\n", 1);
        transcribe_lines(events);
        transcribe_lines(frames);
    }
}

/* ---- files ----------------------------------------------------------------------------------- */

static const char *file;

static bool load(void)
{
    FILE *f = fopen(file, "rb");

    if (!f)
        return false;
    script[fread(script, 1, TEXT - 1, f)] = '\0';
    fclose(f);
    return true;
}

static const char *next_line(const char *p)
{
    p += strcspn(p, "\n");
    return p + (*p == '\n');
}

static void compare(int *texts)
{
    const char *a = script, *b = transcript;
    int line = 1;

    for (; (*a || *b) && wire_same(a, b, texts); line++) {
        a = next_line(a);
        b = next_line(b);
    }
    if (!*a && !*b)
        return;
    printf("%s:%d: with input by %zu and output by %zu\n  expected: %.*s\n  got:      %.*s\n", file,
           line, wire_chunk, wire_ack, (int)strcspn(a, "\n"), a, (int)strcspn(b, "\n"), b);
    test_ok = false;
}

static void check(size_t chunk, size_t ack)
{
    int texts = 0;

    wire_chunk = chunk;
    wire_ack = ack;
    run_script();
    compare(&texts);
#ifdef MOTE_NO_TEXTS
    test_texts += texts;
#endif
}

static void whole_gives_what_is_noted(void)
{
    check(0, 0);
}

static void every_cut_gives_the_same(void)
{
    static const size_t chunks[] = {1, 2, 3, 5, 8, 13, 21};

    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0] && test_ok; i++)
        check(chunks[i], 0);
}

static void output_in_pieces_gives_the_same(void)
{
    check(0, 1);
    if (test_ok)
        check(1, 3);
}

static int update(void)
{
    run_script();
    FILE *f = fopen(file, "wb");
    if (!f || fwrite(transcript, 1, transcript_len, f) != transcript_len)
        return 2;
    return fclose(f);
}

int main(int argc, char **argv)
{
    bool updating = argc > 1 && strcmp(argv[1], "--update") == 0;

    for (int i = updating ? 2 : 1; i < argc; i++) {
        file = argv[i];
        if (!load()) {
            fprintf(stderr, "wire: error: %s cannot be read\n", file);
            return 2;
        }
        if (updating) {
            if (update() != 0)
                return 2;
            continue;
        }
        RUN(whole_gives_what_is_noted);
        RUN(every_cut_gives_the_same);
        RUN(output_in_pieces_gives_the_same);
    }
    return updating ? 0 : test_summary();
}
