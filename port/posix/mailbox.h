/* posix: mailboxes between threads, and calls of a server that are answered by another thread. */
#ifndef MOTE_POSIX_MAILBOX_H
#define MOTE_POSIX_MAILBOX_H

#include "posix.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A mailbox belongs to one thread, which takes letters out, in the order in which they were put in;
 * all threads may put some in. There is no lock, and a thread is woken when its mailbox was empty.
 * A letter lies in the memory of whoever has it: who has put it in touches it no more.
 */
typedef struct mote_posix_letter {
    struct mote_posix_letter *next; /* private */
    /* Called in a turn of the loop whose mailbox it lies in. Not called by a thread without a loop,
     * which looks at its letters itself. */
    void (*open)(struct mote_posix_letter *letter);
} mote_posix_letter;

struct mote_posix_mailbox {
    /* private */
    mote_posix_letter *newest; /* atomic: put in by all; each leads to the one before */
    mote_posix_letter *oldest; /* of the owner: taken out, and not yet looked at */
    int wake[2];               /* a bell */
};

/* 0; -1: no descriptor is left, see mote_posix_error(). It stays where it is. */
int mote_posix_mailbox_init(mote_posix_mailbox *m);

/* When no thread puts letters in any more, and no loop has it. */
void mote_posix_mailbox_free(mote_posix_mailbox *m);

/* From any thread, and from signal handlers. 0; -1: its loop has ended, and the letter is still the
 * caller's. */
int mote_posix_mailbox_put(mote_posix_mailbox *m, mote_posix_letter *letter);

/* The owner, without a loop: the next letter; NULL: none has come within timeout_ms (UINT32_MAX:
 * no limit), or a signal has. */
mote_posix_letter *mote_posix_mailbox_next(mote_posix_mailbox *m, uint32_t timeout_ms);

/* Letters are opened in the turns of this loop from now on, until it has ended: those that are
 * there then are opened, too. A loop has one mailbox. 0; -1: it cannot be watched. */
int mote_posix_loop_mailbox(mote_posix_loop *loop, mote_posix_mailbox *m);

/* ---- a call that another thread answers --------------------------------------------------- */

/*
 * A handler gives a call to a thread, and what that thread does comes back to the loop of the call.
 * At any time one of the two has the job, and the other does not touch it.
 *
 *   the loop                                              the thread
 *   mote_posix_job_begin() ------------ BEGUN ----------> computes; mote_posix_job_is_gone()
 *                      <-- mote_posix_job_send(), _answer(), _finish()
 *   a message was sent, or cannot be ---- WORKS --------> `result`: the message may be reused
 *   the call is over -------------------- OVER ---------> `code`: how; the job is free
 *
 * Where the peer takes no more (flow control) the job stays with the loop until it does: so a
 * thread that waits for its job is slowed down as it should be. The call may end at any time, by
 * its peer, its deadline or the end of the server: is_gone() says so while the thread computes, and
 * what it does then comes back as OVER.
 *
 * The handler's part: it keeps the job in the memory of the call (call->user), and hands all events
 * of the call that it does not use itself to mote_posix_job_event(): WRITABLE and CLOSED are
 * needed. Calls of mote_posix_serve() alone, whose `own` gives each worker its mailbox.
 */
enum mote_posix_job_state { MOTE_POSIX_JOB_BEGUN, MOTE_POSIX_JOB_WORKS, MOTE_POSIX_JOB_OVER };

/* What the thread has asked for. */
enum mote_posix_job_act { MOTE_POSIX_ACT_SEND, MOTE_POSIX_ACT_ANSWER, MOTE_POSIX_ACT_FINISH };

/*
 * What of a job the loop has.
 *
 *   AWAY -- the thread asks for something --> WAITS, for room -------+--> AWAY    it is sent
 *     |                                         |                    |
 *     |                                         +--> ENDS            it is the end
 *     +---- the call has ended: at once, or with what the thread does next --> AWAY for ever
 */
enum mote_posix_job_here { MOTE_POSIX_JOB_AWAY, MOTE_POSIX_JOB_WAITS, MOTE_POSIX_JOB_ENDS };

typedef struct {
    mote_posix_letter letter; /* first: what comes out of the thread's mailbox leads to its job */
    enum mote_posix_job_state state;
    int result; /* 0; or of the last thing the thread did, as mote_grpc_send(), _answer() and
                   _finish() say; MOTE_GRPC_ERR_STATE: the call had ended before it */
    int code;   /* OVER: the status that the call has ended with */
    /* private */
    mote_posix_mailbox *home, *desk;
    mote_grpc_handle call;
    const mote_grpc_source *source;
    const void *message;
    unsigned flags;
    const char *text;
    enum mote_posix_job_act act;
    enum mote_posix_job_here here;
    int gone; /* atomic: 0; or the call has ended, with this status + 1 */
} mote_posix_job;

/* In a handler: `desk` is the mailbox of the thread, `home` that of the loop. All that the thread
 * needs of the request was copied by the handler: views end with it. */
void mote_posix_job_begin(mote_posix_job *job, const mote_grpc_call *call, mote_posix_mailbox *home,
                          mote_posix_mailbox *desk);

/* In the handler of the same call; returns 0. After CLOSED the job is the thread's alone. */
int mote_posix_job_event(mote_posix_job *job, const mote_grpc_event *ev);

/* The thread that has the job: whether its call has ended, so that the work is of no use. */
bool mote_posix_job_is_gone(const mote_posix_job *job);

/* The thread that has the job gives it back, to be done in the loop as by mote_grpc_send(),
 * mote_grpc_answer() and mote_grpc_finish(). `message` and `text` stay until it comes again, by the
 * thread's mailbox: WORKS, after a message that was sent or that cannot be; otherwise OVER. An
 * answer or an end that cannot be comes as WORKS, too, with its result. To cancel is to finish with
 * MOTE_GRPC_CANCELLED. */
void mote_posix_job_send(mote_posix_job *job, const mote_grpc_source *from, const void *message,
                         unsigned flags);
void mote_posix_job_answer(mote_posix_job *job, const mote_grpc_source *from, const void *message);
void mote_posix_job_finish(mote_posix_job *job, int code, const char *text);

#ifdef __cplusplus
}
#endif
#endif
