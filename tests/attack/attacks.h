/* The attacks: each one is a generator of frames, so that the same bytes go to an engine in this
 * process and to a real program over the loopback. */
#ifndef ATTACKS_H
#define ATTACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who is attacked. */
enum { ON_SERVER = 1, ON_CLIENT = 2 };

enum {
    SURVIVES = 0x100, /* instead of a code: legal, so the connection stays, and costs nothing */
    STALLS = 0x200,   /* legal, but nothing moves: a time-out of the program ends it */
    UNREAD = 1,       /* flags: the attacker reads nothing */
    ANSWERS = 2       /* flags: a client gets its response first, and may leave with it */
};

typedef struct {
    uint8_t bytes[1 << 18];
    size_t len;
    uint32_t id;    /* next stream id of a client */
    bool on_client; /* whom the frames are for */
} attack_output;

typedef struct {
    const char *name, *reference;
    unsigned sides;
    void (*open)(attack_output *a); /* once, after preface and SETTINGS; may be NULL */
    void (*more)(attack_output *a); /* again and again; NULL: nothing more comes */
    unsigned end;   /* HTTP/2 code that ends the connection, or SURVIVES, or STALLS */
    unsigned back;  /* bytes of answer for each byte of attack, at the most, beside 4 KiB */
    unsigned flags; /* UNREAD, ANSWERS */
} attack;

extern const attack attacks[];
extern const size_t attack_count;

void attack_frame(attack_output *a, unsigned type, unsigned flags, uint32_t id, const void *payload,
                  size_t len);

/* Preface (to a server) and SETTINGS with its acknowledgement, an empty one. */
void attack_preface(attack_output *a);

/* A complete request for `/`, without the dynamic table. */
void attack_get(attack_output *a, uint32_t id);

/* From now on that is a call of gRPC: of this method, with this message. */
void attack_calls(const char *path, const char *message);

/* Returns credit for an answer on the connection, as a client does that reads. */
void attack_credit(attack_output *a);

#endif
