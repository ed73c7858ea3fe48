/*
 * Where does a server of HTTP/2 differ? Two servers get the same bytes of a client, each on a new
 * connection, and what they say is read by one reader: whether the connection goes on, with which
 * code it or a stream ends, which status an answer has, and, where both echo (below), which fields
 * and which content of the request the server has seen. What RFC 9113 leaves open is on a list, a
 * text that the user may edit.
 *
 *   mote_differ d = {.ours = &mote_differ_h2, .theirs = &my_server, .rules = text};
 *   mote_difference found[8];
 *   size_t n = mote_differ_compare(&d, bytes, len, found, 8);
 *
 * An echo answers a request that has ended with 200 and, unless it is HEAD, this content, nothing
 * more (differ_echo.h makes it): METHOD PATH AUTHORITY \n            authority, or host where there
 * is none name: value \n                      the other regular fields, by name; those of one name
 * joined by ", ", cookies by "; "; no trailers \n and the content of the request
 */
#ifndef MOTE_DIFFER_H
#define MOTE_DIFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MOTE_DIFFER_STREAMS = 32,     /* the first so many of a connection are looked at */
    MOTE_DIFFER_BODY = 1 << 15,   /* bytes of an answer that are compared */
    MOTE_DIFFER_ANSWER = 1 << 20, /* bytes that a server says */
    MOTE_DIFFER_TEXT = 400
};

/* ---- what a server says ---------------------------------------------------------------------- */

typedef struct {
    uint32_t id;
    int status;      /* the last one; 0: none */
    int grpc_status; /* -1: none */
    bool ended;      /* END_STREAM */
    bool reset;      /* RST_STREAM, with this code */
    uint32_t code;
    size_t body_len;
    uint8_t body[MOTE_DIFFER_BODY];
} mote_differ_stream;

typedef struct {
    bool legal;  /* it is frames, SETTINGS first; false: the reader could not go on */
    bool closed; /* the server has closed the connection */
    bool goaway; /* it has sent GOAWAY, at last with this code */
    uint32_t code;
    unsigned settings_acks, pongs;
    bool done; /* the PING that mote_differ_compare() puts behind a conversation was answered */
    size_t count;
    mote_differ_stream streams[MOTE_DIFFER_STREAMS];
} mote_differ_answer;

/* Reads what a server has said; `len` bytes, after which it has closed or not. */
void mote_differ_read(mote_differ_answer *a, const uint8_t *said, size_t len, bool closed);

/* ---- servers ------------------------------------------------------------------------------- */

/* A server. It gets a whole conversation of a new client, and what it says goes to `out`, at most
 * `room` bytes; returns how many, or SIZE_MAX where it could not be asked. *closed: it has closed
 * the connection. `expected` is what the other server has answered to the same (NULL: it was not
 * asked yet): one that cannot know when the last word was said waits for as much. */
typedef struct {
    const char *name;
    size_t (*play)(void *context, const uint8_t *in, size_t len, uint8_t *out, size_t room,
                   bool *closed, const mote_differ_answer *expected);
    void *context;
} mote_differ_server;

extern const mote_differ_server mote_differ_h2; /* mote's h2, an echo */
extern const mote_differ_server
    mote_differ_grpc; /* mote's grpc; any method answers with what it gets */
extern const mote_differ_server mote_differ_nghttp2; /* libnghttp2's session, an echo */

/* One behind a socket; `context` of its server. */
typedef struct {
    const char *host, *port;
    int quiet_ms; /* it has said all when it said nothing for so long */
} mote_differ_address;
size_t mote_differ_socket(void *address, const uint8_t *in, size_t len, uint8_t *out, size_t room,
                          bool *closed, const mote_differ_answer *expected);

/* ---- differences --------------------------------------------------------------------------- */

typedef enum {
    MOTE_DIFFERS_CONNECTION, /* goes on or ends, and with which code */
    MOTE_DIFFERS_STREAM,     /* answered, reset, and with which status or code */
    MOTE_DIFFERS_FIELDS,     /* that the server has seen */
    MOTE_DIFFERS_BODY,       /* content that the server has seen, or gives */
    MOTE_DIFFERS_SETTINGS,   /* how many acknowledgements */
    MOTE_DIFFERS_PING,       /* how many answers */
    MOTE_DIFFERS_KINDS
} mote_differs;
const char *mote_differs_name(mote_differs kind);

typedef struct {
    mote_differs kind;
    uint32_t stream;
    char ours[MOTE_DIFFER_TEXT], theirs[MOTE_DIFFER_TEXT]; /* "GOAWAY PROTOCOL_ERROR", "200", ... */
    char cause[MOTE_DIFFER_TEXT]; /* the last frame that was said, in the form of frames.h */
    bool open;                    /* the list has it, by this rule */
    char section[32], reason[MOTE_DIFFER_TEXT];
} mote_difference;

typedef struct {
    const mote_differ_server *ours, *theirs;
    /* Lines of KIND | OURS | THEIRS | CAUSE | SECTION | REASON, the first four with * and ? as in
     * names of files; # begins a comment. NULL: none. */
    const char *rules;
    bool no_bodies; /* fields and content are not compared: one of the two is no echo */
    unsigned tries; /* conversations that minimising may play; 0: as many as it likes */
} mote_differ;

/* Plays a conversation to both; returns how many differences there are, at most `room`, or SIZE_MAX
 * where one of them could not be asked. */
size_t mote_differ_compare(const mote_differ *d, const uint8_t *in, size_t len,
                           mote_difference *found, size_t room);

/* A shorter conversation in which they differ in the same way: same kind, same words. Changes in[0,
 * len) and *difference (its cause), and returns the new length. */
size_t mote_differ_minimise(const mote_differ *d, mote_difference *difference, uint8_t *in,
                            size_t len);

/* A conversation of a file of seeds: text (frames.h), in which a line "== NAME" begins the next
 * one. */
typedef struct {
    const char *name;
    size_t name_len, len;
    size_t line; /* that is wrong, from the name's on; and why, or NULL */
    const char *why;
} mote_differ_seed;

/* The next one, its bytes in out[0, room); *text goes on behind it. False: there is none. */
bool mote_differ_next_seed(const char **text, uint8_t *out, size_t room, mote_differ_seed *seed);

/* The line of the rules that is wrong, from 1, or 0. */
size_t mote_differ_check_rules(const char *rules);

#endif
