#include "rpc.h"

#include <string.h>

static const char details_field[] = "grpc-status-details-bin";

int mote_rpc_pack(mote_rpc_Any *any, const char *type_url, const mote_pb_encoder *encoder,
                  const void *detail, uint8_t *out, size_t cap)
{
    size_t len;
    int r = mote_pb_encode(encoder, detail, out, cap, &len);

    if (r == 0)
        *any = (mote_rpc_Any){mote_pb_cstring(type_url), {out, len}};
    return r;
}

/* What is behind the last '/'. */
static mote_pb_string detail_name(mote_pb_string url)
{
    size_t at = url.len;

    while (at > 0 && url.data[at - 1] != '/')
        at--;
    return (mote_pb_string){url.data + at, url.len - at};
}

const mote_rpc_Any *mote_rpc_find(const mote_rpc_Status *status, const char *type_url)
{
    mote_pb_string wanted = detail_name(mote_pb_cstring(type_url));

    MOTE_PB_EACH(mote_rpc_Any, any, status->details)
    {
        mote_pb_string name = detail_name(any->type_url);
        if (name.len == wanted.len &&
            (name.len == 0 || memcmp(name.data, wanted.data, name.len) == 0)) /* no NULL */
            return any;
    }
    return NULL;
}

int mote_rpc_finish(mote_grpc_call *call, const mote_rpc_Status *status, uint8_t *scratch,
                    size_t size)
{
    size_t len;
    int r = mote_rpc_Status_encode(status, scratch, size, &len);

    if (r < 0)
        return r == MOTE_PB_ERR_SPACE ? MOTE_GRPC_ERR_SPACE : r;
    char *text = (char *)scratch + len;
    r = mote_grpc_bin_encode(scratch, len, text, size - len);
    if (r < 0)
        return r;
    mote_grpc_metadata details = {details_field, text, sizeof details_field - 1, (size_t)r};
    return mote_grpc_finish_with(call, status->code, status->message.data, status->message.len,
                                 &details, 1);
}

int mote_rpc_read(const mote_grpc_event *ev, mote_rpc_Status *status, uint8_t *bytes, size_t cap,
                  mote_pb_arena *arena)
{
    if (ev->type != MOTE_GRPC_METADATA || ev->name_len != sizeof details_field - 1 ||
        memcmp(ev->name, details_field, ev->name_len) != 0)
        return 0;
    int len = mote_grpc_bin_decode(ev->value, ev->value_len, bytes, cap);
    if (len < 0)
        return len;
    int r = mote_rpc_Status_decode(status, bytes, (size_t)len, arena);
    return r < 0 ? r : 1;
}
