/* Unary calls that are tried again (the gRPC proposal A6). */
#include "channel_internal.h"

#include <string.h>

enum { MOST_METADATA = 16, MOST_TRANSPARENT = 5 };

/* ---- throttling: thousandths of tokens ------------------------------------------------------ */

static void count_outcome(mote_channel *ch, bool failed)
{
    const mote_grpc_retry *p = ch->retry;
    uint32_t most = p->max_tokens * 1000;

    if (p->max_tokens == 0)
        return;
    if (ch->tokens == 0 && !ch->throttled)
        ch->tokens = most; /* the first call */
    ch->throttled = true;
    if (failed)
        ch->tokens = ch->tokens > 1000 ? ch->tokens - 1000 : 0;
    else
        ch->tokens = ch->tokens + p->token_ratio < most ? ch->tokens + p->token_ratio : most;
}

static bool may_retry(const mote_channel *ch, unsigned attempt, int code)
{
    const mote_grpc_retry *p = ch->retry;

    return attempt < p->max_attempts && (p->codes >> code & 1) && !ch->committed &&
           ch->pushback_ms != MOTE_GRPC_NO_RETRY &&
           (p->max_tokens == 0 || ch->tokens > p->max_tokens * 500);
}

/* ---- waiting ------------------------------------------------------------------------------- */

static uint32_t backoff(mote_channel *ch, uint32_t *next_ms)
{
    const mote_grpc_retry *p = ch->retry;
    uint32_t most = *next_ms < p->max_backoff_ms ? *next_ms : p->max_backoff_ms;

    if (ch->pushback_ms > 0) {
        *next_ms = p->initial_backoff_ms;
        return (uint32_t)ch->pushback_ms;
    }
    *next_ms = (uint32_t)((uint64_t)most * p->backoff_multiplier / 100);
    return (uint32_t)((uint64_t)mote_channel_random(ch) * (most + 1ull) >> 32);
}

/* ---- attempts ------------------------------------------------------------------------------ */

/* "grpc-previous-rpc-attempts: N" goes along, when there is room for it. */
static void add_count(mote_grpc_request *request, mote_grpc_metadata *metadata, char *digit,
                      unsigned previous)
{
    if (previous == 0 || request->metadata_count >= MOST_METADATA)
        return;
    if (request->metadata_count > 0)
        memcpy(metadata, request->metadata, request->metadata_count * sizeof *metadata);
    *digit = (char)('0' + previous % 10);
    metadata[request->metadata_count++] =
        (mote_grpc_metadata){"grpc-previous-rpc-attempts", digit, 26, 1};
    request->metadata = metadata;
}

/* False when the deadline has passed meanwhile. */
static bool time_left(mote_channel *ch, mote_grpc_request *request, uint64_t deadline_ms)
{
    uint64_t now = ch->io.now_ms(ch->io.context);

    if (request->timeout_ms == 0)
        return true;
    if (now >= deadline_ms)
        return false;
    request->timeout_ms = (uint32_t)(deadline_ms - now);
    return true;
}

static mote_status try_again(mote_channel *ch, const mote_grpc_request *request,
                             const mote_grpc_source *source, const void *message,
                             const uint8_t **response, size_t *len)
{
    mote_grpc_metadata metadata[MOST_METADATA + 1];
    uint64_t deadline = ch->io.now_ms(ch->io.context) + request->timeout_ms;
    uint32_t next_ms = ch->retry ? ch->retry->initial_backoff_ms : 0;
    unsigned attempt = 1, transparent = 0;
    mote_grpc_request r = *request;
    char digit;

    for (;;) {
        mote_grpc_request one = r;
        add_count(&one, metadata, &digit, attempt - 1);
        mote_status status = mote_channel_unary_once(ch, &one, source, message, response, len);
        bool failed =
            ch->retry && status.code != MOTE_GRPC_OK && (ch->retry->codes >> status.code & 1);
        if (ch->retry)
            count_outcome(ch, failed || ch->pushback_ms == MOTE_GRPC_NO_RETRY);
        if (status.code == MOTE_GRPC_OK)
            return status;
        if (ch->unseen && transparent++ < MOST_TRANSPARENT) {
            if (!time_left(ch, &r, deadline))
                return status;
            continue; /* the server has not seen it: not an attempt */
        }
        if (!failed || !may_retry(ch, attempt, status.code))
            return status;
        uint32_t wait = backoff(ch, &next_ms);
        if (request->timeout_ms > 0 && ch->io.now_ms(ch->io.context) + wait >= deadline)
            return status;
        mote_channel_pause(ch, wait);
        if (!time_left(ch, &r, deadline))
            return status;
        attempt++;
    }
}

void mote_channel_set_retry(mote_channel *ch, const mote_grpc_retry *policy)
{
    ch->retry = policy;
    ch->unary = try_again;
}
