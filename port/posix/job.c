/* Calls of a server that another thread answers. */
#include "mailbox.h"
#include "posix_internal.h"

static mote_posix_job *job_of(mote_posix_letter *letter)
{
    return (mote_posix_job *)letter; /* its first member */
}

static void give_back(mote_posix_job *job, enum mote_posix_job_state state, int result)
{
    job->state = state;
    job->result = result;
    job->here = MOTE_POSIX_JOB_AWAY;
    mote_posix_mailbox_put(job->desk, &job->letter);
}

/* The thread has the job, or had it when the call ended. */
static void come_too_late(mote_posix_job *job)
{
    job->code = __atomic_load_n(&job->gone, __ATOMIC_RELAXED) - 1;
    give_back(job, MOTE_POSIX_JOB_OVER, MOTE_GRPC_ERR_STATE);
}

static int try_act(const mote_posix_job *job, mote_grpc_call *call)
{
    switch (job->act) {
    case MOTE_POSIX_ACT_SEND:
        return mote_grpc_send(call, job->source, job->message, job->flags);
    case MOTE_POSIX_ACT_ANSWER:
        return mote_grpc_answer(call, job->source, job->message);
    default:
        return mote_grpc_finish(call, job->code, job->text);
    }
}

static void act(mote_posix_job *job, mote_grpc_call *call)
{
    int r = try_act(job, call);

    if (r == MOTE_AGAIN)
        job->here = MOTE_POSIX_JOB_WAITS;
    else if (r == 0 && job->act != MOTE_POSIX_ACT_SEND)
        job->here = MOTE_POSIX_JOB_ENDS;
    else
        give_back(job, MOTE_POSIX_JOB_WORKS, r);
}

/* In a turn of the loop. */
static void come_home(mote_posix_letter *letter)
{
    mote_posix_job *job = job_of(letter);
    mote_grpc_call *call = mote_grpc_find(job->call);

    if (!call) {
        come_too_late(job);
        return;
    }
    mote_posix_conn *conn = mote_posix_conn_of(call);
    act(job, call);
    mote_posix_flush(conn);
}

void mote_posix_job_begin(mote_posix_job *job, const mote_grpc_call *call, mote_posix_mailbox *home,
                          mote_posix_mailbox *desk)
{
    *job = (mote_posix_job){
        .letter.open = come_home, .home = home, .desk = desk, .call = mote_grpc_handle_of(call)};
    give_back(job, MOTE_POSIX_JOB_BEGUN, 0);
}

int mote_posix_job_event(mote_posix_job *job, const mote_grpc_event *ev)
{
    if (ev->type == MOTE_GRPC_WRITABLE && job->here == MOTE_POSIX_JOB_WAITS)
        act(job, ev->call);
    if (ev->type != MOTE_GRPC_CLOSED)
        return 0;
    if (job->here == MOTE_POSIX_JOB_AWAY) {
        __atomic_store_n(&job->gone, ev->code + 1, __ATOMIC_RELAXED);
        return 0;
    }
    int result = job->here == MOTE_POSIX_JOB_ENDS ? 0 : MOTE_GRPC_ERR_STATE;
    job->code = ev->code;
    give_back(job, MOTE_POSIX_JOB_OVER, result);
    return 0;
}

bool mote_posix_job_is_gone(const mote_posix_job *job)
{
    return __atomic_load_n(&job->gone, __ATOMIC_RELAXED) != 0;
}

/* To the loop; if that has ended the call is over. */
static void ask_for(mote_posix_job *job, enum mote_posix_job_act what)
{
    job->act = what;
    if (mote_posix_mailbox_put(job->home, &job->letter) < 0)
        come_too_late(job);
}

void mote_posix_job_send(mote_posix_job *job, const mote_grpc_source *from, const void *message,
                         unsigned flags)
{
    job->source = from;
    job->message = message;
    job->flags = flags;
    ask_for(job, MOTE_POSIX_ACT_SEND);
}

void mote_posix_job_answer(mote_posix_job *job, const mote_grpc_source *from, const void *message)
{
    job->source = from;
    job->message = message;
    ask_for(job, MOTE_POSIX_ACT_ANSWER);
}

void mote_posix_job_finish(mote_posix_job *job, int code, const char *text)
{
    job->code = code;
    job->text = text;
    ask_for(job, MOTE_POSIX_ACT_FINISH);
}
