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
 *     mote_outbox_rewind(&outbox);                        when a call begins; then, first of all,
 *     mote_outbox_acknowledge(&outbox, what_it_has);      the receiver says what it has
 *     mote_outbox_send(&outbox, call);                    now and whenever there is room or news
 *
 * Messages whose time is over leave by mote_outbox_expire(). Priorities, the newest first, a time
 * for each message: see mote_outbox_lobby.
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
    MOTE_OUTBOX_REFUSE,      /* a new message is refused and counted; the application waits */
    MOTE_OUTBOX_DROP_NEWEST /* of a lobby; elsewhere as the one before: the new one is the newest */
};

/*
 * A ring that survives a reset and the loss of power lies in storage: flash, or a file. A unit is
 * programmed once between two erases of its sector (flash with ECC permits no more), sectors are
 * used in turn, so that they wear alike, and nothing is ever overwritten: a message is a record
 * with a checksum, in which what is acknowledged by then is noted as well; what is torn by a loss
 * of power is not there. Only what program and sync have made durable is put, so that no number is
 * given twice, and the epoch goes on. The functions return 0, or an error < 0, which is handed on.
 */
typedef struct {
    void *context;
    size_t unit;    /* bytes that are programmed at once: a power of 2, at most 64 */
    size_t sector;  /* bytes that are erased at once, a multiple of that */
    size_t sectors; /* 4 or more: one is kept free for the next start, one is being written */
    int (*read)(void *context, size_t at, uint8_t *to, size_t len);
    int (*program)(void *context, size_t at, const uint8_t *from, size_t len); /* whole units */
    int (*erase)(void *context, size_t at);                                    /* a sector */
    int (*sync)(void *context); /* what was programmed is durable now; NULL: it is anyway */
} mote_outbox_storage;

typedef struct mote_outbox_log mote_outbox_log;

/* The members may be read. Copied out and back, together with the ring, it goes on where it was. */
typedef struct {
    uint8_t *memory;                    /* the ring, or NULL: */
    const mote_outbox_storage *storage; /* it is there */
    const mote_outbox_log *log;         /* how */
    size_t size;
    size_t first, used;       /* of the oldest message that is kept; bytes of all */
    size_t send;              /* bytes from there to the message to be sent next; in storage all
                                 three are places: of the oldest, the next new one, this one */
    uint64_t epoch;           /* names this ring */
    uint64_t first_sequence;  /* of the oldest message that is kept */
    uint64_t send_sequence;   /* of the message to be sent next */
    uint64_t next_sequence;   /* of the next new message */
    uint64_t sent_sequence;   /* the highest that was ever sent */
    uint64_t acknowledged;    /* the highest that is safe */
    uint64_t unsure_sequence; /* the highest of those below */
    uint64_t dropped;         /* pushed out by newer ones, and not known to have arrived */
    uint64_t refused;         /* found no room: they were never put, and have no number */
    uint64_t expired;         /* pushed out by mote_outbox_expire(); among `dropped` or `unsure` */
    uint32_t gap;             /* numbers that were dropped behind the oldest message, which was
                                 half sent then; in storage, that cannot be read any more */
    uint32_t unsure;          /* pushed out after they were sent: the next acknowledgements tell
                                 whether they had arrived */
    uint32_t wrong;           /* acknowledgements of what was never sent: ignored */
    bool partial; /* a part of the message to be sent next is on its way: it cannot be dropped */
    bool settled; /* since the last rewind something was sent: all before it is known */
    bool held;    /* in storage: the last message may not be durable, and is not sent yet */
    uint8_t policy;
} mote_outbox;

/* A ring of `size` bytes in RAM. Each message takes 2 bytes more than its length. `epoch` is a
 * random number, not 0, another one at each call. */
void mote_outbox_init(mote_outbox *o, void *memory, size_t size, enum mote_outbox_policy policy,
                      uint64_t epoch);

