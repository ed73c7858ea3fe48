/*
 * Watches prices: prices_client [--address=127.0.0.1:50051] [--count=10] [SYMBOL...]
 */
#include "prices.mote.h"

#include "../common/client.h"

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:50051", *count = "10";
    const option options[] = {OPTION("--address", &address, "the server"),
                              OPTION("--count", &count, "prices to print before it leaves (10)"),
                              OPTIONS_END};
    int i = parse_options(argc, argv, "prices_client [SYMBOL...]: calls mote.prices.Prices/Watch",
                          options);
    mote_pb_string symbols[16];
    mote_prices_Filter filter = {.symbols = {symbols, 0}};
    mote_prices_Price price = {0};
    mote_status status;
    mote_grpc_call *call;

    for (; i < argc && filter.symbols.count < 16; i++)
        symbols[filter.symbols.count++] = mote_pb_cstring(argv[i]);
    open_channel(address);
    check(mote_prices_Prices_Watch_call(&channel, no_limit, &filter, &call));
    for (int left = atoi(count); left > 0; left--) {
        if (mote_prices_Prices_Watch_recv(call, &price, NULL, &status) <= 0)
            return report(status);
        print_line(stdout, "%.*s %lld.%02lld", (int)price.symbol.len, price.symbol.data,
                   (long long)price.cents / 100, (long long)price.cents % 100);
        fflush(stdout);
    }
    mote_grpc_cancel(call); /* the server learns that nobody watches any more */
    mote_channel_finish(call);
    mote_channel_poll(&channel, 10);
    return 0;
}
