/* Live conversations become files, one for what each side has said: FOLDER/client-N and
 * FOLDER/server-N. */
#ifndef MOTE_RECORDER_H
#define MOTE_RECORDER_H

#include "differ.h"

/* A proxy on 127.0.0.1:port, which it prints ("listening on 127.0.0.1:N"), for so many connections,
 * one after the other. NULL, or what went wrong (static). */
const char *mote_record_proxy(const char *port, const mote_differ_address *server,
                              const char *folder, unsigned long connections);

/* A capture in libpcap's format: Ethernet, Linux's "any" interface, raw IP or loopback; IPv4 and
 * IPv6; TCP connections that begin in it with the preface of HTTP/2. What came twice or out of
 * order is put right. NULL, or what went wrong. */
const char *mote_record_pcap(const uint8_t *in, size_t len, const char *folder);

/* Writes FOLDER/client-N and FOLDER/server-N; false: it could not. */
bool mote_record_save(const char *folder, const char *side, unsigned long n, const uint8_t *bytes,
                      size_t len);

#endif
