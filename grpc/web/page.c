/* Files of a server's own page: a GET of the path of one is answered here, all else by the door
 * behind. */
#include "page.h"
#include "web_internal.h"

#include <string.h>

/* Of the bytes of a call that count for content in base64 alone; a request for a file has none. */
enum { PAGE_FILE, PAGE_GET, PAGE_BEGUN };

static const mote_page *page_of(const mote_grpc_call *call)
{
    return ((const mote_web_config *)call->grpc->config->door->config)->page;
}

/* ---- requests ------------------------------------------------------------------------------ */

static bool page_path_is(const mote_hpack_field_view *f, const char *path)
{
    size_t i = 0;

    while (i < f->value_len && path[i] != '\0' && f->value[i] == path[i])
        i++;
    return path[i] == '\0' && (i == f->value_len || f->value[i] == '?');
}

/* The number of the file + 1. */
static uint8_t find_page_file(const mote_page *page, const mote_hpack_field_view *path)
{
    for (size_t i = 0; i < page->file_count && i < UINT8_MAX; i++) {
        if (page_path_is(path, page->files[i].path))
            return (uint8_t)(i + 1);
    }
    return 0;
}

static bool take_page_field(mote_grpc_call *call, const mote_h2_event *h)
{
    web_state *state = mote_grpc_door_state(call);

    if (h->kind == MOTE_H2_KIND_METHOD)
        state->group[PAGE_GET] = mote_web_is(&h->field, "GET");
    if (h->kind == MOTE_H2_KIND_PATH)
        state->group[PAGE_FILE] = find_page_file(page_of(call), &h->field);
    return page_of(call)->ways->take_field(call, h);
}

/* Whether the request is for a file; once its fields are complete it is one, or never. */
static bool is_of_page(const mote_grpc_call *call)
{
    const web_state *state = mote_grpc_door_state(call);

    return state->kind == WEB_PAGE;
}

static bool answer_page(mote_grpc_call *call)
{
    web_state *state = mote_grpc_door_state(call);

    if (state->group[PAGE_FILE] > 0 && state->group[PAGE_GET] && state->origin != ORIGIN_FOREIGN) {
        state->kind = WEB_PAGE;
        mote_grpc_door_refuse(call);
        return true;
    }
    memset(state->group, 0, sizeof state->group);
    return page_of(call)->ways->answer(call);
}

/* ---- responses ----------------------------------------------------------------------------- */

static const mote_hpack_field page_status = MOTE_HPACK_NAMED(8, ":status", "200");
static const mote_hpack_field page_type = MOTE_HPACK_NAMED(31, "content-type", "");
static const mote_hpack_field page_policy = MOTE_HPACK_FIELD("content-security-policy", "");
static const mote_hpack_field page_others[] = {
    MOTE_HPACK_NAMED(24, "cache-control", "no-cache"),
    MOTE_HPACK_FIELD("x-content-type-options", "nosniff"),
    MOTE_HPACK_FIELD("referrer-policy", "no-referrer")};
static const char page_own_policy[] =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static size_t page_length(const char *text)
{
    size_t n = 0;

    while (text[n] != '\0')
        n++;
    return n;
}

static int begin_page(mote_grpc_call *call, const mote_page_file *file)
{
    const char *policy = page_of(call)->policy ? page_of(call)->policy : page_own_policy;
    mote_h2 *h2 = &call->grpc->h2;

    mote_h2_headers_begin(h2, call->stream);
    mote_h2_put(h2, &page_status);
    mote_h2_put_value(h2, &page_type, file->type, page_length(file->type));
    mote_h2_put_value(h2, &page_policy, policy, page_length(policy));
    for (size_t i = 0; i < sizeof page_others / sizeof *page_others; i++)
        mote_h2_put(h2, &page_others[i]);
    mote_web_put_origin(call);
    return mote_grpc_door_wait(call, mote_h2_headers_end(h2, false));
}

static int send_page(mote_grpc_call *call)
{
    web_state *state = mote_grpc_door_state(call);
    const mote_page_file *file = &page_of(call)->files[state->group[PAGE_FILE] - 1];
    const mote_grpc_bytes content = {file->content, file->len};
    int r;

    if (!state->group[PAGE_BEGUN]) {
        if ((r = begin_page(call, file)) < 0)
            return r;
        state->group[PAGE_BEGUN] = 1;
    }
    return mote_grpc_door_send(
        call, &(mote_grpc_parcel){&mote_grpc_bytes_source, &content, 0, true, true});
}

/* ---- for the door behind ------------------------------------------------------------------- */

static int send_behind_page(mote_grpc_call *call, const mote_grpc_source *source,
                            const void *message, unsigned flags)
{
    return page_of(call)->ways->send(call, source, message, flags);
}

static int end_page(mote_grpc_call *call, const mote_grpc_end *end)
{
    return is_of_page(call) ? send_page(call) : page_of(call)->ways->end(call, end);
}

static bool next_behind_page(mote_grpc_call *call, mote_grpc_event *ev)
{
    return page_of(call)->ways->next(call, ev);
}

static void store_behind_page(mote_grpc_call *call)
{
    page_of(call)->ways->store(call);
}

static int begin_behind_page(mote_grpc_call *call, const mote_grpc_metadata *metadata, size_t count)
{
    const mote_grpc_door_ways *ways = page_of(call)->ways;

    return ways->begin ? ways->begin(call, metadata, count) : 1;
}

static void release_behind_page(mote_grpc_call *call)
{
    const mote_grpc_door_ways *ways = page_of(call)->ways;

    if (ways->release && !is_of_page(call))
        ways->release(call);
}

const mote_grpc_door_ways mote_page_ways = {.take_field = take_page_field,
                                            .answer = answer_page,
                                            .send = send_behind_page,
                                            .end = end_page,
                                            .next = next_behind_page,
                                            .store = store_behind_page,
                                            .begin = begin_behind_page,
                                            .release = release_behind_page};
