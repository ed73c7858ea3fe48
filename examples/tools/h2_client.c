/*
 * An HTTP/2 client, with prior knowledge or over TLS: h2_client [-v] [-d FILE] URL
 *
 * Prints the body. It shows the engine as straight-line code over a blocking socket.
 */
#include "../../port/posix/posix.h"
#include "../common/secure.h"

#include <unistd.h>

static mote_h2 h2;
static mote_h2_stream streams[1];
static uint8_t tx[32768];
static uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
static char scratch[16384];
static int verbose;
static uint32_t timeout_ms;
static FILE *upload;

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "h2_client: error: %s: %s\n", what, why);
    secure_report();
    exit(1);
}

/* "http://host:port/path" into its parts; the port defaults to 80, or 443 for https. */
static void parse_url(const char *url, char *host, char *path, size_t cap)
{
    bool secure = strncmp(url, "https://", 8) == 0;

    if (!secure && strncmp(url, "http://", 7) != 0)
        fail(url, "is no http:// or https:// URL");
    tls_options.on |= secure;
    const char *start = url + 7 + secure;
    size_t len = strcspn(start, "/");
    if (len == 0 || len >= cap - 4 || strlen(start + len) >= cap)
        fail(url, "has no host, or is too long");
    snprintf(host, cap, "%.*s", (int)len, start);
    snprintf(path, cap, "%s", start[len] ? start + len : "/");
}

static void put(const char *name, const char *value)
{
    mote_h2_put_literal(&h2, name, strlen(name), value, strlen(value), 0);
}

static mote_h2_stream *send_request(const char *host, const char *path)
{
    mote_h2_stream *stream;
    int r = mote_h2_open(&h2, &stream);

    if (r < 0)
        fail("request", mote_strerror(r));
    mote_h2_headers_begin(&h2, stream);
    put(":method", upload ? "POST" : "GET");
    put(":scheme", tls_options.on ? "https" : "http");
    put(":authority", host);
    put(":path", path);
    put("user-agent", "mote");
    if ((r = mote_h2_headers_end(&h2, !upload)) < 0)
        fail("request", mote_strerror(r));
    return stream;
}

/* Sends as much of the file as windows and buffer allow. */
static void send_upload(mote_h2_stream *stream)
{
    size_t room;
    uint8_t *to;

    while (upload && (to = mote_h2_reserve(&h2, stream, 1, &room))) {
        size_t n = fread(to, 1, room, upload);
        if (mote_h2_commit(&h2, stream, n, feof(upload)) < 0 || feof(upload))
            upload = NULL;
    }
}

static void write_all(mote_io *io)
{
    size_t len;
    const uint8_t *out;

    while ((out = mote_h2_peek(&h2, &len))) {
        int n = io->write(io->context, out, len, timeout_ms);
        if (n <= 0)
            fail("write", n < 0 ? "the server closed the connection" : "timed out");
        mote_h2_ack(&h2, (size_t)n);
    }
}

/* Prints what an event carries; true: the response is complete. */
static bool handle(const mote_h2_event *ev)
{
    if (ev->type == MOTE_H2_FIELD && verbose)
        fprintf(stderr, "< %.*s: %.*s\n", (int)ev->field.name_len, ev->field.name,
                (int)ev->field.value_len, ev->field.value);
    if (ev->type == MOTE_H2_RESET)
        fail("stream", mote_h2_code_name(ev->code));
    if (ev->type == MOTE_H2_DATA) {
        fwrite(ev->data, 1, ev->len, stdout);
        mote_h2_consume(&h2, ev->stream, ev->len);
    }
    return ev->end_stream;
}

static bool receive(mote_io *io)
{
    static uint8_t in[65536];
    size_t at = 0, used;
    mote_h2_event ev;
    bool done = false;
    int r, n = io->read(io->context, in, sizeof in, timeout_ms);

    if (n <= 0)
        fail("read", n < 0 ? "the server closed the connection" : "timed out");
    while (!done && (r = mote_h2_recv(&h2, in + at, (size_t)n - at, &used, &ev)) != 0) {
        if (r < 0) { /* the server is told why, if it still listens */
            size_t len;
            const uint8_t *goaway = mote_h2_peek(&h2, &len);
            if (goaway)
                io->write(io->context, goaway, len, timeout_ms);
            fail(mote_strerror(r), mote_h2_error_text(&h2));
        }
        at += used;
        done = handle(&ev);
    }
    return done;
}

int main(int argc, char **argv)
{
    const char *file = NULL, *timeout = "10";
    const option options[] = {SWITCH("-v", &verbose, "print status and fields to standard error"),
                              OPTION("-d", &file, "POST this file"),
                              OPTION("--timeout", &timeout, "seconds to wait for the server (10)"),
                              OPTIONS_END};
    char host[256], path[256];
    mote_h2_config config = {.streams = streams,
                             .stream_count = 1,
                             .tx = tx,
                             .tx_size = sizeof tx,
                             .table = table,
                             .table_size = 4096,
                             .scratch = scratch,
                             .scratch_size = sizeof scratch};

    int i = parse_options(argc, argv, "h2_client [-v] [-d FILE] URL: an HTTP/2 client", options);
    timeout_ms = (uint32_t)(strtod(timeout, NULL) * 1000);
    if (timeout_ms == 0)
        fail(timeout, "is no number of seconds");
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
    mote_io io = secure_io(host, mote_posix_io(&fd));
    mote_h2_init(&h2, &config);
    mote_h2_stream *stream = send_request(host, path);
    do {
        send_upload(stream);
        write_all(&io);
    } while (!mote_posix_stopped && !receive(&io));
    close(fd);
    return fflush(stdout) == 0 && !mote_posix_stopped ? 0 : 1;
}
