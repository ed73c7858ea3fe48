/* One command at a time: the drawing is in modem.h. */
#include "modem_internal.h"

#include <string.h>

enum {
    WAKE_TRIES = 10,
    QUIET_MS = 200, /* after the OK of ATE0: late answers to what was said before */
    RETRY_MS = 200, /* after the modem had no room */
    HOST_MAX = 100
};

/* ---- lines ----------------------------------------------------------------------------------- */

static bool begins_with(const mote_modem *m, const char *text)
{
    return text && strncmp(m->line, text, strlen(text)) == 0;
}

/* The number at a place of a line: -1 when there is none, or it is larger than any that can be. */
static int number_at(const char *p)
{
    int n = 0;

    if (*p < '0' || *p > '9')
        return -1;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (n > 100000)
            return -1;
        n = n * 10 + (*p - '0');
    }
    return n;
}

static int last_number(const char *line)
{
    const char *comma = strrchr(line, ',');

    return number_at(comma ? comma + 1 : line);
}

/* ---- answers --------------------------------------------------------------------------------- */

enum answer { OTHER, OK, ERROR };

static enum answer answer_of(const mote_modem *m)
{
    if (strcmp(m->line, "OK") == 0)
        return OK;
    return strcmp(m->line, "ERROR") == 0 || begins_with(m, "+CME ERROR") ||
                   begins_with(m, "+CMS ERROR")
               ? ERROR
               : OTHER;
}

/* A late OK of a try before begins the silence again. */
static void on_waking(mote_modem *m, enum answer answer)
{
    m->answered = m->answered || answer == OK;
    if (m->answered)
        m->limit_ms = m->now_ms + QUIET_MS;
}

static void on_preparing(mote_modem *m, enum answer answer)
{
    const mote_modem_step *step = mote_modem_step_of(m);
    bool passed = answer == ERROR && step->may_fail;

    if (answer == ERROR && !passed) {
        mote_modem_fail(m, m->line);
        return;
    }
    m->answered = m->answered || answer == OK;
    m->resulted = m->resulted || !step->until || begins_with(m, step->until);
    if (!passed && !(m->answered && m->resulted))
        return;
    m->step++;
    mote_modem_prepare(m);
}

static void on_dialing(mote_modem *m, enum answer answer)
{
    const char *dialed = m->config->family->dialed;

    if (answer == ERROR ||
        (begins_with(m, dialed) && (m->resulted || number_at(m->line + strlen(dialed)) != 0))) {
        mote_modem_fail(m, m->line);
        return;
    }
    m->answered = m->answered || answer == OK;
    m->resulted = m->resulted || begins_with(m, dialed);
    if (!m->answered || !m->resulted)
        return;
    m->look_ms = m->now_ms + LOOK_MS;
    mote_modem_idle(m);
}

/* Bytes were not taken. When the peer has closed, what it said before is still to be read. */
static void on_no_send(mote_modem *m)
{
    if (m->peer_closed)
        mote_modem_idle(m);
    else
        mote_modem_fail(m, m->line);
}

/* An echo would be taken for answers when it is one of bytes that are sent. */
static void on_asking(mote_modem *m, enum answer answer)
{
    size_t len = strlen(m->line);

    if (answer == ERROR)
        on_no_send(m);
    else if (len > 0 && strncmp(m->line, m->out, len) == 0 && m->out[len] == '\r')
        mote_modem_fail(m, "the modem still echoes");
}

static void on_sent(mote_modem *m)
{
    int all = (int)(m->tx_len - m->tx_pos);
    int n = m->config->family->sent_counts ? last_number(m->line) : all;

    if (m->tx_out < m->tx_len || n < 0 || n > all) {
        on_no_send(m);
        return;
    }
    if (n == 0)
        m->send_ms = m->now_ms + RETRY_MS;
    m->tx_pos += (size_t)n;
    if (n == all)
        m->tx_pos = m->tx_len = 0;
    m->sent_last = true;
    mote_modem_idle(m);
}

static void on_sending(mote_modem *m, enum answer answer)
{
    if (begins_with(m, m->config->family->sent)) {
        on_sent(m);
    } else if (begins_with(m, m->config->family->refused)) {
        m->send_ms = m->now_ms + RETRY_MS;
        m->sent_last = true;
        mote_modem_idle(m);
    } else if (answer == ERROR) {
        on_no_send(m);
    }
}

