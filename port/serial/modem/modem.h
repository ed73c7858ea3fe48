/*
 * modem: a TCP connection through a cellular modem that is told what to do by AT commands. No I/O
 * and no heap of its own: bytes of the serial line in and out, bytes of the connection in and out,
 * time in. mote_modem_transport() below makes it a transport for mote_channel.
 *
 * The modem keeps received bytes until they are asked for, so that a UART without flow control
 * loses none. One command at a time; lines that nobody has asked for may come between command and
 * answer. Commands are those of two families, as their manuals have them:
 *
 *                  mote_modem_sim7x00                  mote_modem_quectel
 *                  SIM7500, SIM7600: "SIM7500_SIM7600  BG95, BG96, EC2x, EG9x: "TCP/IP Application
 *                  Series AT Command Manual" (SIMCom), Note" of the series (Quectel), 2.3; UG for
 *                  2 and 11 (TCPIP)                    ATE
 *   before         ATE0, AT+CIPCLOSE=0,                ATE0, AT+QISDE=0, AT+QICLOSE=0,
 *                  AT+CIPRXGET=1, AT+NETOPEN           AT+QIACT=1
 *   connect        AT+CIPOPEN=0,"TCP","host",port      AT+QIOPEN=1,0,"TCP","host",port,0,0
 *                  OK, +CIPOPEN: 0,<err>               OK, +QIOPEN: 0,<err>
 *   send           AT+CIPSEND=0,<len>   > bytes        AT+QISEND=0,<len>   > bytes
 *                  OK, +CIPSEND: 0,<len>,<sent>        SEND OK, or SEND FAIL: no room, again later
 *   there is some  +CIPRXGET: 1,0                      +QIURC: "recv",0
 *   read           AT+CIPRXGET=2,0,<len>               AT+QIRD=0,<len>
 *                  +CIPRXGET: 2,0,<n>,<rest> bytes OK  +QIRD: <n> bytes OK
 *                  none: +IP ERROR: No data, ERROR     none: +QIRD: 0, OK
 *   peer's end     +IPCLOSE: 0,<reason>                +QIURC: "closed",0
 *   hang up        AT+CIPCLOSE=0                       AT+QICLOSE=0
 *
 * A modem that gives another number of bytes than it says is noticed by what follows them, unless
 * the bytes themselves look like the end of its answer; HTTP/2 then ends the connection.
 *
 * What the network needs (APN, PIN, bands) is the caller's: mote_modem_config.setup. For
 * another family of modems, write a mote_modem_family.
 */
#ifndef MOTE_MODEM_H
#define MOTE_MODEM_H

#include "../../../grpc/channel/channel.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that one command sends or asks for; longest line of an answer that is looked at; longest
 * command: of these, 100 bytes for the name of a host; a text of an error. */
enum {
    MOTE_MODEM_PIECE = 256,
    MOTE_MODEM_LINE = 64,
    MOTE_MODEM_COMMAND = 160,
    MOTE_MODEM_WHY = 96
};

/* A command before the connection is made. It is over when OK has come and, unless `until` is
 * NULL, a line that begins with it, which may follow later. */
typedef struct {
    const char *command;
    const char *until;
    bool may_fail; /* ERROR is as good as OK */
    uint32_t limit_ms;
} mote_modem_step;

typedef struct {
    const mote_modem_step *setup;
    size_t setup_count;
    const char *dial, *dial_port, *dial_end; /* around the name of the host and the port */
    const char *dialed;                      /* begins the line whose number, 0, says: connected */
    const char *send, *read;                 /* a number follows */
    const char *sent;                        /* begins the line that says they were sent */
    bool sent_counts;                        /* the last number in it is how many bytes */
    const char *refused;                     /* begins the line: nothing sent, no room; or NULL */
    const char *arrived;                     /* begins the line: there are bytes to read */
    const char *bytes;    /* begins the line in front of them; a number follows */
    const char *no_bytes; /* begins the line in front of ERROR: none; or NULL */
    const char *closed;   /* begins the line: the peer has closed */
    const char *hang_up;
} mote_modem_family;

extern const mote_modem_family mote_modem_sim7x00, mote_modem_quectel;

/* Stays with the modem. */
typedef struct {
    const mote_modem_family *family;
    const mote_modem_step *setup; /* before that of the family, as
                                     {"AT+CGDCONT=1,\"IP\",\"internet\"", NULL, false, 5000} */
    size_t setup_count;
    const char *host; /* letters, digits and ".-:" */
    uint16_t port;
} mote_modem_config;

