/*
 * An HTTP/2 client, with prior knowledge or over TLS: h2_client [-v] [-d FILE] URL
 *
 * Prints the body. It shows the engine over a blocking socket: what the server says and what is to
 * be uploaded go on side by side.
 */
#include "../../port/posix/posix.h"
#include "../common/secure.h"

#include <ctype.h>
#include <strings.h>
#include <unistd.h>

enum { LINGER_MS = 100, TURN_MS = 20 };

/* The response: its end, however it comes, ends the program. */
static enum { WAITING, COMPLETE, RESET, CLOSED } state;

static mote_h2 h2;
static mote_h2_stream streams[1], *stream;
static uint8_t tx[32768];
static uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
static char scratch[16384];
static mote_io io;
static int verbose;
static uint32_t timeout_ms;
static uint64_t progress_ms; /* when bytes last moved */
static bool answered;        /* the response was complete, whatever came afterwards */
static const char *reset_code, *reset_text;
static FILE *upload; /* NULL: there is none, or all of it is sent */

static int fail(const char *what, const char *why)
{
    print_line(stderr, "h2_client: error: %s: %s", what, why);
    secure_report();
    exit(1);
}

/* RFC 3986 2: what may stand in a URL, and is sent as it stands. */
static void check_characters(const char *url)
{
    for (const char *p = url; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("-._~:/?#[]@!$&'()*+,;=%", *p))
            fail(url, "has a character that URLs write as %20 and so on (RFC 3986 2)");
        if (*p == '%' && !(isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])))
            fail(url, "has a % without two hexadecimal digits; itself it is %25");
    }
}

/* RFC 3986 5.2.4: "/a/./b/../c" is "/a/c"; in place. The query stays as it is. */
static void remove_dot_segments(char *path)
{
    char *query = path + strcspn(path, "?"), *from = path, *to = path;

    while (from < query) {
        size_t n = 1 + strcspn(from + 1, "/?");
        bool up = n == 3 && memcmp(from, "/..", 3) == 0, here = n == 2 && from[1] == '.';
        if (!up && !here) {
            memmove(to, from, n);
            to += n;
        }
        while (up && to > path && *--to != '/')
            ;
        from += n;
        if ((up || here) && from == query)
            *to++ = '/';
    }
    memmove(to, query, strlen(query) + 1);
}

/* RFC 6874: "[fe80::1%25eth0]" is "[fe80::1%eth0]"; no other host has a %. */
static void decode_zone(const char *url, char *host)
{
    char *percent = strchr(host, '%');

    if (!percent)
        return;
    if (host[0] != '[' || strncmp(percent, "%25", 3) != 0 || !isalnum((unsigned char)percent[3]))
        fail(url, "has a % in its host that begins no zone of an IPv6 address (RFC 6874)");
    memmove(percent + 1, percent + 3, strlen(percent + 3) + 1);
}

/* "http://host:port/path?query#fragment" (RFC 9110 4.2, RFC 3986) into ":authority" and ":path":
 * the port defaults to 80, or 443 for https; the fragment stays here. */
static void parse_url(const char *url, char *host, char *path, size_t cap)
{
    bool secure = strncasecmp(url, "https://", 8) == 0;

    if (!secure && strncasecmp(url, "http://", 7) != 0)
        fail(url, "is not an http:// or https:// URL");
    tls_options.on |= secure;
    check_characters(url);
    const char *start = url + 7 + secure;
    size_t host_len = strcspn(start, "/?#");
    const char *rest = start + host_len;
    size_t rest_len = strcspn(rest, "#");
    if (memchr(start, '@', host_len))
        fail(url, "has a user name, which HTTP/2 does not send (RFC 9113 8.3.1)");
    if (host_len == 0 || start[0] == ':' || strncmp(start, "[]", 2) == 0)
        fail(url, "has no host");
    if (strcspn(rest, "[]") < rest_len)
        fail(url, "has a bracket behind the host; write it as %5B or %5D");
    if (host_len >= cap - 4 || rest_len >= cap - 1)
        fail(url, "is too long");
    if (start[host_len - 1] == ':') /* RFC 3986 3.2.3: none, which is the default */
        host_len--;
    snprintf(host, cap, "%.*s", (int)host_len, start);
    snprintf(path, cap, "%s%.*s", *rest == '/' ? "" : "/", (int)rest_len, rest);
    decode_zone(url, host);
    remove_dot_segments(path);
}

