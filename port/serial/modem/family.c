/* What two families of modems call things: the table is in modem.h. */
#include "modem.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* A socket may be open from before a reset of this side alone. */
static const mote_modem_step sim7x00[] = {
    {"AT+CIPCLOSE=0", NULL, true, 10000},
    {"AT+CIPRXGET=1", NULL, false, 5000},
    {"AT+NETOPEN", "+NETOPEN: ", true, 120000}, /* ERROR: it is open */
};

const mote_modem_family mote_modem_sim7x00 = {
    .setup = sim7x00,
    .setup_count = COUNT(sim7x00),
    .dial = "AT+CIPOPEN=0,\"TCP\",\"",
    .dial_port = "\",",
    .dial_end = "",
    .dialed = "+CIPOPEN: 0,",
    .send = "AT+CIPSEND=0,",
    .read = "AT+CIPRXGET=2,0,",
    .sent = "+CIPSEND: 0,",
    .sent_counts = true,
    .refused = NULL,
    .arrived = "+CIPRXGET: 1,0",
    .bytes = "+CIPRXGET: 2,0,",
    .no_bytes = "+IP ERROR: No data",
    .closed = "+IPCLOSE: 0",
    .hang_up = "AT+CIPCLOSE=0",
};

/* Bytes that are sent would be echoed unless QISDE says otherwise. */
static const mote_modem_step quectel[] = {
    {"AT+QISDE=0", NULL, true, 5000},
    {"AT+QICLOSE=0", NULL, true, 15000},
    {"AT+QIACT=1", NULL, true, 150000}, /* ERROR: it is active */
};

const mote_modem_family mote_modem_quectel = {
    .setup = quectel,
    .setup_count = COUNT(quectel),
    .dial = "AT+QIOPEN=1,0,\"TCP\",\"",
    .dial_port = "\",",
    .dial_end = ",0,0",
    .dialed = "+QIOPEN: 0,",
    .send = "AT+QISEND=0,",
    .read = "AT+QIRD=0,",
    .sent = "SEND OK",
    .sent_counts = false,
    .refused = "SEND FAIL",
    .arrived = "+QIURC: \"recv\",0",
    .bytes = "+QIRD: ",
    .no_bytes = NULL,
    .closed = "+QIURC: \"closed\",0",
    .hang_up = "AT+QICLOSE=0",
};
