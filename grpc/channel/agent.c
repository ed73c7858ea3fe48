/* The owner of a connection, and how other tasks reach it: see agent.h. */
#include "agent.h"
#include "channel_internal.h"

#include "../../h2/mote_features.h"

#include <string.h>

enum { AGENT_TURN_MS = 60000, AGENT_CLOSE_MS = 1000 };

void mote_agent_init(mote_agent *a, mote_channel *channel, mote_agent_os os)
{
    memset(a, 0, sizeof *a);
    a->channel = channel;
    a->os = os;
}

static uint64_t agent_now(const mote_agent *a)
{
    return a->channel->io.now_ms(a->channel->io.context);
}

static void lock_agent(mote_agent *a)
{
    a->os.lock(a->os.context);
}

static void unlock_agent(mote_agent *a)
{
    a->os.unlock(a->os.context);
}

/* ---- the end of a call: with the lock, by whomever ------------------------------------------- */

static size_t put_status_text(char *to, size_t at, const char *text, size_t len)
{
    len = len < MOTE_AGENT_TEXT - at ? len : MOTE_AGENT_TEXT - at;
    if (len > 0)
        memcpy(to + at, text, len);
    return at + len;
}

static void unlink_call(mote_agent *a, const mote_agent_call *c)
{
    mote_agent_call **at = &a->calls;

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
}

static void notify_task(const mote_agent_call *c)
{
    if (c->task)
        c->agent->os.notify(c->agent->os.context, c->task);
}

static void end_call(mote_agent_call *c, mote_status status)
{
    unlink_call(c->agent, c);
    c->state = MOTE_AGENT_ENDED;
    c->call = NULL;
    c->code = status.code;
    c->text_len = put_status_text(c->text, 0, status.message, status.message_len);
    notify_task(c);
}

/* Builds without texts have none. */
static mote_status agent_status(int code, const char *text)
{
    return mote_status_of(code, text ? text : "");
}

static mote_status agent_has_ended(void)
{
    return agent_status(MOTE_GRPC_UNAVAILABLE, MOTE_TEXT("the agent has ended"));
}

/* Of a call that waits: what it has waited for, and why the last attempt to connect has failed. */
static void end_late(mote_agent_call *c)
{
    mote_agent *a = c->agent;
    mote_status why = mote_status_of(0, a->why);
    const char *text =
        a->connected ? MOTE_TEXT("deadline exceeded: the connection has no room for one more call")
                     : MOTE_TEXT("deadline exceeded: there is no connection");

    end_call(c, agent_status(MOTE_GRPC_DEADLINE_EXCEEDED, text));
    if (!a->connected && why.message_len > 0) {
        c->text_len = put_status_text(c->text, c->text_len, ": ", 2);
        c->text_len = put_status_text(c->text, c->text_len, why.message, why.message_len);
    }
}

/* ---- the owner: calls that wait -------------------------------------------------------------- */

/* Begins it where there is room; otherwise it goes on waiting. */
static void begin_call(mote_agent *a, mote_agent_call *c)
{
    uint64_t now = agent_now(a), left = c->deadline_ms - now;

    if (now >= c->deadline_ms || now < c->not_before_ms)
        return; /* its task ends it; it is not made again yet */
    if (c->deadline_ms != UINT64_MAX)
        c->request.timeout_ms = (uint32_t)left;
    int r = mote_channel_offer(a->channel, &c->request, &c->call);
    if (r == 0) {
        c->state = MOTE_AGENT_OPEN;
        c->call->owner = c;
    } else if (r != MOTE_AGAIN) {
        end_call(c, mote_channel_status(a->channel, r));
    }
}

/* Ends the calls that wait; of those that are patient only when `all`. */
static void end_waiting(mote_agent *a, mote_status status, bool all)
{
    for (mote_agent_call *c = a->calls, *next; c; c = next) {
        next = c->next;
        if (c->state == MOTE_AGENT_WAITS && (all || !c->request.wait_for_ready))
            end_call(c, status);
    }
}