static void put(const char *name, const char *value)
{
    mote_h2_put_literal(&h2, name, strlen(name), value, strlen(value), 0);
}

/* A zone means something on this machine alone: it stays here (RFC 6874 4). */
static void put_authority(const char *host)
{
    char name[1024];
    size_t zone = strcspn(host, "%");

    snprintf(name, sizeof name, "%.*s%s", (int)zone, host,
             host[zone] ? host + zone + strcspn(host + zone, "]") : "");
    put(":authority", name);
}

static void send_request(const char *host, const char *path)
{
    int r = mote_h2_open(&h2, &stream);

    if (r < 0)
        fail("request", mote_strerror(r));
    mote_h2_headers_begin(&h2, stream);
    put(":method", upload ? "POST" : "GET");
    put(":scheme", tls_options.on ? "https" : "http");
    put_authority(host);
    put(":path", path);
    put("user-agent", "mote");
    if ((r = mote_h2_headers_end(&h2, !upload)) < 0)
        fail("request", mote_strerror(r));
}

/* Puts as much of the file into DATA frames as windows and buffer allow: false when that is
 * nothing. */
static bool send_upload(void)
{
    bool sent = false;
    size_t room;
    uint8_t *to;

    while (upload && (to = mote_h2_reserve(&h2, stream, 1, &room))) {
        size_t n = fread(to, 1, room, upload);
        if (ferror(upload))
            fail("upload", "the file cannot be read");
        if (mote_h2_commit(&h2, stream, n, feof(upload)) < 0 || feof(upload))
            upload = NULL;
        sent = true;
    }
    return sent;
}

/* Writes for at most wait_ms: true when all of the output is out. */
static bool write_output(uint32_t wait_ms)
{
    uint64_t until_ms = mote_posix_now_ms() + wait_ms;
    size_t len;
    const uint8_t *out;

    while ((out = mote_h2_peek(&h2, &len))) {
        int n = io.write(io.context, out, len);
        if (n < 0 && state == WAITING)
            fail("write", "the server closed the connection");
        if (n < 0) {
            state = CLOSED;
            return false;
        }
        if (n == 0 && mote_posix_now_ms() >= until_ms)
            return false;
        if (n == 0)
            io.wait(io.context, true, until_ms);
        mote_h2_ack(&h2, (size_t)n);
        if (n > 0)
            progress_ms = mote_posix_now_ms();
    }
    return true;
}

static void handle(const mote_h2_event *ev)
{
    if (ev->type == MOTE_H2_FIELD && verbose)
        print_line(stderr, "< %.*s: %.*s", (int)ev->field.name_len, ev->field.name,
                   (int)ev->field.value_len, ev->field.value);
    if (ev->type == MOTE_H2_DATA) {
        fwrite(ev->data, 1, ev->len, stdout);
        mote_h2_consume(&h2, ev->stream, ev->len);
    }
    if (ev->type == MOTE_H2_RESET) {
        reset_code = mote_h2_code_name(ev->code);
        reset_text = !ev->remote ? "the server broke the HTTP/2 rules on this stream"
                     : ev->code == MOTE_H2_REFUSED_STREAM
                         ? "the server has not taken the request; it may be made again"
                         : "the server has reset the stream";
        state = RESET;
    } else if (ev->end_stream) {
        state = COMPLETE;
        answered = true;
    }
}

/* Tells the server what is still owed, and why it ends. What nobody reads would turn the close into
 * a reset, and what was told could be lost. */
static void end_in_error(void)
{
    static uint8_t rest[65536];
    uint64_t until = mote_posix_now_ms() + LINGER_MS;

    write_output(LINGER_MS);
    while (io.read(io.context, rest, sizeof rest) >= 0 && mote_posix_now_ms() < until)
        io.wait(io.context, false, until);
}

