/* Unary calls that are tried again (the gRPC proposal A6). */
#include "../../h2/mote_features.h"
#include "channel_internal.h"

#include <string.h>

enum { MOST_METADATA = 16, MOST_TRANSPARENT = 5 };

/* Of one call. */
typedef struct {
    unsigned made, unseen;
    uint32_t next_ms;  /* of the policy's waits */
    mote_backoff pace; /* of those that no server has seen */
} attempts;

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

static bool is_retryable(const mote_channel *ch, int code)
{
    return ch->retry && code != MOTE_GRPC_OK && (ch->retry->codes >> code & 1);
}

static bool may_retry(const mote_channel *ch, unsigned attempt)
{
    const mote_grpc_retry *p = ch->retry;

    return attempt < p->max_attempts && !ch->committed && ch->pushback_ms != MOTE_GRPC_NO_RETRY &&
           (p->max_tokens == 0 || ch->tokens > p->max_tokens * 500);
}

/* ---- waiting ------------------------------------------------------------------------------- */

static uint32_t backoff(mote_channel *ch, uint32_t *next_ms)
{
    const mote_grpc_retry *p = ch->retry;
    uint32_t most = *next_ms < p->max_backoff_ms ? *next_ms : p->max_backoff_ms;

    if (ch->pushback_ms >= 0) {
        *next_ms = p->initial_backoff_ms;
        return (uint32_t)ch->pushback_ms;
    }
    *next_ms = (uint32_t)((uint64_t)most * p->backoff_multiplier / 100);
    return mote_backoff_jitter(most, mote_channel_random(ch));
}

/* ---- attempts ------------------------------------------------------------------------------ */

/* "grpc-previous-rpc-attempts: N" goes along, when there is room for it. */
static void add_count(mote_grpc_request *request, mote_grpc_metadata *metadata, char *digit,
                      unsigned previous)
{
    if (!MOTE_SENDS_METADATA || previous == 0 || request->metadata_count >= MOST_METADATA)
        return;
    if (request->metadata_count > 0)
        memcpy(metadata, request->metadata, request->metadata_count * sizeof *metadata);
    *digit = (char)('0' + previous % 10);
    metadata[request->metadata_count++] =
        (mote_grpc_metadata){"grpc-previous-rpc-attempts", digit, 26, 1};
    request->metadata = metadata;
}

/* A call that no server has seen is made again with the next connection, which is no attempt of the
 * policy; who waits for ready does so as long as the time lasts. */
static bool is_unseen(const mote_channel *ch, const mote_grpc_request *request, const attempts *a)
{
    return ch->unseen && (request->wait_for_ready || a->unseen < MOST_TRANSPARENT);
}

/* Waits until the next attempt: 0; 1: there is none; MOTE_CHANNEL_ERR_DEADLINE. */
static int wait_to_retry(mote_channel *ch, const mote_grpc_request *request, int code, attempts *a,
                         uint64_t until_ms)
{
    uint64_t next_ms = ch->attempt_ms;

    if (is_unseen(ch, request, a)) {
        a->unseen++;
        if (request->wait_for_ready)
            return mote_channel_pace(ch, a->unseen, &a->pace, until_ms);
    } else {
        if (!is_retryable(ch, code) || !may_retry(ch, a->made))
            return 1;
        a->made++;
        next_ms = mote_channel_now(ch) + backoff(ch, &a->next_ms);
    }
    if (next_ms >= until_ms)
        return 1;
    mote_channel_pause(ch, next_ms);
    return 0;
}

static mote_status try_again(mote_channel *ch, const mote_grpc_request *request,
                             const mote_grpc_source *source, const void *message,
                             const uint8_t **response, size_t *len)
{
    mote_grpc_metadata metadata[MOST_METADATA + 1];
    uint64_t until_ms = mote_channel_until(ch, request->timeout_ms);
    attempts a = {.made = 1, .next_ms = ch->retry ? ch->retry->initial_backoff_ms : 0};
    char digit;
    int r;

    for (;;) {
        mote_grpc_request one = *request;
        add_count(&one, metadata, &digit, a.made - 1);
        mote_status status =
            mote_channel_unary_once(ch, &one, until_ms, source, message, response, len);
        if (ch->retry)
            count_outcome(ch,
                          is_retryable(ch, status.code) || ch->pushback_ms == MOTE_GRPC_NO_RETRY);
        if (status.code == MOTE_GRPC_OK)
            return status;
        if ((r = wait_to_retry(ch, request, status.code, &a, until_ms)) != 0)
            return r < 0 ? mote_channel_status(ch, r) : status;
    }
}

void mote_channel_set_retry(mote_channel *ch, const mote_grpc_retry *policy)
{
    ch->retry = policy;
    ch->unary = try_again;
}
