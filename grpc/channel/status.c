/* The status of what has failed before a server could say one. */
#include "../../h2/mote_features.h"
#include "channel_internal.h"

#ifdef MOTE_NO_TEXTS
const char *mote_channel_strerror(int error)
{
    (void)error;
    return "";
}

const char *mote_channel_wait_text(enum mote_channel_wait waits_for)
{
    (void)waits_for;
    return "";
}
#else
const char *mote_channel_strerror(int error)
{
    switch (error) {
#define MOTE_CHANNEL_TEXT_OF(name, code, text)                                                     \
    case name:                                                                                     \
        return text;
        MOTE_CHANNEL_ERRORS(MOTE_CHANNEL_TEXT_OF)
#undef MOTE_CHANNEL_TEXT_OF
    default:
        return mote_grpc_strerror(error);
    }
}

const char *mote_channel_wait_text(enum mote_channel_wait waits_for)
{
    static const char *const texts[] = {
#define MOTE_CHANNEL_TEXT_OF(name, text) "deadline exceeded: " text,
        MOTE_CHANNEL_WAITS(MOTE_CHANNEL_TEXT_OF)
#undef MOTE_CHANNEL_TEXT_OF
    };

    return texts[waits_for];
}
#endif

static int code_of(int error)
{
    switch (error) {
    case MOTE_CHANNEL_ERR_DEADLINE:
        return MOTE_GRPC_DEADLINE_EXCEEDED;
    case MOTE_CHANNEL_ERR_CALLS:
    case MOTE_CHANNEL_ERR_GOAWAY:
    case MOTE_GRPC_ERR_LIMIT:
    case MOTE_H2_ERR_TOO_LARGE:
        return MOTE_GRPC_RESOURCE_EXHAUSTED;
    case MOTE_GRPC_ERR_INSECURE:
        return MOTE_GRPC_UNAUTHENTICATED;
    case MOTE_CHANNEL_ERR_CONNECT:
    case MOTE_CHANNEL_ERR_SHUTDOWN:
    case MOTE_GRPC_ERR_IO:
    case MOTE_H2_ERR_PEER:
    case MOTE_H2_ERR_CALM:
    case MOTE_H2_ERR_GOAWAY:
    case MOTE_H2_ERR_TIMEOUT:
    case MOTE_H2_ERR_CLOSED:
        return MOTE_GRPC_UNAVAILABLE;
    default:
        return MOTE_GRPC_INTERNAL;
    }
}

mote_status mote_status_of(int code, const char *text)
{
    mote_status status = {code, text, 0};

    while (text[status.message_len] != '\0')
        status.message_len++;
    return status;
}

mote_status mote_status_of_error(int error)
{
    return mote_status_of(code_of(error), mote_channel_strerror(error));
}

/* Appends what there is room for; what is not printable becomes '?'. */
static size_t append_text(char *to, size_t at, size_t cap, const char *text, size_t len)
{
    for (size_t i = 0; i < len && at < cap; i++, at++) {
        to[at] = text[i];
        if (text[i] < 0x20 || text[i] > 0x7e)
            to[at] = '?';
    }
    return at;
}

/* The memory of a call that has not started, or whose end was told; NULL: there is none. */
static char *free_memory(mote_channel *ch)
{
    mote_grpc_call *call = ch->grpc.calls;

    for (size_t i = 0; i < (MOTE_HAS_MANY_CALLS ? ch->grpc.reach : ch->config.max_calls); i++) {
        if (call[i].local == MOTE_GRPC_LOCAL_FREE || &call[i] == ch->grpc.delivery.ended)
            return (char *)call[i].rx;
    }
    return MOTE_HAS_MANY_CALLS ? (char *)mote_grpc_spare_memory(&ch->grpc) : NULL;
}

/* The field that may not be sent, and why. */
static mote_status refused(mote_channel *ch, int error)
{
    mote_status s = mote_status_of_error(error);
    const mote_grpc_metadata *m = mote_grpc_refused(&ch->grpc);
    size_t n, cap = ch->config.rx_size;
    char *to = free_memory(ch);

    if (!to)
        return s;
    n = m ? append_text(to, 0, cap, m->name, m->name_len) : append_text(to, 0, cap, "the token", 9);
    n = append_text(to, n, cap, ": ", 2);
    n = append_text(to, n, cap, s.message, s.message_len);
    return (mote_status){s.code, to, n};
}