/* Is there a call that waits? (`patiently`: one that waits for a connection as long as it may.) */
static bool has_waiting(const mote_agent *a, bool patiently)
{
    for (const mote_agent_call *c = a->calls; c; c = c->next) {
        if (c->state == MOTE_AGENT_WAITS && (!patiently || c->request.wait_for_ready))
            return true;
    }
    return false;
}

/* ---- the owner: calls that are open ---------------------------------------------------------- */

static void send_for(mote_agent_call *c)
{
    int r = c->sending == MOTE_AGENT_SENDS_END
                ? mote_grpc_half_close(c->call)
                : mote_grpc_send(c->call, c->source, c->message, c->flags);

    if (r == MOTE_AGAIN)
        return;
    c->error = r;
    c->sending = MOTE_AGENT_SENDS_NOTHING;
    if (r < 0)
        mote_channel_refuse(c->call, c->source, r);
    notify_task(c);
}

static void serve_call(mote_agent *a, mote_agent_call *c)
{
    if (c->state == MOTE_AGENT_WAITS)
        begin_call(a, c);
    if (c->state != MOTE_AGENT_OPEN)
        return;
    if (c->cancelled && !mote_grpc_decided(c->call))
        mote_grpc_cancel(c->call);
    if (c->sending != MOTE_AGENT_SENDS_NOTHING)
        send_for(c);
    if (c->inbox == MOTE_AGENT_WANTED)
        mote_grpc_resume(c->call);
}

static void on_call_message(const mote_agent *a, mote_agent_call *c, const mote_grpc_event *ev)
{
    if (c->inbox != MOTE_AGENT_WANTED && !c->unary) {
        mote_grpc_defer(&a->channel->grpc);
    } else if (c->inbox != MOTE_AGENT_WANTED) {
        mote_grpc_abandon(ev->call, MOTE_GRPC_UNIMPLEMENTED, MOTE_TEXT("not one response"));
    } else if (ev->len > c->size) {
        mote_grpc_abandon(ev->call, MOTE_GRPC_RESOURCE_EXHAUSTED,
                          MOTE_TEXT("a message is larger than the buffer of its task"));
    } else {
        if (ev->len > 0)
            memcpy(c->buffer, ev->data, ev->len);
        c->len = ev->len;
        c->inbox = MOTE_AGENT_FULL;
        notify_task(c);
    }
}

/* When a call is made again: at once for the first time, then with the next connection or, on one
 * that goes on and has refused it, after waits that grow. */
static uint64_t next_try_ms(const mote_agent *a, mote_agent_call *c)
{
    mote_channel *ch = a->channel;

    if (!c->repeated || ch->state != MOTE_CHANNEL_READY)
        return 0;
    return agent_now(a) + mote_backoff_next(&c->pace, mote_channel_random(ch));
}

/* gRPC proposal A6, transparent retries: a call that no server has seen. */
static bool is_made_again(const mote_agent_call *c, const mote_grpc_event *ev)
{
    return c->unary && ev->unseen && (c->request.wait_for_ready || !c->repeated) && !c->cancelled;
}

static void on_call_end(mote_agent_call *c, const mote_grpc_event *ev)
{
    bool answered = c->inbox == MOTE_AGENT_FULL;

    if (is_made_again(c, ev) && !answered) {
        c->not_before_ms = next_try_ms(c->agent, c);
        c->repeated = true;
        c->state = MOTE_AGENT_WAITS;
        c->sending = MOTE_AGENT_SENDS_MESSAGE;
        c->call = NULL;
        notify_task(c); /* the deadline is its own again */
    } else if (c->unary && ev->code == MOTE_GRPC_OK && !answered) {
        end_call(c, agent_status(MOTE_GRPC_UNIMPLEMENTED, MOTE_TEXT("not one response")));
    } else {
        end_call(c, mote_status_of_event(ev));
    }
}

/* ---- the owner: turns ------------------------------------------------------------------------ */

