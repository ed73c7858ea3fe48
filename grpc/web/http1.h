/*
 * http1: a server's connection also takes HTTP/1.1, for pages and tools of the same machine or
 * network that speak no HTTP/2 without TLS. It stands before an engine of HTTP/2, as mote_grpc, and
 * needs nothing of it: a request is written anew as frames, a response is read from frames. Without
 * I/O, and no heap. Who does not link it pays nothing.
 *
 * The first bytes of a connection decide for all of it: the preface of HTTP/2 (RFC 9113 3.4), and
 * then bytes pass as they are, or anything else, and then it is HTTP/1.1.
 *
 * It is small and strict (RFC 9112): one request at a time, what is sent ahead of a response is
 * dropped and the connection closed behind it; a body has a Content-Length or is chunked; nothing
 * that two readers could understand in two ways is taken. What is wrong is answered, and the
 * connection ends:
 *
 *   400  no request of HTTP/1.1: bare CR or LF, blanks before a colon, folded lines, control
 *        characters, no Host or two, two Content-Lengths or one that is no number, both kinds of
 *        length, broken chunks, a target that is no path, a Connection that names other fields
 *   408  a head, trailers or line of a chunk that is not whole after 60 s, content of which
 *        nothing came for so long; an idle connection is closed
 *   413  content that the handler does not take, and which has no room
 *   414  a request line, 431  a head that is longer than its memory
 *   417  an Expect that is not 100-continue
 *   501  a Transfer-Encoding other than chunked, 505  another version
 *   502  the server has reset the request, 503  it has no room for it
 */
#ifndef MOTE_HTTP1_H
#define MOTE_HTTP1_H

#include "../grpc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The engine behind; self is its object. */
typedef struct {
    bool (*input)(void *self, const uint8_t *in, size_t len); /* takes all; false: it has ended */
    const uint8_t *(*peek)(void *self, size_t *len);
    void (*ack)(void *self, size_t len);
} mote_http1_engine;

/*
 * Where a connection is.
 *
 *   PREFACE -- of HTTP/2 --> PASS
 *      |
 *      +--> HEAD --> BODY, or CHUNK_SIZE --> ... CHUNK_DATA ... --> TRAILERS --> ANSWER --> HEAD
 *             |                                                                   ^
 *             +---------------------------- without content ----------------------+
 *   any of them -- something wrong, or the end --> OVER
 */
enum mote_http1_state {
    MOTE_HTTP1_PREFACE,
    MOTE_HTTP1_PASS,
    MOTE_HTTP1_HEAD,
    MOTE_HTTP1_BODY,
    MOTE_HTTP1_CHUNK_SIZE,
    MOTE_HTTP1_CHUNK_EXTENSION,
    MOTE_HTTP1_CHUNK_LINE, /* the LF behind a size */
    MOTE_HTTP1_CHUNK_DATA,
    MOTE_HTTP1_CHUNK_END, /* the CR LF behind a chunk */
    MOTE_HTTP1_TRAILERS,
    MOTE_HTTP1_ANSWER, /* the request is complete, the response is not */
    MOTE_HTTP1_OVER
};

/* How far a response is: NONE --> BEGUN --> WHOLE --> NONE, when its request is whole as well. A
 * refusal leaves it as it is: the connection is OVER. */
enum mote_http1_response {
    MOTE_HTTP1_RESPONSE_NONE,
    MOTE_HTTP1_RESPONSE_BEGUN, /* its head was written */
    MOTE_HTTP1_RESPONSE_WHOLE  /* what still comes of the request is thrown away */
};

/* A connection; private. */
typedef struct {
    const mote_http1_engine *engine;
    void *self;
    enum mote_http1_state state;
    enum mote_http1_response response;
    bool open;     /* the engine has a stream for the request */
    bool closing;  /* the connection ends with the response */
    bool ended;    /* the engine has */
    bool cr;       /* the last byte was a CR */
    bool lines;    /* the first line of the head is complete */
    uint8_t count; /* of the preface, of digits */
    /* the request */
    char *head;
    size_t head_size, head_len, body_left, skipped;
    uint32_t stream;
    int64_t window, connection_window, initial_window;
    /* the frame of the engine that is being read */
    uint8_t frame[9], frame_len, word[8], word_len;
    uint32_t frame_left;
    /* what leaves before the frame's content */
    char *out;
    size_t out_size, out_at, out_len;
    uint32_t spent;           /* content whose window was not given back */
    bool no_content, no_more; /* of the response: by its status, and its headers end it */
    uint64_t now_ms, since_ms;
    mote_hpack_decoder decoder;
} mote_http1;

enum { MOTE_HTTP1_MEMORY_MIN = 1024, MOTE_HTTP1_MEMORY = 16384, MOTE_HTTP1_IDLE_MS = 60000 };

/* A new connection before a new engine. Half of the memory is for the head of a request, a quarter
 * for that of a response, a quarter for a field of it. MOTE_HTTP1_MEMORY is enough for browsers.
 * 0, or MOTE_GRPC_ERR_CONFIG. */
int mote_http1_init(mote_http1 *h, const mote_http1_engine *engine, void *self, void *memory,
                    size_t size);

/* Takes bytes. 0: all of them; 1: *used of them, and what there is to write must leave first; < 0:
 * the connection has ended, sticky: what there is to write leaves, and then it is closed. */
int mote_http1_recv(mote_http1 *h, const uint8_t *in, size_t len, size_t *used);

/* Output: as mote_h2_peek() and mote_h2_ack(). */
const uint8_t *mote_http1_peek(mote_http1 *h, size_t *len);
void mote_http1_ack(mote_http1 *h, size_t len);

/* Takes the time; the ms until it wants it again, UINT32_MAX: never. */
uint32_t mote_http1_tick(mote_http1 *h, uint64_t now_ms);

/* Whether the state is one that these functions can have left, for debug builds: what is kept lies
 * within its memory, and the engine has a stream for none but a request that was answered in part
 * at most. */
bool mote_http1_valid(const mote_http1 *h);

#ifdef __cplusplus
}
#endif
#endif
