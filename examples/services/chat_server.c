/*
 * Rooms in which several people talk. A room keeps its last events in a ring, and a member
 * remembers which of them it has been sent: whoever reads slowly holds up nobody, and misses the
 * oldest.
 *
 *   chat_server [--address=127.0.0.1:50051]
 */
#include "../../port/posix/posix.h"
#include "chat.mote.h"
#include "../common/seats.h"
#include "../common/secure.h"

enum {
    MEMBERS = 64,
    ROOMS = MEMBERS, /* so that each may have its own */
    SEATS = 4,       /* of one connection, so that nobody takes them all */
    KEPT = 64,
    NAME = 32,
    TEXT = 200,
    TURN_MS = 20
};

typedef struct {
    mote_chat_Event_Kind kind;
    char name[NAME], text[TEXT];
} event;

typedef struct {
    char name[NAME];
    size_t members; /* 0: the slot is free */
    event events[KEPT];
    uint64_t count; /* of events so far: number n is at n % KEPT */
} room;

/* User memory of a call. */
typedef struct {
    room *room; /* NULL: not entered */
    char name[NAME];
    uint64_t next; /* number of the next event to send */
    size_t greet;  /* members that are still to be shown as present */
    bool telling;  /* this event, a part of which may have been sent: it is sent to its end, though
                    * the ring has moved on, or who is present has left */
    event event;
} member;

static room rooms[ROOMS];
static seat seats[MEMBERS]; /* of those who have entered */
static bool news;

static bool same(const char *name, mote_pb_string s)
{
    return strlen(name) == s.len && memcmp(name, s.data, s.len) == 0;
}

static room *find_room(mote_pb_string name)
{
    room *free_slot = NULL;

    for (size_t i = 0; i < ROOMS; i++) {
        if (rooms[i].members > 0 && same(rooms[i].name, name))
            return &rooms[i];
        if (rooms[i].members == 0)
            free_slot = &rooms[i];
    }
    if (free_slot) { /* what was said there before is nobody's business */
        memset(free_slot, 0, sizeof *free_slot);
        keep_text(free_slot->name, NAME, name.data, name.len);
    }
    return free_slot;
}

static void add_event(room *r, mote_chat_Event_Kind kind, const char *name, mote_pb_string text)
{
    event *e = &r->events[r->count++ % KEPT];

    e->kind = kind;
    snprintf(e->name, NAME, "%s", name);
    keep_text(e->text, TEXT, text.data, text.len);
    news = true;
}

/* ---- what a member is sent ------------------------------------------------------------------ */

static bool send_event(mote_grpc_call *call, const event *e)
{
    mote_chat_Event said = {e->kind, mote_pb_cstring(e->name), mote_pb_cstring(e->text)};

    return mote_chat_Chat_Join_write(call, &said) == 0; /* or MOTE_GRPC_WRITABLE follows */
}

/* The next one that was there before. */
static bool greet(member *m)
{
    while (m->greet < MEMBERS) {
        const mote_grpc_call *there = mote_grpc_find(seats[m->greet++].call);
        const member *other = there ? there->user : NULL;
        if (other && other != m && other->room == m->room) {
            m->event = (event){.kind = mote_chat_Event_Kind_PRESENT};
            memcpy(m->event.name, other->name, NAME);
            return true;
        }
    }
    return false;
}

static bool take_event(member *m)
{
    if (m->room->count - m->next > KEPT)
        m->next = m->room->count - KEPT;
    if (m->next == m->room->count)
        return false;
    m->event = m->room->events[m->next++ % KEPT];
    return true;
}

/* Whether there was something to say. */
static bool send_news(mote_grpc_call *call)
{
    member *m = call->user;
    bool any = false;

    while (m->room && (m->telling || greet(m) || take_event(m))) {
        any = true;
        m->telling = !send_event(call, &m->event);
        if (m->telling)
            break;
    }
    return any;
}

/* ---- what a member does --------------------------------------------------------------------- */

static bool is_name(mote_pb_string s)
{
    return is_printable_name(s.data, s.len, NAME - 1);
}