static void on_bytes(mote_modem *m, int n)
{
    if (n < 0 || n > MOTE_MODEM_PIECE) {
        mote_modem_fail(m, m->line);
        return;
    }
    m->rx_pos = m->rx_len = 0;
    m->rx_due = (size_t)n;
    m->resulted = n == 0;
    m->arrived = m->arrived || n > 0; /* until it says that there are none */
    m->state = n > 0 ? MOTE_MODEM_READING : MOTE_MODEM_ENDING_READ;
}

static void on_asking_bytes(mote_modem *m, enum answer answer)
{
    const mote_modem_family *f = m->config->family;

    m->no_bytes = m->no_bytes || begins_with(m, f->no_bytes);
    if (begins_with(m, f->bytes))
        on_bytes(m, number_at(m->line + strlen(f->bytes)));
    else if (answer == ERROR && !m->no_bytes && !m->peer_closed)
        mote_modem_fail(m, m->line);
    else if (answer != OTHER)
        m->sent_last = false, mote_modem_idle(m);
}

/* The bytes end where their number says, or it was another number: then nothing is taken. */
static void on_ending_read(mote_modem *m, enum answer answer)
{
    if ((!m->resulted && m->line_len > 0) || answer == ERROR) {
        mote_modem_fail(m, "a wrong number of bytes");
        return;
    }
    m->resulted = true;
    m->sent_last = m->sent_last && answer != OK;
    if (answer == OK)
        mote_modem_idle(m);
}

static bool in_connection(const mote_modem *m)
{
    return m->state >= MOTE_MODEM_IDLE && m->state <= MOTE_MODEM_ENDING_READ;
}

/* Lines that come whenever they like. */
static void on_news(mote_modem *m)
{
    if (!in_connection(m))
        return;
    if (begins_with(m, m->config->family->closed))
        m->peer_closed = m->arrived = true; /* what is left in the modem is read */
    else if (begins_with(m, m->config->family->arrived))
        m->arrived = true;
    mote_modem_proceed(m);
}

static void on_line(mote_modem *m)
{
    enum answer answer = answer_of(m);

    switch (m->state) {
    case MOTE_MODEM_WAKING:
        on_waking(m, answer);
        break;
    case MOTE_MODEM_PREPARING:
        on_preparing(m, answer);
        break;
    case MOTE_MODEM_DIALING:
        on_dialing(m, answer);
        break;
    case MOTE_MODEM_ASKING:
        on_asking(m, answer);
        break;
    case MOTE_MODEM_SENDING:
        on_sending(m, answer);
        break;
    case MOTE_MODEM_ASKING_BYTES:
        on_asking_bytes(m, answer);
        break;
    case MOTE_MODEM_ENDING_READ:
        on_ending_read(m, answer);
        break;
    case MOTE_MODEM_HANGING_UP:
        if (answer != OTHER)
            m->state = MOTE_MODEM_CLOSED;
        break;
    case MOTE_MODEM_CLOSED:
    case MOTE_MODEM_IDLE:
    case MOTE_MODEM_READING:
    case MOTE_MODEM_ENDED:
        break;
    }
    on_news(m);
}

/* ---- bytes of the line ------------------------------------------------------------------------
 */

static void end_answer_line(mote_modem *m)
{
    m->line[m->line_len] = '\0';
    if (m->line_len > 0 || m->state == MOTE_MODEM_ENDING_READ)
        on_line(m);
    m->line_len = 0;
}

static void on_byte(mote_modem *m, uint8_t byte)
{
    if (m->state == MOTE_MODEM_READING) {
        m->rx[m->rx_len++] = byte;
        if (m->rx_len == m->rx_due)
            m->state = MOTE_MODEM_ENDING_READ;
    } else if (byte == '\n') {
        end_answer_line(m);
    } else if (byte == '\r') {
        return;
    } else if (byte == '>' && m->line_len == 0 && m->state == MOTE_MODEM_ASKING &&
               m->out_pos == m->out_len) {
        m->state = MOTE_MODEM_SENDING;
        m->limit_ms = m->now_ms + ANSWER_MS;
    } else if (m->line_len < MOTE_MODEM_LINE - 1) {
        m->line[m->line_len++] = (char)byte;
    }
}

void mote_modem_receive(mote_modem *m, const uint8_t *in, size_t len)
{
    for (size_t i = 0; i < len; i++)
        on_byte(m, in[i]);
}

