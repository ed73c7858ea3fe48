/* By what programs count who calls. */
#include "../../examples/common/peer.h"
#include "../test.h"

/* Whoever has many addresses of a network is one; and the same one over IPv6 and IPv4. */
static void who_it_is(void)
{
    static const char *const hosts[][2] = {
        {"192.0.2.1:5000", "192.0.2.1"},
        {"[::1]:80", "::"},
        {"[2001:db8:1:2:3:4:5:6]:80", "2001:db8:1:2::"},
        {"[2001:db8:1:2::ffff]:443", "2001:db8:1:2::"},
        {"[2001:db8:1:3::ffff]:443", "2001:db8:1:3::"},
        {"[fe80::1%eth0]:443", "fe80::"},
        {"[::ffff:192.0.2.1]:443", "192.0.2.1"},
        {"unix:uid=1000", "unix:uid=1000"},
        {"", ""},
        {"[", "["},
        {"[x]:1", "[x]"},
    };

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char host[PEER_HOST];
        peer_host(hosts[i][0], host);
        if (strcmp(host, hosts[i][1]) != 0)
            printf("%s is %s\n", hosts[i][0], host);
        CHECK(strcmp(host, hosts[i][1]) == 0);
    }
}

int main(void)
{
    RUN(who_it_is);
    return test_summary();
}