/* The ring that is in *storage, which must stay, goes on: with its epoch, what it holds, and the
 * next number. Where there is none, it begins one, with `epoch`. What cannot be read any more
 * counts as dropped. Each call erases a sector. 0; MOTE_GRPC_ERR_CONFIG: the sizes do not fit; or
 * an error of the storage.
 *
 * A record takes 8 bytes more than its message, in whole units; sectors have 36 bytes of their own.
 * Room is made by the sector: MOTE_OUTBOX_DROP_OLDEST drops all messages of the oldest one, and
 * refuses new ones while one of those is half sent. */
int mote_outbox_mount(mote_outbox *o, const mote_outbox_storage *storage,
                      enum mote_outbox_policy policy, uint64_t epoch);

/* The number that the next message will get. */
uint64_t mote_outbox_sequence(const mote_outbox *o);

/* Messages of which it is not known that they have arrived. */
uint64_t mote_outbox_count(const mote_outbox *o);

/* Adds a message of at most 65,535 bytes. 0; MOTE_AGAIN: full (MOTE_OUTBOX_REFUSE, or a message
 * that is half sent fills the ring alone); MOTE_GRPC_ERR_SPACE: larger than the ring; or an error
 * of the storage: then it has a number all the same if mote_outbox_sequence() is another one now,
 * and is kept, where it can be read in spite of the error, or among `dropped`. */
int mote_outbox_put(mote_outbox *o, const uint8_t *message, size_t len);

/* Sends on a streaming call what was not sent on it, until there is no more or no more room. 0: all
 * of it is on its way; MOTE_AGAIN: call it again when there is room; or an error of
 * mote_grpc_send() or of the storage, after which the call is of no more use. */
int mote_outbox_send(mote_outbox *o, mote_grpc_call *call);

/* All messages up to this number are safe; they leave the ring. False: that number was never sent;
 * it is counted in `wrong` and ignored. */
bool mote_outbox_acknowledge(mote_outbox *o, uint64_t sequence);

/* Time to live: messages with a number below `before` are of no more use, and leave, as others do
 * for which there is no room; the user knows which number is young enough. One that is half sent
 * stays until it is sent. 0, or an error of the storage. */
int mote_outbox_expire(mote_outbox *o, uint64_t before);

/* What spool.c does for outbox.c. Not for users. */
struct mote_outbox_log {
    int (*room)(mote_outbox *o, size_t len); /* 0; MOTE_AGAIN: the oldest must go; or an error */
    int (*append)(mote_outbox *o, const uint8_t *message, size_t len);
    int (*read)(const mote_outbox *o, size_t offset, uint8_t *out, size_t cap, size_t *total);
    int (*after)(const mote_outbox *o, size_t *at, uint64_t *sequence); /* the next message */
};

/* A new call: whatever is not acknowledged is sent again. */
void mote_outbox_rewind(mote_outbox *o);

/* ---- for unary calls ------------------------------------------------------------------------ */

/*
 * Where each call takes some messages and is answered as a whole: what is kept is read from the
 * oldest on, and the answer releases it. mote_outbox_send(), which is for streams, is not used
 * then. The policy of a ring whose messages are being sent is to be MOTE_OUTBOX_REFUSE, so that
 * nothing that is being read leaves.
 *
 *     mote_outbox_place at = mote_outbox_oldest(&outbox);
 *     while (mote_outbox_read(&outbox, &at, bytes, sizeof bytes, &len) > 0)  ... of number
 * at.sequence mote_outbox_next(&outbox, &at); mote_outbox_release(&outbox, last); when it was
 * answered
 */
typedef struct {
    size_t at;         /* private */
    uint64_t sequence; /* of the message that is there, if there is one */
} mote_outbox_place;

mote_outbox_place mote_outbox_oldest(const mote_outbox *o);

/* The message at a place: its length, and its bytes if they are no more than `cap`, otherwise none
 * of them. 1; 0: there are no more; or an error of the storage. */