/* How long a turn lasts at the most: until a call that waits is to be made again. */
static uint32_t turn_ms(const mote_agent *a)
{
    uint32_t most = a->poll_ms > 0 ? a->poll_ms : AGENT_TURN_MS;
    uint64_t now = agent_now(a);

    for (const mote_agent_call *c = a->calls; c; c = c->next) {
        if (c->state == MOTE_AGENT_WAITS && c->not_before_ms > now && c->not_before_ms - now < most)
            most = (uint32_t)(c->not_before_ms - now);
    }
    return most;
}

/* There is no connection, and no call on one. */
static void rest_or_connect(mote_agent *a)
{
    mote_channel *ch = a->channel;
    bool needed = has_waiting(a, false), patiently = has_waiting(a, true);
    uint32_t most_ms = turn_ms(a);
    int r = MOTE_AGAIN;

    unlock_agent(a);
    if (needed)
        r = mote_channel_step(ch, patiently, most_ms);
    else
        ch->io.wait(ch->io.context, false, agent_now(a) + most_ms);
    lock_agent(a);
    mote_status why = mote_channel_status(ch, MOTE_CHANNEL_ERR_CONNECT);
    a->why[put_status_text(a->why, 0, why.message,
                           why.message_len < sizeof a->why ? why.message_len : sizeof a->why - 1)] =
        '\0';
    if (r < 0 && r != MOTE_AGAIN && r != MOTE_CHANNEL_ERR_CONNECT)
        end_waiting(a, mote_channel_status(ch, r), true);
    else if (ch->state == MOTE_CHANNEL_TRANSIENT_FAILURE)
        end_waiting(a, why, false);
}

/* A turn of the channel; true: there was an event, and there may be more. */
static bool exchange(mote_agent *a, bool at_once)
{
    uint32_t most_ms = at_once ? 0 : turn_ms(a);
    mote_grpc_event ev;

    unlock_agent(a);
    int r = mote_channel_advance(a->channel, &ev, most_ms);
    lock_agent(a);
    if (r > 0 && ev.type == MOTE_GRPC_MESSAGE)
        on_call_message(a, ev.call->owner, &ev);
    else if (r > 0 && ev.type == MOTE_GRPC_STATUS)
        on_call_end(ev.call->owner, &ev);
    return r > 0;
}

void mote_agent_run(mote_agent *a)
{
    mote_channel *ch = a->channel;
    bool more = false;

    lock_agent(a);
    while (a->life == MOTE_AGENT_RUNS) {
        for (mote_agent_call *c = a->calls, *next; c; c = next) {
            next = c->next;
            serve_call(a, c);
        }
        a->connected = ch->state == MOTE_CHANNEL_READY;
        if (a->connected || mote_grpc_active(&ch->grpc) > 0)
            more = exchange(a, more);
        else
            rest_or_connect(a);
    }
    while (a->calls)
        end_call(a->calls, agent_has_ended());
    a->life = MOTE_AGENT_OVER;
    unlock_agent(a);
    mote_channel_close(ch, AGENT_CLOSE_MS);
}

void mote_agent_stop(mote_agent *a)
{
    lock_agent(a);
    if (a->life == MOTE_AGENT_RUNS) {
        a->life = MOTE_AGENT_STOPS;
        end_waiting(a, agent_has_ended(), true);
        a->os.wake(a->os.context);
    }
    unlock_agent(a);
}

/* ---- the other tasks ------------------------------------------------------------------------- */

/* Has what its task waits for come to pass? */
enum agent_wait { AGENT_FOR_ROOM, AGENT_FOR_MESSAGE, AGENT_FOR_END };

static bool has_come(const mote_agent_call *c, enum agent_wait what)
{
    return c->state == MOTE_AGENT_ENDED ||
           (what == AGENT_FOR_ROOM && c->sending == MOTE_AGENT_SENDS_NOTHING) ||
           (what == AGENT_FOR_MESSAGE && c->inbox == MOTE_AGENT_FULL);
}

/* The owner is woken and the task sleeps. Until the call has begun its deadline is the task's own
 * affair, as the owner may be connecting; then it is the engine's. */