/*
 * Where a connection is, and which command is in progress.
 *
 *   CLOSED -- mote_modem_open() --> WAKING -- ATE0 --> PREPARING -- all steps --> DIALING --+
 *                                                                                           |
 *      +------------------------------ IDLE <---------- connected --------------------------+
 *      |                              ^ | ^
 *      | bytes to send     all sent / | | | none; or taken from the line
 *      v                  no room now | | |
 *   ASKING -- prompt --> SENDING -----+ | +-- ENDING_READ <-- READING <-- ASKING_BYTES <--+
 *                                       |                                                 |
 *                                       +--------- bytes have arrived, or a look is due --+
 *   IDLE -- mote_modem_close() --> HANGING_UP -- answered, or not --> CLOSED
 *   IDLE -- the peer has closed, and all was read ------------------> ENDED
 *   any but CLOSED -- refused, no answer in time, an answer that cannot be --> ENDED
 *
 * ENDED: bytes that were taken from the line can still be read; mote_modem_error() says why.
 */
enum mote_modem_state {
    MOTE_MODEM_CLOSED,
    MOTE_MODEM_WAKING,
    MOTE_MODEM_PREPARING,
    MOTE_MODEM_DIALING,
    MOTE_MODEM_IDLE,
    MOTE_MODEM_ASKING,
    MOTE_MODEM_SENDING,
    MOTE_MODEM_ASKING_BYTES,
    MOTE_MODEM_READING,
    MOTE_MODEM_ENDING_READ,
    MOTE_MODEM_HANGING_UP,
    MOTE_MODEM_ENDED
};

/* A modem. Zero before mote_modem_init(); state may be read, the rest is private. */
typedef struct {
    enum mote_modem_state state;
    bool arrived;     /* the modem has bytes for us, as far as is known */
    bool peer_closed; /* and no more come */
    bool hangs_up;    /* mote_modem_close() was called */
    bool sent_last;   /* it is the turn of reading */
    bool answered;    /* of the command in progress: OK was there */
    bool resulted;    /* and the line that follows it, or comes before */
    bool no_bytes;    /* and the line that says there are none */
    uint8_t step, tries;
    const mote_modem_config *config;
    char out[MOTE_MODEM_COMMAND]; /* the command in progress, or the last one */
    char line[MOTE_MODEM_LINE], why[MOTE_MODEM_WHY];
    uint8_t rx[MOTE_MODEM_PIECE], tx[MOTE_MODEM_PIECE];
    size_t out_pos, out_len, line_len;
    size_t rx_pos, rx_len, rx_due; /* due: bytes that the modem has announced */
    size_t tx_pos, tx_len, tx_out; /* out: how far it was written to the line */
    uint64_t now_ms, limit_ms;     /* of the command in progress */
    uint64_t send_ms, look_ms;     /* not before; at the latest */
} mote_modem;

/* 0, or -1: the host is too long or has a character that does not belong there. */
int mote_modem_init(mote_modem *m, const mote_modem_config *config);

/* Begins to connect, anew if need be. */
void mote_modem_open(mote_modem *m, uint64_t now_ms);

/* Hangs up when what was taken has been sent; gives up at once what is not yet connected. */
void mote_modem_close(mote_modem *m);

/* Connected: bytes can be written. */
bool mote_modem_is_open(const mote_modem *m);

/* Takes bytes of the serial line, all of them. */
void mote_modem_receive(mote_modem *m, const uint8_t *in, size_t len);

/* Bytes for the serial line, as mote_h2_peek() and mote_h2_ack(). */
const uint8_t *mote_modem_peek(mote_modem *m, size_t *len);
void mote_modem_ack(mote_modem *m, size_t len);

/* Takes the time, as mote_grpc_tick(). */
uint32_t mote_modem_tick(mote_modem *m, uint64_t now_ms);

/* Bytes of the connection: how many; 0: none now; -1: the connection has ended, or is not open. */
int mote_modem_read(mote_modem *m, uint8_t *buf, size_t cap);
int mote_modem_write(mote_modem *m, const uint8_t *buf, size_t len);

/* Ends the connection, as "modem: WHAT after AT+QIOPEN=..."; without effect where it has ended. */
void mote_modem_fail(mote_modem *m, const char *what);

/* Why the connection has ended, as "modem: no answer after AT+NETOPEN"; "": it has not. Valid
 * until mote_modem_open(). */
const char *mote_modem_error(const mote_modem *m);

/* ---- a transport for mote_channel ----------------------------------------------------------- */

/* `line` is the UART: read, write, wait, now_ms. *t must stay where it is. */
typedef struct {
    mote_modem modem;
    mote_io line;
} mote_modem_io;

/* As mote_modem_init(). */
int mote_modem_io_init(mote_modem_io *t, const mote_modem_config *config, mote_io line);
mote_io mote_modem_transport(mote_modem_io *t);

#ifdef __cplusplus
}
#endif
#endif