int mote_outbox_read(const mote_outbox *o, const mote_outbox_place *p, uint8_t *out, size_t cap,
                     size_t *len);

/* From a message that is there to the next place. 0, or an error of the storage. */
int mote_outbox_next(const mote_outbox *o, mote_outbox_place *p);

/* All messages up to this number, which was read, leave: they have arrived, or nobody will ever
 * take them. */
void mote_outbox_release(mote_outbox *o, uint64_t sequence);

/* ---- what goes first, and what leaves when there is no room ------------------------------- */

enum mote_outbox_first { MOTE_OUTBOX_OLDEST_FIRST, MOTE_OUTBOX_NEWEST_FIRST };

/*
 * What an outbox in RAM or storage sends goes out in the order of its numbers, which a message
 * carries from the beginning. Who wants another order puts a lobby before it, in RAM: there
 * messages wait without a number, until the outbox has nothing left to send and the call has room.
 * Then one goes over and gets its number: of those with the highest priority the oldest or the
 * newest, as `first` has it. What the receiver sees, acknowledges and misses stays as it is. Who
 * has no lobby pays nothing.
 *
 *     mote_outbox_lobby_put(&lobby, bytes, len, priority, now_ms + 60000);
 *     ...
 *     mote_outbox_lobby_send(&lobby, &outbox, call, now_ms);      instead of mote_outbox_send()
 *
 * A message without room pushes others out: of those with the lowest priority, itself among them,
 * first the oldest (DROP_OLDEST) or the newest (DROP_NEWEST), and then those of the next priority.
 * If it is its own turn, it is refused, and nothing has left for it. With MOTE_OUTBOX_REFUSE it
 * always is.
 *
 * The ledger, at any time: `put`, which is all that had room, is `moved` + `waiting` + `dropped` +
 * `expired`. What waits is gone with the power, also before an outbox in storage.
 */
typedef struct {
    uint8_t *memory; /* for the user, as the next four: where messages wait */
    size_t size;     /* of that; each takes 12 bytes more than its length,
                        and 16 stay free */
    enum mote_outbox_first first;
    enum mote_outbox_policy policy;
    uint32_t sequence_field; /* of the messages' type, an uint64 or uint32 that is not encoded
                                before: mote_outbox_lobby_send() appends it (a protobuf message may
                                have its fields in any order); 0: they carry no number */
    size_t used;             /* bytes of all that wait; they lie in the order of their coming */
    uint64_t put;            /* messages that had room */
    uint64_t waiting;        /* of these, what is here */
    uint64_t moved;          /* what has gone over */
    uint64_t overtaken;      /* of these, those that went before an older one */
    uint64_t expired;        /* what was too old */
    uint64_t dropped;        /* pushed out for others */
    uint64_t refused;        /* not among `put`: they had no room */
} mote_outbox_lobby;

/* A message of at most 65,519 bytes waits, with a priority (the higher, the sooner) and the time
 * at which it is of no more use (0: there is none). 0; MOTE_AGAIN: there is no room for it;
 * MOTE_GRPC_ERR_SPACE: it is larger than all the memory. */
int mote_outbox_lobby_put(mote_outbox_lobby *l, const uint8_t *message, size_t len,
                          uint8_t priority, uint64_t until_ms);

/* What was of use until `now_ms` or an earlier time leaves. */
void mote_outbox_lobby_expire(mote_outbox_lobby *l, uint64_t now_ms);

/* mote_outbox_send(), and then one message after the other that waits here and is not too old. Its
 * results and those of mote_outbox_put(): MOTE_AGAIN also says that the outbox, one with
 * MOTE_OUTBOX_REFUSE, is full; a message that is larger than the outbox is dropped; after another
 * error one stays here unless it has got a number. */
int mote_outbox_lobby_send(mote_outbox_lobby *l, mote_outbox *o, mote_grpc_call *call,
                           uint64_t now_ms);

/* ---- receiving side ------------------------------------------------------------------------ */

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
