/*
 * A modem as its manuals describe it, for tests: AT commands of the SIM7x00 or of Quectel in and
 * out, one TCP socket behind it. Its faults are members. No I/O.
 */
#ifndef TESTS_PEERS_MODEM_H
#define TESTS_PEERS_MODEM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODEM_NET = 1 << 16, MODEM_SAYS = 4096 };

typedef struct {
    bool quectel;
    /* how it is */
    bool echo, always_echoes; /* whatever ATE0 says */
    bool net_open;            /* from before */
    bool forgets_news;        /* does not tell that bytes have arrived */
    unsigned slow_ms;         /* each answer comes so late */
    size_t room;              /* bytes of a send that it takes; 0: all */
    int refusals;             /* sends that find no room */
    const char *news;         /* a line that comes in the middle of each answer */
    const char *error_to;     /* commands that begin so get ERROR, */
    const char *silent_to;    /* or no answer, */
    const char *instead;      /* or, of error_to, this */
    int lie;                  /* added to the number of bytes that it gives */
    int dial_error;
    int (*dial)(const char *to); /* connects for real: 0, or an error; NULL: as dial_error says */
    bool error_when_closed;      /* to a read, rather than none */
    bool dies_in_send;           /* the peer closes while bytes to send arrive */
    /* its state */
    char command[256];
    size_t command_len;
    size_t to_take; /* bytes that follow the prompt */
    size_t taking;
    bool dialed, peer_closed, closed_told;
    char dialed_to[128];
    uint64_t now_ms, says_ms;
    uint8_t says[MODEM_SAYS]; /* for the line, from says_ms on */
    size_t says_len;
    uint8_t to_net[MODEM_NET], from_net[MODEM_NET];
    size_t to_net_len, from_net_len;
} modem;

static inline void modem_bytes(modem *m, const void *bytes, size_t len)
{
    if (m->says_len + len > sizeof m->says)
        abort();
    if (m->says_len == 0)
        m->says_ms = m->now_ms + m->slow_ms;
    memcpy(m->says + m->says_len, bytes, len);
    m->says_len += len;
}

static inline void modem_say(modem *m, const char *line)
{
    modem_bytes(m, "\r\n", 2);
    modem_bytes(m, line, strlen(line));
    modem_bytes(m, "\r\n", 2);
}

/* The last line of an answer. */
static inline void modem_end(modem *m, const char *line)
{
    if (m->news)
        modem_say(m, m->news);
    modem_say(m, line);
}

static inline void modem_news(modem *m)
{
    if (!m->dialed || m->forgets_news)
        return;
    modem_say(m, m->quectel ? "+QIURC: \"recv\",0" : "+CIPRXGET: 1,0");
}

static inline void modem_from_net(modem *m, const void *bytes, size_t len)
{
    if (m->from_net_len + len > sizeof m->from_net)
        abort();
    memcpy(m->from_net + m->from_net_len, bytes, len);
    m->from_net_len += len;
    if (len > 0 && m->from_net_len == len)
        modem_news(m);
}

static inline void modem_peer_closes(modem *m)
{
    m->peer_closed = true;
    if (m->dialed && !m->closed_told)
        modem_say(m, m->quectel ? "+QIURC: \"closed\",0" : "+IPCLOSE: 0,1");
    m->closed_told = true;
}

static inline void modem_give(modem *m, int asked)
{
    size_t n = m->from_net_len < (size_t)asked ? m->from_net_len : (size_t)asked;
    char line[64];

    if (n == 0 && m->peer_closed && m->error_when_closed) {
        modem_end(m, "+CME ERROR: 4");
        return;
    }
    if (n == 0 && !m->quectel) {
        modem_say(m, "+IP ERROR: No data");
        modem_end(m, "ERROR");
        return;
    }
    if (m->quectel)
        snprintf(line, sizeof line, "+QIRD: %d", (int)n + (n > 0 ? m->lie : 0));
    else
        snprintf(line, sizeof line, "+CIPRXGET: 2,0,%d,%zu", (int)n + m->lie, m->from_net_len - n);
    modem_say(m, line);
    modem_bytes(m, m->from_net, n);
    memmove(m->from_net, m->from_net + n, m->from_net_len - n);
    m->from_net_len -= n;
    if (n > 0 && m->news) /* the end of its line, and a line of news */
        modem_say(m, m->news);
    modem_say(m, "OK");
}

static inline void modem_ask(modem *m, int n)
{
    if (!m->dialed || m->peer_closed || n <= 0) {
        modem_end(m, "ERROR");
        return;
    }
    if (m->news)
        modem_say(m, m->news);
    modem_bytes(m, "\r\n> ", 4);
    m->to_take = m->taking = (size_t)n;
}