static bool is_still(const mote_modem *m)
{
    return m->state == MOTE_MODEM_CLOSED || m->state == MOTE_MODEM_ENDED;
}

const uint8_t *mote_modem_peek(mote_modem *m, size_t *len)
{
    bool bytes = m->state == MOTE_MODEM_SENDING;
    const uint8_t *from = bytes ? m->tx + m->tx_out : (const uint8_t *)m->out + m->out_pos;

    *len = bytes ? m->tx_len - m->tx_out : m->out_len - m->out_pos;
    return *len > 0 && !is_still(m) ? from : NULL;
}

void mote_modem_ack(mote_modem *m, size_t len)
{
    if (m->state == MOTE_MODEM_SENDING)
        m->tx_out += len;
    else
        m->out_pos += len;
}

/* ---- time -------------------------------------------------------------------------------------
 */

static void on_limit(mote_modem *m)
{
    if (m->state == MOTE_MODEM_HANGING_UP) {
        m->state = MOTE_MODEM_CLOSED;
    } else if (m->state == MOTE_MODEM_WAKING && m->answered) {
        m->step = 0;
        mote_modem_prepare(m);
    } else if (m->state == MOTE_MODEM_WAKING && m->tries < WAKE_TRIES) {
        mote_modem_wake(m);
    } else {
        mote_modem_fail(m, "no answer");
    }
}

uint32_t mote_modem_tick(mote_modem *m, uint64_t now_ms)
{
    uint64_t next = m->look_ms;

    m->now_ms = now_ms;
    if (is_still(m))
        return UINT32_MAX;
    if (m->state != MOTE_MODEM_IDLE && now_ms >= m->limit_ms)
        on_limit(m);
    mote_modem_proceed(m);
    if (is_still(m))
        return UINT32_MAX;
    if (m->state != MOTE_MODEM_IDLE)
        next = m->limit_ms;
    else if (m->tx_len > 0 && m->send_ms < next)
        next = m->send_ms;
    return next > now_ms ? (uint32_t)(next - now_ms) : 1;
}

/* ---- the connection ---------------------------------------------------------------------------
 */

int mote_modem_init(mote_modem *m, const mote_modem_config *config)
{
    static const char chars[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:";
    size_t len = strlen(config->host);

    memset(m, 0, sizeof *m);
    m->config = config;
    return len > 0 && len <= HOST_MAX && strspn(config->host, chars) == len ? 0 : -1;
}

void mote_modem_open(mote_modem *m, uint64_t now_ms)
{
    const mote_modem_config *config = m->config;

    memset(m, 0, sizeof *m);
    m->config = config;
    m->now_ms = now_ms;
    mote_modem_wake(m);
}

void mote_modem_close(mote_modem *m)
{
    if (in_connection(m))
        m->hangs_up = true;
    else if (m->state != MOTE_MODEM_HANGING_UP)
        m->state = MOTE_MODEM_CLOSED;
    mote_modem_proceed(m);
}

bool mote_modem_is_open(const mote_modem *m)
{
    return in_connection(m) && !m->peer_closed && !m->hangs_up;
}

int mote_modem_read(mote_modem *m, uint8_t *buf, size_t cap)
{
    bool sure = m->state != MOTE_MODEM_READING && m->state != MOTE_MODEM_ENDING_READ;
    size_t n = sure ? m->rx_len - m->rx_pos : 0;

    if (n == 0)
        return in_connection(m) ? 0 : -1;
    n = n < cap ? n : cap;
    memcpy(buf, m->rx + m->rx_pos, n);
    m->rx_pos += n;
    if (m->rx_pos == m->rx_len)
        m->rx_pos = m->rx_len = 0;
    mote_modem_proceed(m);
    return (int)n;
}

int mote_modem_write(mote_modem *m, const uint8_t *buf, size_t len)
{
    if (!mote_modem_is_open(m))
        return -1;
    if (m->tx_len > 0 || len == 0)
        return 0;
    m->tx_len = len < MOTE_MODEM_PIECE ? len : MOTE_MODEM_PIECE;
    memcpy(m->tx, buf, m->tx_len);
    mote_modem_proceed(m);
    return (int)m->tx_len;
}

const char *mote_modem_error(const mote_modem *m)
{
    return m->state == MOTE_MODEM_ENDED ? m->why : "";
}
