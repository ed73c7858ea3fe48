/* The head of a request of HTTP/1.1 (RFC 9112 3, 5), and the HEADERS frame that it becomes. The
 * bytes were looked at as they came: lines end with CR LF, and there is no NUL. */
#include "http1_internal.h"

#include <string.h>

typedef struct {
    const char *at;
    size_t len;
} http1_span;

/* What is known of a head. */
typedef struct {
    http1_span method, target, host;
    uint64_t length;
    unsigned hosts, lengths, codings;
    bool expects;
} http1_head;

static char http1_lower(char ch)
{
    if (ch >= 'A' && ch <= 'Z')
        return (char)(ch | 0x20);
    return ch;
}

/* In any case of its letters. */
static bool http1_equals(http1_span s, const char *text)
{
    size_t i = 0;

    while (i < s.len && text[i] != '\0' && http1_lower(s.at[i]) == text[i])
        i++;
    return i == s.len && text[i] == '\0';
}

/* RFC 9110 5.6.2 */
static bool http1_is_token_char(char ch)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    if ((ch >= '0' && ch <= '9') || (http1_lower(ch) >= 'a' && http1_lower(ch) <= 'z'))
        return true;
    size_t i = 0;
    while (others[i] != '\0' && others[i] != ch)
        i++;
    return others[i] != '\0';
}

static bool http1_is_token(http1_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!http1_is_token_char(s.at[i]))
            return false;
    }
    return s.len > 0;
}

/* Characters that can be seen, and, in a value, blanks within. */
static bool http1_is_visible(http1_span s, bool value)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t ch = (uint8_t)s.at[i];
        if (ch < 0x21 || ch == 0x7f) {
            if (!value || (ch != ' ' && ch != '\t'))
                return false;
        } else if (ch > 0x7f && !value) {
            return false;
        }
    }
    return true;
}

/* The part up to a character, behind which *rest begins; false: it is not there. */
static bool http1_cut_at(http1_span *rest, char ch, http1_span *part)
{
    size_t n = 0;

    while (n < rest->len && rest->at[n] != ch)
        n++;
    if (n == rest->len)
        return false;
    *part = (http1_span){rest->at, n};
    rest->at += n + 1;
    rest->len -= n + 1;
    return true;
}

/* The next line, without its CR LF; false: it is the empty one at the end. */
static bool http1_next_line(http1_span *rest, http1_span *line)
{
    return http1_cut_at(rest, '\n', line) && --line->len > 0;
}

static http1_span http1_trimmed(http1_span s)
{
    while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
        s.len--;
    while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t')) {
        s.at++;
        s.len--;
    }
    return s;
}

/* "name: value"; false: it is not. */
static bool http1_split_field(http1_span line, http1_span *name, http1_span *value)
{
    *value = line;
    if (!http1_cut_at(value, ':', name) || !http1_is_token(*name))
        return false;
    *value = http1_trimmed(*value);
    return http1_is_visible(*value, true);
}

/* ---- what is wrong with it ------------------------------------------------------------------ */

/* A status and a text, with a NUL between; NULL: nothing. */
#define HTTP1_WRONG(status, why) status "\0" why

static const char *http1_look_at_line(http1_head *head, http1_span line)
{
    static const char version[] = "HTTP/1.1";

    if (!http1_cut_at(&line, ' ', &head->method) || !http1_is_token(head->method) ||
        !http1_cut_at(&line, ' ', &head->target) || line.len != 8 ||
        memcmp(line.at, version, 5) != 0)
        return HTTP1_WRONG("400 Bad Request", "the first line is not METHOD /PATH HTTP/1.1");
    if (memcmp(line.at, version, 8) != 0)
        return HTTP1_WRONG("505 HTTP Version Not Supported", "the version is not HTTP/1.1");
    if (head->target.len == 0 || head->target.at[0] != '/' ||
        !http1_is_visible(head->target, false))
        return HTTP1_WRONG("400 Bad Request", "the target is not a path");
    return NULL;
}

static const char *http1_look_at_length(http1_head *head, http1_span value)
{
    if (++head->lengths > 1)
        return HTTP1_WRONG("400 Bad Request", "there are two Content-Lengths");
    if (!mote_h2_decimal(value.at, value.len, &head->length) || head->length > INT32_MAX)
        return HTTP1_WRONG("400 Bad Request", "Content-Length is no number, or above 2147483647");
    return NULL;
}

/* What it names would belong to this connection alone (RFC 9110 7.6.1). */
static const char *http1_look_at_connection(mote_http1 *h, http1_span value)
{
    while (value.len > 0) {
        http1_span option = value;
        if (!http1_cut_at(&value, ',', &option))
            value.len = 0;
        option = http1_trimmed(option);
        if (http1_equals(option, "close"))
            h->closing = true;
        else if (!http1_equals(option, "keep-alive") && !http1_equals(option, "upgrade") &&
                 !http1_equals(option, "http2-settings") && !http1_equals(option, "te"))
            return HTTP1_WRONG("400 Bad Request", "Connection names other fields");
    }
    return NULL;
}

static const char *http1_look_at_field(mote_http1 *h, http1_head *head, http1_span name,
                                       http1_span value)
{
    if (http1_equals(name, "host")) {
        head->host = value;
        if (++head->hosts > 1 || value.len == 0 || !http1_is_visible(value, false))
            return HTTP1_WRONG("400 Bad Request", "there are two Hosts, or it is none");
    } else if (http1_equals(name, "content-length")) {
        return http1_look_at_length(head, value);
    } else if (http1_equals(name, "transfer-encoding")) {
        if (++head->codings > 1 || !http1_equals(value, "chunked"))
            return HTTP1_WRONG("501 Not Implemented", "Transfer-Encoding is not chunked");
    } else if (http1_equals(name, "connection")) {
        return http1_look_at_connection(h, value);
    } else if (http1_equals(name, "expect")) {
        head->expects = true;
        if (!http1_equals(value, "100-continue"))
            return HTTP1_WRONG("417 Expectation Failed", "Expect is not 100-continue");
    }
    return NULL;
}

