/*
 * outbox: messages that survive a broken connection. A fixed ring keeps what was not yet
 * acknowledged; after a reconnect it is sent again, over any streaming call.
 *
 * Each message has a sequence number, from 1 and without gaps; it is up to the message to carry it
 * (mote_outbox_sequence() before encoding), and up to the receiver to acknowledge the highest one
 * that is safe. The numbers begin anew with each ring, so a ring has an epoch, a random number that
 * names it: a receiver that keeps a mote_inbox for each (sender, epoch) sees each message once, in
 * order, also when a sender starts again, or two have the same name. The epoch need not be in each
 * message: it is enough that each call says it once.
 *
 *     uint8_t bytes[64]; size_t len;
 *     sample.sequence = mote_outbox_sequence(&outbox);
 *     Sample_encode(&sample, bytes, sizeof bytes, &len);
 *     mote_outbox_put(&outbox, bytes, len);
 *     ...
 *     mote_outbox_rewind(&outbox);                        when a call begins; and on it first of
 * all mote_outbox_acknowledge(&outbox, what_it_has);      the receiver says what it has
 *     mote_outbox_send(&outbox, call);                    now and whenever there is room or news
 *
 * The ledger, at any time: mote_outbox_sequence() - 1, which is all that was put, is what was
 * acknowledged + mote_outbox_count() + `dropped`.
 */
#ifndef MOTE_OUTBOX_H
#define MOTE_OUTBOX_H

#include "../grpc.h"

#ifdef __cplusplus
extern "C" {
#endif

enum mote_outbox_policy {
    MOTE_OUTBOX_DROP_OLDEST, /* a new message pushes out the oldest ones, which are counted */
    MOTE_OUTBOX_REFUSE       /* a new message is refused and counted; the application waits */
};

/* Memory that is not addressable, such as flash. Both move len bytes at an offset below the size of
 * the ring and return 0, or an error < 0, which is handed on. */
typedef struct {
    void *context;
    int (*read)(void *context, size_t at, uint8_t *to, size_t len);
    int (*write)(void *context, size_t at, const uint8_t *from, size_t len);
} mote_outbox_storage;

/* The members may be read. Copied out and back, together with the ring, it goes on where it was. */
typedef struct {
    uint8_t *memory;                    /* the ring, or NULL: */
    const mote_outbox_storage *storage; /* it is there */
    size_t size;
    size_t first, used;      /* of the oldest message that is kept; bytes of all */
    size_t send;             /* bytes from there to the message to be sent next */
    uint64_t epoch;          /* names this ring */
    uint64_t first_sequence; /* of the oldest message that is kept */
    uint64_t send_sequence;  /* of the message to be sent next */
    uint64_t next_sequence;  /* of the next new message */
    uint64_t sent_sequence;  /* the highest that was ever sent */
    uint64_t acknowledged;   /* the highest that is safe */
    uint64_t dropped;        /* pushed out by newer ones, and not known to have arrived */
    uint64_t refused;        /* found no room: they were never put, and have no number */
    uint32_t gap;            /* numbers behind the oldest message, which was half sent when they
                                were dropped */
    uint32_t unsure;         /* pushed out after they were sent: the next acknowledgements tell
                                whether they had arrived */
    uint32_t wrong;          /* acknowledgements of what was never sent: ignored */
    bool partial; /* a part of the message to be sent next is on its way: it cannot be dropped */
    bool settled; /* since the last rewind something was sent: all before it is known */
    uint8_t policy;
} mote_outbox;

/* A ring of `size` bytes in RAM. Each message takes 2 bytes more than its length. `epoch` is a
 * random number, not 0, another one at each call. */
void mote_outbox_init(mote_outbox *o, void *memory, size_t size, enum mote_outbox_policy policy,
                      uint64_t epoch);

/* A ring elsewhere; *storage must stay. */
void mote_outbox_init_storage(mote_outbox *o, const mote_outbox_storage *storage, size_t size,
                              enum mote_outbox_policy policy, uint64_t epoch);

/* The number that the next message will get. */
uint64_t mote_outbox_sequence(const mote_outbox *o);

/* Messages of which it is not known that they have arrived. */
uint64_t mote_outbox_count(const mote_outbox *o);

/* Adds a message of at most 65,535 bytes. 0; MOTE_AGAIN: full (MOTE_OUTBOX_REFUSE, or a message
 * that is half sent fills the ring alone); MOTE_GRPC_ERR_SPACE: larger than the ring; or an error
 * of the storage. */
int mote_outbox_put(mote_outbox *o, const uint8_t *message, size_t len);

/* Sends on a streaming call what was not sent on it, until there is no more or no more room. 0: all
 * of it is on its way; MOTE_AGAIN: call it again when there is room; or an error of
 * mote_grpc_send() or of the storage, after which the call is of no more use. */
int mote_outbox_send(mote_outbox *o, mote_grpc_call *call);

/* All messages up to this number are safe; they leave the ring. False: that number was never sent;
 * it is counted in `wrong` and ignored. */
bool mote_outbox_acknowledge(mote_outbox *o, uint64_t sequence);

/* A new call: whatever is not acknowledged is sent again. */
void mote_outbox_rewind(mote_outbox *o);

/* What a receiver knows of one incarnation of a sender. All zero at first. */
typedef struct {
    uint64_t epoch;      /* of the sender's ring */
    uint64_t last;       /* the highest number that was accepted: to be acknowledged */
    uint64_t duplicates; /* messages that had been accepted before */
    uint64_t missing;    /* numbers that never came: dropped by the sender */
} mote_inbox;

/* Of the `count` incarnations of one sender that are known, the one with this epoch, which comes to
 * the front; one that is new takes the place of the one that was silent for the longest. */
mote_inbox *mote_inbox_find(mote_inbox *known, size_t count, uint64_t epoch);

/* True: the message is new; false: it was delivered already. */
bool mote_inbox_accept(mote_inbox *in, uint64_t sequence);

#ifdef __cplusplus
}
#endif
#endif
