/* What an HTTP/1.1 connection says to the engine of HTTP/2 behind it, and where one request ends
 * and the next begins. */
#include "http1_internal.h"

void mote_http1_give(mote_http1 *h, const void *bytes, size_t len)
{
    if (len > 0 && !h->engine->input(h->self, bytes, len))
        h->ended = true;
}

void mote_http1_give_frame(mote_http1 *h, unsigned type, unsigned flags, uint32_t id, size_t len)
{
    uint8_t header[9] = {(uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,
                         (uint8_t)type,        (uint8_t)flags,      (uint8_t)(id >> 24),
                         (uint8_t)(id >> 16),  (uint8_t)(id >> 8),  (uint8_t)id};

    mote_http1_give(h, header, sizeof header);
}

void mote_http1_give_word(mote_http1 *h, unsigned type, uint32_t id, uint32_t word)
{
    uint8_t bytes[4] = {(uint8_t)(word >> 24), (uint8_t)(word >> 16), (uint8_t)(word >> 8),
                        (uint8_t)word};

    mote_http1_give_frame(h, type, 0, id, sizeof bytes);
    mote_http1_give(h, bytes, sizeof bytes);
}

void mote_http1_end_request(mote_http1 *h)
{
    h->state = MOTE_HTTP1_ANSWER;
    if (h->response != MOTE_HTTP1_RESPONSE_WHOLE)
        return;
    h->state = h->closing || h->stream > INT32_MAX - 2 ? MOTE_HTTP1_OVER : MOTE_HTTP1_HEAD;
    h->response = MOTE_HTTP1_RESPONSE_NONE;
    h->head_len = 0;
    h->count = 0;
    h->cr = false;
    h->stream += 2;
    h->since_ms = h->now_ms;
}

size_t mote_http1_length(const char *text)
{
    size_t n = 0;

    while (text[n] != '\0')
        n++;
    return n;
}

bool mote_http1_valid(const mote_http1 *h)
{
    return h->engine && h->head_len <= h->head_size && h->out_at <= h->out_len &&
           h->out_len <= h->out_size && h->frame_len <= sizeof h->frame &&
           h->word_len <= sizeof h->word && h->state <= MOTE_HTTP1_OVER &&
           h->response <= MOTE_HTTP1_RESPONSE_WHOLE &&
           !(h->open && h->response == MOTE_HTTP1_RESPONSE_WHOLE) &&
           mote_hpack_decoder_valid(&h->decoder);
}