/* Reads for at most wait_ms, and takes what has arrived. */
static void receive(uint32_t wait_ms)
{
    static uint8_t in[65536];
    size_t at = 0, used;
    mote_h2_event ev;
    int r, n = io.read(io.context, in, sizeof in);

    if (n == 0 && wait_ms > 0) {
        io.wait(io.context, false, mote_posix_now_ms() + wait_ms);
        n = io.read(io.context, in, sizeof in);
    }
    if (n < 0 && state == WAITING)
        fail("read", "the server closed the connection before its response was complete");
    if (n < 0)
        state = CLOSED;
    if (n > 0)
        progress_ms = mote_posix_now_ms();
    while (n > 0 && (r = mote_h2_recv(&h2, in + at, (size_t)n - at, &used, &ev)) != 0) {
        if (r < 0) {
            end_in_error();
            if (state == WAITING)
                fail(mote_strerror(r), mote_h2_error_text(&h2));
            state = CLOSED; /* the response was there before */
            return;
        }
        at += used;
        if (state == WAITING)
            handle(&ev);
    }
}

/* Both directions go on side by side: a server may answer, or refuse, before it has the whole file,
 * and may read no more until its answer is read. */
static void exchange(void)
{
    while (state == WAITING && !mote_posix_stopped) {
        bool sent = send_upload();
        bool written = write_output(0);
        uint64_t silent = mote_posix_now_ms() - progress_ms;
        if (silent >= timeout_ms)
            fail("read", "timed out");
        receive(!written ? TURN_MS : sent ? 0 : timeout_ms - (uint32_t)silent);
    }
}

/* Says what is still owed, and GOAWAY. Then the server has a moment to close: what it says after
 * its response may want an answer. */
static void say_goodbye(void)
{
    uint64_t until = mote_posix_now_ms() + LINGER_MS, now;

    if (upload) /* RFC 9113 8.1: the rest of the request is not wanted */
        mote_h2_reset(&h2, stream, MOTE_H2_CANCEL);
    mote_h2_shutdown(&h2);
    while (write_output(TURN_MS), state != CLOSED && (now = mote_posix_now_ms()) < until)
        receive((uint32_t)(until - now));
}

int main(int argc, char **argv)
{
    const char *file = NULL, *timeout = "10";
    const option options[] = {SWITCH("-v", &verbose, "print status and fields to standard error"),
                              OPTION("-d", &file, "POST this file"),
                              OPTION("--timeout", &timeout, "seconds to wait for the server (10)"),
                              OPTIONS_END};
    char host[1024], path[1024];
    mote_h2_config config = {.streams = streams,
                             .stream_count = 1,
                             .tx = tx,
                             .tx_size = sizeof tx,
                             .table = table,
                             .dynamic = &mote_hpack_dynamic_table,
                             .coder = &mote_hpack_huffman_coder,
                             .table_size = 4096,
                             .scratch = scratch,
                             .scratch_size = sizeof scratch};

    int i = parse_options(argc, argv, "h2_client [-v] [-d FILE] URL: an HTTP/2 client", options);
    timeout_ms = seconds_in_ms(timeout);
    if (timeout_ms == 0)
        fail(timeout, "is not a number of seconds");
    if (i + 1 != argc)
        fail("usage", "h2_client [-v] [-d FILE] URL");
    parse_url(argv[i], host, path, sizeof host);
    if (file && !(upload = fopen(file, "rb")))
        fail(file, "cannot be read");
    if (!strrchr(host, ':') || strrchr(host, ']') > strrchr(host, ':'))
        strcat(host, tls_options.on ? ":443" : ":80");
    mote_posix_catch_signals();
    int fd = mote_posix_connect(host, timeout_ms);
    if (fd < 0)
        fail("connection", mote_posix_error());
    io = secure_io(host, mote_posix_io(&fd));
    mote_h2_init(&h2, &config);
    send_request(host, path);
    progress_ms = mote_posix_now_ms();
    exchange();
    if (!mote_posix_stopped)
        say_goodbye();
    close(fd);
    if (reset_code)
        fail(reset_text, reset_code);
    if (fflush(stdout) != 0 || ferror(stdout))
        fail("output", "cannot be written");
    return answered ? 0 : 1;
}