static void await_owner(mote_agent_call *c, enum agent_wait what)
{
    mote_agent *a = c->agent;

    c->task = a->os.self(a->os.context);
    if (!has_come(c, what))
        a->os.wake(a->os.context);
    while (!has_come(c, what)) {
        uint64_t until_ms = c->state == MOTE_AGENT_WAITS ? c->deadline_ms : UINT64_MAX;
        if (agent_now(a) >= until_ms)
            end_late(c);
        else
            a->os.sleep(a->os.context, until_ms);
    }
    c->task = NULL;
}

static void add_call(mote_agent *a, mote_agent_call *c, const mote_grpc_request *request)
{
    mote_agent_call **at = &a->calls;

    *c = (mote_agent_call){.buffer = c->buffer, .size = c->size, .agent = a, .request = *request};
    c->request.chunks = NULL;
    c->request.codec = NULL;
    c->deadline_ms = request->timeout_ms > 0 ? agent_now(a) + request->timeout_ms : UINT64_MAX;
    c->state = MOTE_AGENT_WAITS;
    while (*at)
        at = &(*at)->next;
    *at = c;
    if (a->life != MOTE_AGENT_RUNS)
        end_call(c, agent_has_ended());
}

void mote_agent_start(mote_agent *a, mote_agent_call *call, const mote_grpc_request *request)
{
    lock_agent(a);
    add_call(a, call, request);
    a->os.wake(a->os.context);
    unlock_agent(a);
}

/* Gives something to send to the owner, and waits until it is on its way. */
static int send_by_owner(mote_agent_call *c, enum mote_agent_sending sending)
{
    c->error = 0;
    c->sending = sending;
    await_owner(c, AGENT_FOR_ROOM);
    return c->sending == MOTE_AGENT_SENDS_NOTHING ? c->error : MOTE_GRPC_ERR_STATE;
}

int mote_agent_send(mote_agent_call *c, const mote_grpc_source *from, const void *message,
                    unsigned flags)
{
    lock_agent(c->agent);
    c->source = from;
    c->message = message;
    c->flags = flags;
    int r = send_by_owner(c, MOTE_AGENT_SENDS_MESSAGE);
    unlock_agent(c->agent);
    return r;
}

int mote_agent_half_close(mote_agent_call *c)
{
    lock_agent(c->agent);
    int r = send_by_owner(c, MOTE_AGENT_SENDS_END);
    unlock_agent(c->agent);
    return r;
}

bool mote_agent_recv(mote_agent_call *c)
{
    lock_agent(c->agent);
    c->inbox = MOTE_AGENT_WANTED;
    await_owner(c, AGENT_FOR_MESSAGE);
    bool got = c->inbox == MOTE_AGENT_FULL;
    c->inbox = MOTE_AGENT_HELD;
    unlock_agent(c->agent);
    return got;
}

mote_status mote_agent_finish(mote_agent_call *c)
{
    while (mote_agent_recv(c))
        ;
    return (mote_status){c->code, c->text, c->text_len};
}

mote_status mote_agent_unary(mote_agent *a, mote_agent_call *c, const mote_grpc_request *request,
                             const mote_grpc_source *from, const void *message)
{
    lock_agent(a);
    add_call(a, c, request);
    c->unary = true;
    c->request.more = true;
    c->source = from;
    c->message = message;
    c->flags = MOTE_GRPC_LAST;
    c->sending = MOTE_AGENT_SENDS_MESSAGE;
    c->inbox = MOTE_AGENT_WANTED;
    await_owner(c, AGENT_FOR_END);
    unlock_agent(a);
    return (mote_status){c->code, c->text, c->text_len};
}

void mote_agent_cancel(mote_agent_call *c)
{
    mote_agent *a = c->agent;

    lock_agent(a);
    c->cancelled = true;
    if (c->state == MOTE_AGENT_WAITS)
        end_call(c, agent_status(MOTE_GRPC_CANCELLED, MOTE_TEXT("cancelled")));
    a->os.wake(a->os.context);
    unlock_agent(a);
}