static const char *http1_look_at_head(mote_http1 *h, http1_head *head)
{
    http1_span rest = {h->head, h->head_len}, line = {h->head, 0}, name, value;
    const char *wrong;

    http1_next_line(&rest, &line);
    if ((wrong = http1_look_at_line(head, line)))
        return wrong;
    while (http1_next_line(&rest, &line)) {
        if (!http1_split_field(line, &name, &value))
            return HTTP1_WRONG("400 Bad Request", "a line of the head is not NAME: VALUE");
        if ((wrong = http1_look_at_field(h, head, name, value)))
            return wrong;
    }
    if (head->hosts == 0)
        return HTTP1_WRONG("400 Bad Request", "there is no Host");
    if (head->lengths > 0 && head->codings > 0)
        return HTTP1_WRONG("400 Bad Request",
                           "there are both Content-Length and Transfer-Encoding");
    return NULL;
}

/* ---- the same as HEADERS --------------------------------------------------------------------- */

/* Fields that are of the connection, and those that became something else. */
static bool http1_is_forwarded(http1_span name)
{
    static const char *const not [] = {
        "host",   "content-length", "transfer-encoding", "connection",       "keep-alive",
        "expect", "upgrade",        "http2-settings",    "proxy-connection", "te"};

    for (size_t i = 0; i < sizeof not / sizeof *not ; i++) {
        if (http1_equals(name, not [i]))
            return false;
    }
    return true;
}

/* An integer with a prefix of 7 bits (RFC 7541 5.1). */
static size_t http1_put_length(uint8_t out[3], size_t len)
{
    size_t n = 1;

    out[0] = (uint8_t)(len < 127 ? len : 127);
    if (len < 127)
        return n;
    for (len -= 127; len > 127; len >>= 7)
        out[n++] = (uint8_t)(len | 0x80);
    out[n++] = (uint8_t)len;
    return n;
}

/* A literal field that is not remembered (RFC 7541 6.2.2), its name in small letters; how long it
 * is. With `said` it goes to the engine. */
static size_t http1_give_field(mote_http1 *h, http1_span name, http1_span value, bool said)
{
    uint8_t first[4] = {0}, second[3]; /* a head is shorter than 16384 bytes */
    size_t n = 1 + http1_put_length(first + 1, name.len), m = http1_put_length(second, value.len);

    if (said) {
        mote_http1_give(h, first, n);
        for (size_t i = 0; i < name.len; i++) {
            char ch = http1_lower(name.at[i]);
            mote_http1_give(h, &ch, 1);
        }
        mote_http1_give(h, second, m);
        mote_http1_give(h, value.at, value.len);
    }
    return n + name.len + m + value.len;
}

static size_t http1_give_fields(mote_http1 *h, const http1_head *head, bool said)
{
    http1_span rest = {h->head, h->head_len}, line, name, value;
    size_t n = http1_give_field(h, (http1_span){":method", 7}, head->method, said);

    n += http1_give_field(h, (http1_span){":scheme", 7}, (http1_span){"http", 4}, said);
    n += http1_give_field(h, (http1_span){":authority", 10}, head->host, said);
    n += http1_give_field(h, (http1_span){":path", 5}, head->target, said);
    http1_next_line(&rest, &line);
    while (http1_next_line(&rest, &line)) {
        if (http1_split_field(line, &name, &value) && http1_is_forwarded(name))
            n += http1_give_field(h, name, value, said);
    }
    return n;
}

static void http1_begin_content(mote_http1 *h, const http1_head *head)
{
    h->body_left = (size_t)head->length;
    h->count = 0;
    h->cr = false;
    h->state = head->codings > 0  ? MOTE_HTTP1_CHUNK_SIZE
               : head->length > 0 ? MOTE_HTTP1_BODY
                                  : MOTE_HTTP1_ANSWER;
}

void mote_http1_take_head(mote_http1 *h)
{
    http1_head head = {0};
    const char *wrong = http1_look_at_head(h, &head);

    if (wrong) {
        mote_http1_refuse(h, wrong, wrong + mote_http1_length(wrong) + 1);
        return;
    }
    http1_begin_content(h, &head);
    if (head.expects && h->state != MOTE_HTTP1_ANSWER)
        MOTE_HTTP1_PUT(h, "HTTP/1.1 100 Continue\r\n\r\n");
    h->open = true;
    h->window = h->initial_window;
    mote_http1_give_frame(h, MOTE_H2_FRAME_HEADERS,
                          HTTP1_END_HEADERS |
                              (h->state == MOTE_HTTP1_ANSWER ? HTTP1_END_STREAM : 0),
                          h->stream, http1_give_fields(h, &head, false));
    http1_give_fields(h, &head, true);
}

bool mote_http1_takes_trailers(mote_http1 *h)
{
    http1_span rest = {h->head, h->head_len}, line, name, value;

    while (http1_next_line(&rest, &line)) {
        if (http1_split_field(line, &name, &value) && http1_is_forwarded(name))
            continue;
        mote_http1_refuse(h, "400 Bad Request",
                          "a line of the trailers is not NAME: VALUE, or says how long it is");
        return false;
    }
    return true;
}