static size_t seats_of(const mote_grpc *connection)
{
    size_t n = 0;

    for (size_t i = 0; i < MEMBERS; i++)
        n += seats[i].call.grpc == connection && mote_grpc_find(seats[i].call);
    return n;
}

static int enter(mote_grpc_call *call, member *m, const mote_chat_Enter *e)
{
    if (m->room || !is_name(e->room) || !is_name(e->name))
        return mote_grpc_finish(call, MOTE_GRPC_INVALID_ARGUMENT,
                                "enter once, with a room and a name of 1 to 31 bytes");
    if (seats_of(call->grpc) >= SEATS)
        return mote_grpc_finish(call, MOTE_GRPC_RESOURCE_EXHAUSTED, "a connection has four seats");
    if (!seats_take(seats, MEMBERS, call) || !(m->room = find_room(e->room)))
        return mote_grpc_finish(call, MOTE_GRPC_RESOURCE_EXHAUSTED, "all rooms are full");
    m->room->members++;
    keep_text(m->name, NAME, e->name.data, e->name.len);
    m->next = m->room->count;
    add_event(m->room, mote_chat_Event_Kind_ENTERED, m->name, MOTE_PB_STRING(""));
    return 0;
}

static void leave(member *m)
{
    if (!m->room)
        return;
    add_event(m->room, mote_chat_Event_Kind_LEFT, m->name, MOTE_PB_STRING(""));
    m->room->members--;
    m->room = NULL;
}

static int say(mote_grpc_call *call, member *m, const mote_grpc_event *ev)
{
    uint64_t scratch[16];
    mote_pb_arena arena;
    mote_chat_Say s;

    mote_pb_arena_init(&arena, scratch, sizeof scratch);
    if (mote_chat_Chat_Join_read(ev, &s, &arena) < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    if (s.is.which == mote_chat_Say_enter)
        return enter(call, m, s.is.is.enter);
    if (!m->room)
        return mote_grpc_finish(call, MOTE_GRPC_FAILED_PRECONDITION, "enter a room first");
    add_event(m->room, mote_chat_Event_Kind_TEXT, m->name, s.is.is.text);
    return 0;
}

static int join(mote_grpc_call *call, const mote_grpc_event *ev)
{
    member *m = call->user;

    switch (ev->type) {
    case MOTE_GRPC_MESSAGE:
        return say(call, m, ev);
    case MOTE_GRPC_WRITABLE:
        send_news(call);
        return 0;
    case MOTE_GRPC_HALF_CLOSE: /* it hears what was said until then */
        send_news(call);
        return m->telling ? MOTE_AGAIN : mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
    case MOTE_GRPC_CLOSED: /* with or without a word */
        leave(m);
        return 0;
    default:
        return 0;
    }
}

static void each_turn(void *context, mote_posix_loop *loop)
{
    (void)context;
    (void)loop;
    if (!news)
        return;
    news = false;
    for (size_t i = 0; i < MEMBERS; i++) {
        mote_grpc_call *call = mote_grpc_find(seats[i].call);
        mote_posix_conn *conn = call ? mote_posix_conn_of(call) : NULL;
        if (call && send_news(call))
            mote_posix_flush(conn);
    }
}

static const mote_grpc_method methods[] = mote_chat_Chat_METHODS(join);
static const mote_grpc_service services[] = {mote_chat_Chat_SERVICE(methods)};

int main(int argc, char **argv)
{
    mote_posix_server server = {.address = "127.0.0.1:50051",
                                .grpc = {.max_calls = 8,
                                         .slots = 8,
                                         .rx_size = 1024,
                                         .tx_size = 4096,
                                         .table_size = 4096,
                                         .field_size = 2048,
                                         .user_size = sizeof(member),
                                         .services = services,
                                         .service_count = 1},
                                .turn = each_turn,
                                .turn_ms = TURN_MS};
    const option options[] = {OPTION("--address", &server.address, "where to listen"), OPTIONS_END};

    parse_options(argc, argv, "chat_server: serves mote.chat.Chat", options);
    server.security = secure_server();
    return mote_posix_serve(&server) < 0;
}
