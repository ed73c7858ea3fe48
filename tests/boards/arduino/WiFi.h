/* WiFiClient over a socket of this machine. */
#ifndef ARDUINO_DOUBLE_WIFI_H
#define ARDUINO_DOUBLE_WIFI_H

#include <sys/ioctl.h>

#include "Arduino.h"
#include "Client.h"

enum { WL_IDLE_STATUS = 0, WL_CONNECTED = 3 };

struct WiFiDouble {
    void begin(const char *, const char *)
    {
    }
    int status()
    {
        return tried++ < 2 ? WL_IDLE_STATUS : WL_CONNECTED;
    }
    int tried = 0;
};
static WiFiDouble WiFi;

class WiFiClient : public Client
{
  public:
    int connect(const char *, uint16_t) override
    {
        sockaddr_in server = sockaddr_in();

        server.sin_family = AF_INET;
        server.sin_port = htons(static_cast<uint16_t>(double_port));
        inet_pton(AF_INET, double_host, &server.sin_addr);
        fd_ = socket(AF_INET, SOCK_STREAM, 0);
        if (::connect(fd_, reinterpret_cast<sockaddr *>(&server), sizeof server) == 0)
            return 1;
        stop();
        return 0;
    }
    size_t write(uint8_t byte) override
    {
        return write(&byte, 1);
    }
    size_t write(const uint8_t *buf, size_t size) override
    {
        ssize_t n = send(fd_, buf, size, MSG_NOSIGNAL);
        return n > 0 ? static_cast<size_t>(n) : 0;
    }
    int available() override
    {
        int n = 0;
        return fd_ >= 0 && ioctl(fd_, FIONREAD, &n) == 0 ? n : 0;
    }
    int read() override
    {
        uint8_t byte;
        return read(&byte, 1) == 1 ? byte : -1;
    }
    int read(uint8_t *buf, size_t size) override
    {
        return static_cast<int>(recv(fd_, buf, size, MSG_DONTWAIT));
    }
    int peek() override
    {
        return -1;
    }
    void flush() override
    {
    }
    void stop() override
    {
        if (fd_ >= 0)
            close(fd_);
        fd_ = -1;
    }
    uint8_t connected() override
    {
        char byte;
        return fd_ >= 0 && recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
    }
    operator bool() override
    {
        return fd_ >= 0;
    }

  private:
    int fd_ = -1;
};

#endif
