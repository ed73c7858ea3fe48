/* Compression of messages: negotiation, and the use of a codec (PROTOCOL-HTTP2,
 * compression.md). */
#include "grpc_internal.h"

#include <string.h>

/* ---- negotiation --------------------------------------------------------------------------- */

static size_t codec_count(const mote_grpc *g)
{
    return MOTE_COMPRESSES && g->config->codecs ? g->config->codecs->count : 0;
}

static const mote_grpc_codec *codec_at(const mote_grpc *g, size_t number)
{
    return g->config->codecs->codec[number];
}

static bool is_codec(const mote_grpc_codec *codec, const char *name, size_t len)
{
    return codec->encoding.value_len == len && memcmp(codec->encoding.value, name, len) == 0;
}

unsigned mote_grpc_classify_encoding(const mote_grpc *g, const char *value, size_t len)
{
    if (len == 0 || (len == 8 && memcmp(value, "identity", 8) == 0))
        return FIELD_IGNORED;
    for (size_t i = 0; i < codec_count(g); i++) {
        if (is_codec(codec_at(g, i), value, len))
            return FIELD_CODEC + (unsigned)i;
    }
    return FIELD_ENCODING;
}

/* A list with commas and white space between. */
unsigned mote_grpc_classify_accept(const mote_grpc *g, const char *value, size_t len)
{
    unsigned mask = 0;

    for (size_t at = 0; at < len;) {
        size_t start = at;
        while (at < len && value[at] != ',' && value[at] != ' ')
            at++;
        for (size_t i = 0; i < codec_count(g); i++) {
            if (is_codec(codec_at(g, i), value + start, at - start))
                mask |= 1u << i;
        }
        at++;
    }
    return FIELD_ACCEPT + mask;
}

bool mote_grpc_codec_field(mote_grpc_call *call, unsigned what)
{
    if (!MOTE_COMPRESSES || what < FIELD_CODEC || what >= FIELD_PATH)
        return false;
    if (what < FIELD_ACCEPT)
        call->rx_codec = (uint8_t)(what - FIELD_CODEC + 1);
    else
        call->accepts = (uint8_t)(what - FIELD_ACCEPT);
    return true;
}

void mote_grpc_put_codec(mote_grpc_call *call)
{
    mote_grpc *g = call->grpc;

    if (MOTE_COMPRESSES && call->tx_codec > 0)
        mote_h2_put(&g->h2, &codec_at(g, call->tx_codec - 1u)->encoding);
    if (MOTE_COMPRESSES && g->config->codecs)
        mote_h2_put(&g->h2, &g->config->codecs->accept);
}

const mote_grpc_codec *mote_grpc_choose_codec(mote_grpc_call *call)
{
    if (call->local != MOTE_GRPC_LOCAL_HEADERS)
        return NULL;
    MOTE_CHECK_THAT(mote_grpc_valid(call->grpc));
    for (size_t i = 0; i < codec_count(call->grpc); i++) {
        if (call->accepts & 1u << i) {
            call->tx_codec = (uint8_t)(i + 1);
            return codec_at(call->grpc, i);
        }
    }
    return NULL;
}

/* ---- messages ------------------------------------------------------------------------------ */

bool mote_grpc_decompress(mote_grpc_call *call, mote_grpc_event *ev)
{
    const mote_grpc_config *config = call->grpc->config;
    size_t len = ev->len;
    int r = codec_at(call->grpc, call->rx_codec - 1u)
                ->decompress(ev->data, len, config->message, config->message_size, &ev->len);

    ev->data = config->message;
    ev->compressed = true;
    if (r == MOTE_GRPC_ERR_SPACE)
        mote_grpc_call_fail(call, MOTE_GRPC_RESOURCE_EXHAUSTED,
                            mote_grpc_count_it(call, "compressed message of ", len,
                                               " bytes holds more than message_size ",
                                               config->message_size));
    else if (r < 0)
        mote_grpc_call_fail(call, MOTE_GRPC_INTERNAL, MOTE_TEXT("compressed message is broken"));
    return r == 0;
}

/* The message is encoded at the end of the memory and compressed to its front. */
int mote_grpc_compress(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                       void *memory, size_t size, mote_grpc_bytes *out)
{
    uint8_t *front = memory;
    size_t total = 0, len = 0;
    int r;

    if (call->tx_codec == 0)
        return MOTE_GRPC_ERR_STATE;
    if ((r = source->write(source->type, message, 0, NULL, 0, &total)) < 0)
        return r;
    if (total > size)
        return MOTE_GRPC_ERR_SPACE;
    len = total;
    if (total > 0 &&
        (r = source->write(source->type, message, 0, front + size - total, total, &len)) < 0)
        return r;
    out->data = front;
    return codec_at(call->grpc, call->tx_codec - 1u)
        ->compress(front + size - total, total, front, size - total, &out->len);
}