static inline void modem_took(modem *m)
{
    size_t n = m->room > 0 && m->room < m->taking ? m->room : m->taking;
    char line[64];

    if (m->dies_in_send)
        modem_peer_closes(m);
    if (m->dies_in_send || (m->refusals > 0 && m->refusals--))
        n = 0;
    m->to_net_len -= m->taking - n;
    if (m->quectel) {
        modem_end(m, n > 0 ? "SEND OK" : m->dies_in_send ? "ERROR" : "SEND FAIL");
        return;
    }
    modem_end(m, "OK");
    snprintf(line, sizeof line, "+CIPSEND: 0,%zu,%d", m->taking, m->dies_in_send ? -1 : (int)n);
    modem_say(m, line);
}

static inline void modem_dial(modem *m, const char *to)
{
    char line[64];

    snprintf(m->dialed_to, sizeof m->dialed_to, "%s", to);
    if (m->dial)
        m->dial_error = m->dial(to);
    m->dialed = m->dial_error == 0;
    m->peer_closed = m->closed_told = false;
    m->from_net_len = m->to_net_len = 0;
    modem_end(m, "OK");
    snprintf(line, sizeof line, m->quectel ? "+QIOPEN: 0,%d" : "+CIPOPEN: 0,%d", m->dial_error);
    modem_say(m, line);
}

static inline void modem_hang_up(modem *m)
{
    bool open = m->dialed;

    m->dialed = false;
    if (!open && !m->quectel)
        modem_say(m, "+CIPCLOSE: 0,4");
    modem_end(m, open || m->quectel ? "OK" : "ERROR");
    if (open && !m->quectel)
        modem_say(m, "+CIPCLOSE: 0,0");
}

static inline void modem_net_open(modem *m)
{
    if (m->net_open && !m->quectel)
        modem_say(m, "+IP ERROR: Network is already opened");
    modem_end(m, m->net_open ? "ERROR" : "OK");
    if (!m->net_open && !m->quectel)
        modem_say(m, "+NETOPEN: 0");
    m->net_open = true;
}

static inline void modem_command(modem *m)
{
    static const struct {
        const char *sim, *quectel;
        char what;
    } commands[] = {
        {"ATE0", "ATE0", 'e'},
        {"AT+CIPCLOSE=0", "AT+QICLOSE=0", 'h'},
        {"AT+CIPRXGET=1", "AT+QISDE=0", 'k'},
        {"AT+CGDCONT=1,\"IP\",\"internet\"", "AT+CGDCONT=1,\"IP\",\"internet\"", 'k'},
        {"AT+NETOPEN", "AT+QIACT=1", 'n'},
        {"AT+CIPOPEN=0,\"TCP\",", "AT+QIOPEN=1,0,\"TCP\",", 'd'},
        {"AT+CIPSEND=0,", "AT+QISEND=0,", 's'},
        {"AT+CIPRXGET=2,0,", "AT+QIRD=0,", 'r'},
    };
    const char *c = m->command;
    char what = 'x';

    if (m->silent_to && strncmp(c, m->silent_to, strlen(m->silent_to)) == 0)
        return;
    if (m->error_to && strncmp(c, m->error_to, strlen(m->error_to)) == 0) {
        modem_say(m, m->instead ? m->instead : "ERROR");
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const char *name = m->quectel ? commands[i].quectel : commands[i].sim;
        size_t len = strlen(name);
        bool whole = !strchr("dsr", commands[i].what);
        if (whole ? strcmp(c, name) != 0 : strncmp(c, name, len) != 0)
            continue;
        what = commands[i].what;
        c += len;
        break;
    }
    switch (what) {
    case 'e':
        m->echo = m->always_echoes;
        modem_end(m, "OK");
        break;
    case 'k':
        modem_end(m, "OK");
        break;
    case 'h':
        modem_hang_up(m);
        break;
    case 'n':
        modem_net_open(m);
        break;
    case 'd':
        modem_dial(m, c);
        break;
    case 's':
        modem_ask(m, atoi(c));
        break;
    case 'r':
        modem_give(m, atoi(c));
        break;
    default:
        modem_end(m, "ERROR");
    }
}

/* Bytes from the line. */
static inline void modem_hear(modem *m, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (m->to_take > 0) {
            if (m->to_net_len == sizeof m->to_net)
                abort();
            m->to_net[m->to_net_len++] = bytes[i];
            if (--m->to_take == 0)
                modem_took(m);
            continue;
        }
        if (m->echo)
            modem_bytes(m, &bytes[i], 1);
        if (bytes[i] == 0x1b) {
            m->command_len = 0;
        } else if (bytes[i] == '\r') {
            m->command[m->command_len] = '\0';
            m->command_len = 0;
            modem_command(m);
        } else if (m->command_len + 1 < sizeof m->command) {
            m->command[m->command_len++] = (char)bytes[i];
        }
    }
}

/* Bytes for the line, at most cap: how many. */
static inline size_t modem_speak(modem *m, uint8_t *out, size_t cap)
{
    size_t n = m->now_ms >= m->says_ms ? m->says_len : 0;

    n = n < cap ? n : cap;
    memcpy(out, m->says, n);
    memmove(m->says, m->says + n, m->says_len - n);
    m->says_len -= n;
    return n;
}

#endif
