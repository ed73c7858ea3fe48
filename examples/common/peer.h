/* By what those who call are counted, so that nobody takes all there is by many connections. */
#ifndef EXAMPLES_PEER_H
#define EXAMPLES_PEER_H

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { PEER_HOST = 64 };

/* The host in "192.0.2.1:5000", "[2001:db8::1]:5000" or "unix:uid=1000". Of IPv6 it is the network
 * of 64 bits: whoever has one has all of its addresses (RFC 7934 4). */
static inline void peer_host(const char *address, char host[PEER_HOST])
{
    char text[INET6_ADDRSTRLEN];
    const char *port = strrchr(address, ':');
    size_t len = port ? (size_t)(port - address) : strlen(address);
    struct in6_addr a;

    if (strncmp(address, "unix:", 5) == 0)
        len = strlen(address);
    snprintf(host, PEER_HOST, "%.*s", (int)(len < PEER_HOST ? len : PEER_HOST - 1), address);
    if (address[0] != '[')
        return;
    snprintf(text, sizeof text, "%.*s", (int)strcspn(address + 1, "%]"), address + 1);
    if (inet_pton(AF_INET6, text, &a) != 1)
        return;
    if (IN6_IS_ADDR_V4MAPPED(&a)) {
        inet_ntop(AF_INET, &a.s6_addr[12], host, PEER_HOST);
        return;
    }
    memset(&a.s6_addr[8], 0, 8);
    inet_ntop(AF_INET6, &a, host, PEER_HOST);
}

#endif
