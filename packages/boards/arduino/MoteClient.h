/* A connection of Arduino (WiFiClient, EthernetClient, a client of TLS ...) as the transport of a
 * channel of mote. Its write() and connect() wait by themselves: as long as they do, no deadline of
 * a call is looked at. */
#ifndef MOTE_ARDUINO_CLIENT_H
#define MOTE_ARDUINO_CLIENT_H

#include <Arduino.h>
#include <Client.h>

#include "mote.h"

class MoteClient
{
  public:
    /* Both stay. */
    MoteClient(Client &client, const char *host, uint16_t port)
        : client_(client), host_(host), port_(port)
    {
    }

    mote_io io()
    {
        mote_io io = mote_io();

        io.context = this;
        io.read = read;
        io.write = write;
        io.wait = wait;
        io.now_ms = now;
        io.connect = connect;
        io.close = close;
        io.error = error;
        return io;
    }

  private:
    static MoteClient *of(void *context)
    {
        return static_cast<MoteClient *>(context);
    }

    static int read(void *context, uint8_t *buf, size_t cap)
    {
        Client &client = of(context)->client_;
        int n = client.available();

        if (n <= 0)
            return client.connected() ? 0 : -1;
        n = client.read(buf, static_cast<size_t>(n) < cap ? static_cast<size_t>(n) : cap);
        return n > 0 ? n : 0;
    }

    static int write(void *context, const uint8_t *buf, size_t len)
    {
        Client &client = of(context)->client_;
        size_t n = client.write(buf, len);

        return n > 0 || client.connected() ? static_cast<int>(n) : -1;
    }

    static void wait(void *context, bool writing, uint64_t until_ms)
    {
        if (!writing && of(context)->client_.available() <= 0 && now(context) < until_ms)
            delay(1);
    }

    static uint64_t now(void *context)
    {
        return mote_clock_ms(&of(context)->clock_, millis());
    }

    static int connect(void *context, uint64_t until_ms)
    {
        MoteClient *c = of(context);

        (void)until_ms;
        c->client_.stop();
        c->why_ = c->client_.connect(c->host_, c->port_) ? "the connection has ended" : "connect";
        return *c->why_ == 'c' ? -1 : 0;
    }

    static void close(void *context)
    {
        of(context)->client_.stop();
    }
    static const char *error(void *context)
    {
        return of(context)->why_;
    }

    Client &client_;
    const char *host_;
    uint16_t port_;
    mote_clock clock_ = mote_clock();
    const char *why_ = "";
};

#endif
