/*
 * outbox: messages that survive a broken connection. A fixed ring keeps what was not yet
 * acknowledged; after a reconnect it is sent again, over any streaming call.
 *
 * Each message has a sequence number, from 1 and without gaps; it is up to the message to carry it
 * (mote_outbox_sequence() before encoding), and up to the receiver to acknowledge the highest one
 * that is safe. A receiver that keeps a mote_inbox for each sender sees each message once, in
 * order.
 *
 *     uint8_t bytes[64]; size_t len;
 *     sample.sequence = mote_outbox_sequence(&outbox);
 *     Sample_encode(&sample, bytes, sizeof bytes, &len);
 *     mote_outbox_put(&outbox, bytes, len);
 *     ...
 *     while (mote_outbox_next(&outbox, NULL) &&
 *            mote_grpc_send(call, mote_outbox_source, NULL, &outbox, 0) == 0)
 *         mote_outbox_sent(&outbox);
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
    size_t send;             /* bytes of those that were sent, counted from `first` */
    uint64_t first_sequence; /* of the oldest message that is kept */
    uint64_t send_sequence;  /* of the message to be sent next */
    uint64_t next_sequence;  /* of the next new message */
    uint64_t dropped, refused;
    bool partial; /* a part of the message to be sent next is on its way: it cannot be dropped */
    uint8_t policy;
} mote_outbox;

/* A ring of `size` bytes in RAM. Each message takes 2 bytes more than its length. */
void mote_outbox_init(mote_outbox *o, void *memory, size_t size, enum mote_outbox_policy policy);

/* A ring elsewhere; *storage must stay. */
void mote_outbox_init_storage(mote_outbox *o, const mote_outbox_storage *storage, size_t size,
                              enum mote_outbox_policy policy);

/* The number that the next message will get. */
uint64_t mote_outbox_sequence(const mote_outbox *o);

/* Messages that are not acknowledged. */
uint64_t mote_outbox_count(const mote_outbox *o);

/* Adds a message of at most 65,535 bytes. 0; MOTE_AGAIN: full (MOTE_OUTBOX_REFUSE, or what would
 * have to go is being sent); MOTE_GRPC_ERR_SPACE: larger than the ring; or an error of the
 * storage. */
int mote_outbox_put(mote_outbox *o, const uint8_t *message, size_t len);

/* True when there is a message to send; *sequence (may be NULL) is its number. */
bool mote_outbox_next(const mote_outbox *o, uint64_t *sequence);

/* A mote_grpc_source of that message: `message` is the const mote_outbox *, `type` is not used.
 * Call mote_grpc_send() until it returns 0, then mote_outbox_sent(). */
int mote_outbox_source(const void *type, const void *message, size_t offset, uint8_t *out,
                       size_t cap, size_t *total);
void mote_outbox_sent(mote_outbox *o);

/* mote_grpc_send() has returned MOTE_AGAIN with a part of the message sent (call->tx_sent > 0). */
void mote_outbox_partial(mote_outbox *o);

/* All messages up to this number are safe; they leave the ring. */
void mote_outbox_acknowledge(mote_outbox *o, uint64_t sequence);

/* A new call: whatever is not acknowledged is sent again. */
void mote_outbox_rewind(mote_outbox *o);

/* What a receiver knows of a sender. All zero at first. */
typedef struct {
    uint64_t last;       /* the highest number that was accepted: to be acknowledged */
    uint64_t duplicates; /* messages that had been accepted before */
    uint64_t missing;    /* numbers that never came: dropped by the sender */
} mote_inbox;

/* True: the message is new; false: it was delivered already. */
bool mote_inbox_accept(mote_inbox *in, uint64_t sequence);

#ifdef __cplusplus
}
#endif
#endif
