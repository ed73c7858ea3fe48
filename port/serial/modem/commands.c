/* Commands: how they are put together, and which comes next. */
#include "modem_internal.h"

#include <string.h>

enum {
    MODEM_WAKE_MS = 1000, /* until ATE0 is said again */
    DIAL_MS = 150000,
    HANG_UP_MS = 3000
};

/* ---- texts ----------------------------------------------------------------------------------- */

static size_t append_to(char *out, size_t at, size_t cap, const char *text)
{
    while (*text && at + 1 < cap)
        out[at++] = *text++;
    out[at] = '\0';
    return at;
}

static const char *decimal(char text[12], uint32_t number)
{
    size_t at = 11;

    text[at] = '\0';
    do
        text[--at] = (char)('0' + number % 10);
    while (number /= 10);
    return text + at;
}

/* ---- commands -------------------------------------------------------------------------------- */

static void add(mote_modem *m, const char *text)
{
    m->out_len = append_to(m->out, m->out_len, sizeof m->out, text);
}

static void add_number(mote_modem *m, size_t number)
{
    char text[12];

    add(m, decimal(text, (uint32_t)number));
}

static void begin_command(mote_modem *m, const char *text)
{
    m->out_pos = m->out_len = 0;
    m->answered = m->resulted = m->no_bytes = false;
    add(m, text);
}

/* The command that was put together is said. */
static void say(mote_modem *m, enum mote_modem_state state, uint32_t limit_ms)
{
    add(m, "\r");
    m->state = state;
    m->limit_ms = m->now_ms + limit_ms;
}

void mote_modem_fail(mote_modem *m, const char *what)
{
    size_t at;

    if (m->state == MOTE_MODEM_ENDED || m->state == MOTE_MODEM_CLOSED) /* the first word counts */
        return;
    if (m->state == MOTE_MODEM_READING || m->state == MOTE_MODEM_ENDING_READ)
        m->rx_pos = m->rx_len = 0; /* what it was is not known */
    at = append_to(m->why, 0, sizeof m->why, "modem: ");
    at = append_to(m->why, at, sizeof m->why, what);
    at = append_to(m->why, at, sizeof m->why, " after ");
    append_to(m->why, at, sizeof m->why, m->out + (m->out[0] == 0x1b));
    m->why[strcspn(m->why, "\r")] = '\0';
    m->state = MOTE_MODEM_ENDED;
}

/* A modem that waits for bytes to send takes an escape for none. */
void mote_modem_wake(mote_modem *m)
{
    begin_command(m, m->tries++ > 0 ? "\x1b" : "");
    add(m, "ATE0");
    say(m, MOTE_MODEM_WAKING, MODEM_WAKE_MS);
}

static void dial_number(mote_modem *m)
{
    const mote_modem_family *f = m->config->family;

    begin_command(m, f->dial);
    add(m, m->config->host);
    add(m, f->dial_port);
    add_number(m, m->config->port);
    add(m, f->dial_end);
    say(m, MOTE_MODEM_DIALING, DIAL_MS);
}

const mote_modem_step *mote_modem_step_of(const mote_modem *m)
{
    size_t own = m->config->setup_count, i = m->step;

    if (i < own)
        return &m->config->setup[i];
    return i - own < m->config->family->setup_count ? &m->config->family->setup[i - own] : NULL;
}

void mote_modem_prepare(mote_modem *m)
{
    const mote_modem_step *step = mote_modem_step_of(m);

    if (!step) {
        dial_number(m);
        return;
    }
    begin_command(m, step->command);
    say(m, MOTE_MODEM_PREPARING, step->limit_ms);
}

static void ask_to_send(mote_modem *m)
{
    begin_command(m, m->config->family->send);
    add_number(m, m->tx_len - m->tx_pos);
    m->tx_out = m->tx_pos;
    say(m, MOTE_MODEM_ASKING, ANSWER_MS);
}

static void ask_for_bytes(mote_modem *m)
{
    begin_command(m, m->config->family->read);
    add_number(m, MOTE_MODEM_PIECE);
    m->arrived = false; /* a line that says so again counts */
    m->look_ms = m->now_ms + LOOK_MS;
    say(m, MOTE_MODEM_ASKING_BYTES, ANSWER_MS);
}

/* What comes next of a connection on which no command is in progress. */
void mote_modem_proceed(mote_modem *m)
{
    bool sends = m->tx_len > 0 && !m->peer_closed && m->now_ms >= m->send_ms;
    bool reads = m->rx_len == 0 && !m->hangs_up && (m->arrived || m->now_ms >= m->look_ms);

    if (m->state != MOTE_MODEM_IDLE)
        return;
    if (reads && (m->sent_last || !sends)) {
        ask_for_bytes(m);
    } else if (sends) {
        ask_to_send(m);
    } else if (m->hangs_up && (m->tx_len == 0 || m->peer_closed)) {
        begin_command(m, m->config->family->hang_up);
        say(m, MOTE_MODEM_HANGING_UP, HANG_UP_MS);
    } else if (m->peer_closed && !m->arrived && m->rx_len == 0) {
        m->state = MOTE_MODEM_ENDED;
        append_to(m->why, 0, sizeof m->why, "modem: the peer has closed the connection");
    }
}

void mote_modem_idle(mote_modem *m)
{
    m->state = MOTE_MODEM_IDLE;
    mote_modem_proceed(m);
}