#ifndef MOTE_NO_TEXTS
static size_t append_number(char *to, size_t at, size_t cap, size_t value)
{
    char digits[20], *p = digits + sizeof digits;

    do
        *--p = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    return append_text(to, at, cap, p, (size_t)(digits + sizeof digits - p));
}

static mote_status with_limit(int error, const char *name, size_t limit, char *to, size_t cap)
{
    mote_status s = mote_status_of_error(error);
    size_t n, name_len = mote_status_of(0, name).message_len;

    if (!to)
        return s;
    n = append_text(to, 0, cap, s.message, s.message_len);
    n = append_text(to, n, cap, name, name_len);
    n = append_number(to, n, cap, limit);
    return (mote_status){s.code, to, n};
}
#endif

/* The deadline has passed while there was no connection: "... (why the last attempt has failed)".
 */
static mote_status with_reason(mote_channel *ch, mote_status s)
{
    size_t n, cap = ch->config.rx_size;
    char *to = free_memory(ch);
    mote_status why = mote_status_of(s.code, ch->why);

    if (!MOTE_HAS_TEXTS || !to || why.message_len == 0)
        return s;
    n = append_text(to, 0, cap, s.message, s.message_len);
    n = append_text(to, n, cap, " (", 2);
    n = append_text(to, n, cap, why.message, why.message_len);
    n = append_text(to, n, cap, ")", 1);
    return (mote_status){s.code, to, n};
}

static mote_status deadline_passed(mote_channel *ch)
{
    mote_status s =
        mote_status_of(MOTE_GRPC_DEADLINE_EXCEEDED, mote_channel_wait_text(ch->waits_for));

    return ch->waits_for == MOTE_WAITS_FOR_ATTEMPT || ch->waits_for == MOTE_WAITS_FOR_CONNECTION
               ? with_reason(ch, s)
               : s;
}

/* An error that has a limit of the config; its number is written `to` where there is memory. */
static mote_status exceeded(const mote_channel *ch, int error, char *to)
{
#ifndef MOTE_NO_TEXTS
    size_t cap = ch->config.rx_size;

    if (error == MOTE_GRPC_ERR_LIMIT)
        return with_limit(error, " of ", ch->config.send_limit, to, cap);
    if (error == MOTE_H2_ERR_TOO_LARGE)
        return with_limit(error, ": tx_size is ", ch->config.tx_size, to, cap);
#else
    (void)ch, (void)to;
#endif
    return mote_status_of_error(error);
}

bool mote_channel_refuse(mote_grpc_call *call, const mote_grpc_source *source, int error)
{
    const mote_channel *ch = (const mote_channel *)call->grpc;
    char *own = (char *)call->rx; /* what it has received is dropped */
    bool of_source = error <= -400 && error > MOTE_CHANNEL_ERR_DEADLINE;

    if (error == MOTE_GRPC_ERR_STATE || mote_grpc_decided(call) || mote_h2_error(&ch->grpc.h2) < 0)
        return false;
    mote_status s = of_source ? mote_status_of(MOTE_GRPC_INTERNAL, source->strerror(error))
                              : exceeded(ch, error, own);
    if (s.message == own && s.message_len >= ch->config.rx_size) /* no room for all of it */
        s = mote_status_of_error(error);
    else if (s.message == own)
        own[s.message_len] = '\0';
    mote_grpc_abandon(call, s.code, s.message);
    return true;
}

mote_status mote_channel_status(mote_channel *ch, int error)
{
    if (error == MOTE_CHANNEL_ERR_DEADLINE)
        return deadline_passed(ch);
    if (error == MOTE_CHANNEL_ERR_CONNECT || error == MOTE_CHANNEL_ERR_SHUTDOWN)
        return mote_status_of(MOTE_GRPC_UNAVAILABLE, ch->why);
    if ((error <= MOTE_GRPC_ERR_NAME && error >= MOTE_GRPC_ERR_VALUE) ||
        error == MOTE_GRPC_ERR_BASE64)
        return refused(ch, error);
    if (error == mote_h2_error(&ch->grpc.h2))
        return mote_status_of(MOTE_GRPC_UNAVAILABLE, mote_h2_error_text(&ch->grpc.h2));
    return exceeded(ch, error, free_memory(ch));
}

mote_status mote_status_of_event(const mote_grpc_event *ev)
{
    return (mote_status){ev->code, ev->message, ev->message_len};
}
