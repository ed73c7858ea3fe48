#ifndef ARDUINO_DOUBLE_CLIENT_H
#define ARDUINO_DOUBLE_CLIENT_H

#include <stddef.h>
#include <stdint.h>

/* As in Arduino's cores/.../Client.h. */
class Client
{
  public:
    virtual int connect(const char *host, uint16_t port) = 0;
    virtual size_t write(uint8_t) = 0;
    virtual size_t write(const uint8_t *buf, size_t size) = 0;
    virtual int available() = 0;
    virtual int read() = 0;
    virtual int read(uint8_t *buf, size_t size) = 0;
    virtual int peek() = 0;
    virtual void flush() = 0;
    virtual void stop() = 0;
    virtual uint8_t connected() = 0;
    virtual operator bool() = 0;
    virtual ~Client()
    {
    }
};

#endif
